//! The tables as diesel knows them; `migrations/sqlite` makes them, `docs/schema.md` explains them.

diesel::table! {
    instances (iid) {
        iid -> BigInt,
        id -> Text,
        name -> Text,
        version -> Text,
        execution_id -> Text,
        generation -> BigInt,
        status -> Integer,
        created -> BigInt,
        updated -> BigInt,
        wake_at -> Nullable<BigInt>,
        sequence -> BigInt,
        partition_id -> Integer,
        parent -> Nullable<Text>,
        scheduled_start -> Nullable<BigInt>,
        tags -> Nullable<Text>,
        trace_parent -> Nullable<Text>,
    }
}

diesel::table! {
    history (iid, seq) {
        iid -> BigInt,
        seq -> BigInt,
        events -> Text,
    }
}

diesel::table! {
    payloads (iid, kind) {
        iid -> BigInt,
        kind -> Integer,
        value -> Text,
    }
}

diesel::table! {
    inbox (iid, id) {
        iid -> BigInt,
        id -> BigInt,
        execution_id -> Nullable<Text>,
        event -> Text,
        created -> BigInt,
        due -> BigInt,
    }
}

diesel::table! {
    deliveries (iid, task_id) {
        iid -> BigInt,
        task_id -> BigInt,
        count -> Integer,
    }
}

diesel::table! {
    keys (position) {
        position -> BigInt,
        scope -> Text,
        folded -> Text,
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    timers (name) {
        name -> Text,
        schedule -> Text,
        last -> Nullable<BigInt>,
        next -> BigInt,
        deliveries -> Integer,
        sequence -> BigInt,
    }
}

diesel::table! {
    outbox (id) {
        id -> BigInt,
        instance_id -> Text,
        event -> Text,
    }
}

diesel::table! {
    meta (name) {
        name -> Text,
        value -> BigInt,
    }
}
