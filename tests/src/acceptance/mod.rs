//! The acceptance suite: one contract, whatever kind a plugin is of (I8).
//!
//! The cases are those of Conduit's `AcceptanceTestV1`, under their names, and what that leaves
//! open. They drive a host's streams; on the plugin's side is the fixture `scripted`, which asks the
//! case at each call what to do ([`Script`]). A call that the case has not announced fails it, and
//! so does an announced one that doesn't come. That a host changes a record after its write has no case:
//! a write takes the record.

mod blocking;
mod case;
pub mod destination;
pub mod destination_gaps;
mod script;
pub mod source;
pub mod source_gaps;
pub mod specifier;
mod subject;

pub use case::Case;
pub use script::{Held, Script};
pub use subject::Subject;

/// Makes one test of each case, in a module that is named after the kind of plugin.
///
/// ```ignore
/// acceptance_test_v1! { builtin: Subject::builtin() }
/// ```
#[macro_export]
macro_rules! acceptance_test_v1 {
    ($kind:ident: $subject:expr) => {
        mod $kind {
            $crate::__acceptance_cases! { $subject;
                specifier: specify_success, specify_fail;
                source:
                    configure_success, configure_fail, start_with_position, start_empty_position,
                    read_success, read_without_start, read_after_stop, read_cancel_context,
                    ack_success, ack_without_start, run_fail, teardown_success,
                    lifecycle_on_created, lifecycle_on_updated, lifecycle_on_deleted,
                    blocking_functions;
                destination:
                    configure_success, configure_fail, start_success, start_fail, write_success,
                    write_without_start, ack_success, ack_with_error, ack_without_start, run_fail,
                    teardown_success, lifecycle_on_created, lifecycle_on_updated,
                    lifecycle_on_deleted, blocking_functions;
                source_gaps:
                    a_second_start, a_start_after_a_failed_start, a_stop_without_start,
                    a_stop_that_fails, a_second_stop, teardown_twice_and_calls_after_it,
                    teardown_of_a_stubborn_source, a_panic_in_each_call, a_panic_in_read,
                    a_panic_in_ack, ack_after_a_cancel, a_huge_record, read_and_ack_at_once,
                    empty_settings_in_lifecycle_calls, a_deadline_ends_the_stream,
                    a_deadline_ends_a_call, every_call_after_one_that_was_given_up,
                    a_reader_learns_that_the_instance_was_given_up;
                destination_gaps:
                    a_second_start, a_start_after_a_failed_start, a_stop_without_start,
                    a_stop_that_fails, teardown_twice_and_calls_after_it, a_panic_in_each_call,
                    a_panic_in_write, acks_go_on_behind_a_nack, answers_before_an_error_stand,
                    write_after_a_cancel, a_huge_record,
                    write_and_ack_at_once, ack_after_a_graceful_end, no_write_behind_a_stop,
                    empty_settings_in_lifecycle_calls, a_deadline_ends_the_stream;
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __acceptance_cases {
    ($subject:expr; $($side:ident: $($case:ident),*;)*) => {
        $(mod $side {
            $(
                #[test]
                fn $case() {
                    $crate::acceptance::Case::run($subject, $crate::acceptance::$side::$case);
                }
            )*
        })*
    };
}
