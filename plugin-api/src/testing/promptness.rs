//! Whether reads return in time.

use std::time::Duration;

/// How much longer than it may wait a read may take.
const GRACE: Duration = Duration::from_millis(500);

/// So many late reads in a row are the source's doing. Fewer may be work, or a machine under load.
const MOST: u32 = 3;

/// The late reads of a source, of all its lives.
#[derive(Debug, Default)]
pub(super) struct Promptness {
    late_in_a_row: u32,
}

impl Promptness {
    /// A read was over that was to wait so long at most.
    ///
    /// # Panics
    ///
    /// Where it is one late read too many.
    pub(super) fn note(&mut self, taken: Duration, max_wait: Duration) {
        if taken <= max_wait + GRACE {
            self.late_in_a_row = 0;
            return;
        }
        self.late_in_a_row += 1;
        assert!(
            self.late_in_a_row < MOST,
            "{MOST} reads in a row have each taken more than {GRACE:?} longer than `max_wait`, the last one \
             {taken:?} where it may wait {max_wait:?}: wait by `Context::wait`, or read from a `Feed` \
             where the client has its own way to wait"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(100);
    const LATE: Duration = Duration::from_millis(601);

    #[test]
    fn a_late_read_now_and_then_is_fine() {
        let mut promptness = Promptness::default();
        for taken in [LATE, LATE, WAIT + GRACE, LATE, LATE] {
            promptness.note(taken, WAIT);
        }
    }

    #[test]
    #[should_panic(
        expected = "3 reads in a row have each taken more than 500ms longer than `max_wait`, the last one \
                    601ms where it may wait 100ms"
    )]
    fn three_late_reads_in_a_row_are_the_source_s_doing() {
        let mut promptness = Promptness::default();
        for _ in 0..3 {
            promptness.note(LATE, WAIT);
        }
    }
}
