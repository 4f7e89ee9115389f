//! What every store must do, one file per behaviour. A store runs it all by naming how it is opened:
//! `contract::suite!(open)`, where `open` gives an empty store and whatever must outlive it.

pub(crate) mod atomicity;
pub(crate) mod closing;
pub(crate) mod conflict;
pub(crate) mod create_race;
pub(crate) mod entities;
pub(crate) mod generation;
mod given;
pub(crate) mod inbox;
pub(crate) mod key_changes;
pub(crate) mod list_pages;
pub(crate) mod long_histories;
pub(crate) mod order;
pub(crate) mod outbox;
pub(crate) mod payload_sizes;
pub(crate) mod purging;
pub(crate) mod redelivery;
pub(crate) mod reuse;
pub(crate) mod rewinding;
pub(crate) mod starts;
pub(crate) mod timer_records;
pub(crate) mod wake_pages;

pub(crate) use given::{Given, given, raise, turn};

/// Makes one test of each behaviour.
macro_rules! suite {
    ($open:expr; $($file:ident :: $behaviour:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() -> anyhow::Result<()> {
                let (store, _keep) = $open?;
                crate::store::contract::$file::$behaviour(&store).await?;
                crate::store::Store::close(&store).await;
                Ok(())
            }
        )+
    };
    ($open:expr) => {
        crate::store::contract::suite! { $open;
            create_race::one_of_a_hundred_racers_creates,
            create_race::a_first_turn_creates_with_it,
            create_race::a_running_instance_is_in_the_way,
            conflict::a_stale_turn_is_a_conflict_and_leaves_no_trace,
            conflict::a_turn_of_a_replaced_instance_is_a_conflict,
            atomicity::a_turn_is_read_back_as_it_was_written,
            atomicity::a_refused_change_does_not_stop_its_group,
            order::changes_are_applied_and_answered_in_order,
            order::each_change_is_answered_once,
            long_histories::a_long_history_comes_in_parts_and_as_a_whole,
            inbox::a_turn_consumes_what_it_took,
            inbox::what_came_meanwhile_keeps_it_awake,
            inbox::a_message_finds_an_instance_of_its_own_turn,
            inbox::messages_to_nobody_are_dropped,
            inbox::a_client_is_told_the_status,
            inbox::one_that_has_not_begun_shows_that_it_is_halted,
            reuse::an_ended_instance_is_replaced_whole,
            reuse::any_replaces_a_running_one,
            starts::a_refused_start_tells_the_parent,
            starts::starts_are_pending,
            starts::children_of_all_generations_are_found,
            generation::continue_as_new_drops_the_history,
            purging::one_ended_instance_goes_whole,
            purging::a_running_one_stays_unless_asked_for,
            purging::locks_of_a_live_one_are_let_go_with_it,
            purging::the_oldest_ended_go_first,
            purging::what_ended_long_ago_goes,
            rewinding::what_followed_is_received_again,
            rewinding::all_go_back_or_none,
            rewinding::a_child_whose_id_is_taken_is_refused,
            key_changes::keys_are_unique_without_case,
            key_changes::the_first_generation_wins,
            timer_records::a_timer_is_read_back_as_it_was_last_written,
            timer_records::one_of_two_hosts_takes_a_run,
            outbox::what_is_told_comes_with_the_turn_and_goes_when_it_was_sent,
            outbox::a_refused_turn_tells_nothing,
            outbox::what_is_told_outlives_its_instance,
            wake_pages::wakes_come_earliest_first_in_pages,
            list_pages::pages_hold_each_row_once,
            list_pages::pages_are_stable_while_rows_come_and_go,
            list_pages::filters_add_up,
            list_pages::prefixes_are_walked_by_id,
            payload_sizes::a_megabyte_comes_back,
            payload_sizes::none_deletes,
            redelivery::the_second_delivery_is_the_first_counted,
            entities::an_entity_exists_from_the_first_message_on,
            entities::state_and_lock_come_back_and_go,
            entities::a_scheduled_message_wakes_at_its_time,
            entities::only_an_empty_entity_is_cleaned,
            redelivery::what_a_host_stopped_is_not_counted,
            closing::what_is_queued_is_written_before_the_end,
            closing::a_closed_store_takes_nothing,
        }
    };
}
pub(crate) use suite;
