//! Attributes whose arguments and types come out of `macro_rules!`.
use durable_functions::prelude::*;

macro_rules! handlers {
    ($($name:ident $route:tt $auth:literal $method:expr, $value:ty => $answer:ty;)*) => {$(
        #[http_trigger(auth = $auth, methods = [$method], route = $route)]
        async fn $name(v: $value) -> $answer {
            Ok(format!("{v:?}"))
        }
    )*};
}

handlers! {
    one "macros/{v}" "anonymous" "get", String => std::io::Result<String>;
    two "macros/{v:int?}" "function" "post", Option<u32> => std::io::Result<String>;
}

macro_rules! activity {
    ($name:ident, $registered:literal, $input:ty => $output:ty, $body:block) => {
        #[activity_trigger(name = $registered)]
        async fn $name(_input: $input) -> $output $body
    };
}

activity!(echo, "Echo", String => Result<String>, { Ok(String::new()) });

macro_rules! orchestrator {
    ($name:ident, $first:expr, $second:expr) => {
        #[orchestration_trigger]
        async fn $name(_ctx: OrchestrationContext) -> u32 {
            tokio::select! {
                n = $first => n,
                n = $second => n,
            }
        }
    };
}

orchestrator!(choose, std::future::ready(1), std::future::ready(2));

macro_rules! whole {
    ($item:item) => {
        #[activity_trigger]
        $item
    };
}

whole! {
    async fn item(n: u32) -> u32 {
        n
    }
}

macro_rules! entity {
    ($name:ident, $registered:literal, $operation:ident, $input:ty => $output:ty, $body:expr) => {
        #[derive(Default, serde::Serialize, serde::Deserialize)]
        struct $name;

        #[entity_trigger(name = $registered)]
        impl $name {
            pub fn $operation(&mut self, input: $input) -> $output {
                let run: fn($input) -> $output = $body;
                run(input)
            }
        }
    };
}

entity!(Doubler, "doubler", double, i64 => Result<i64>, |n| Ok(n * 2));

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Whole;

macro_rules! whole_entity {
    ($item:item) => {
        #[entity_trigger]
        $item
    };
}

whole_entity! {
    impl Whole {
        pub fn touch(&self) {}
    }
}

fn _typed(ctx: &OrchestrationContext) {
    drop(ctx.entity::<Doubler>("a").double(2));
    ctx.entity::<Whole>("a").signal().touch();
}

fn main() {
    let _ = (echo(String::new()), choose {}, item(1));
}
