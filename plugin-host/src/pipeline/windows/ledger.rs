//! What a pipeline still owes its source: positions from being read to being handed over.

use std::collections::VecDeque;

use plugin_api::AckMode;

use super::positions::Positions;

/// Most records of an open window (I1), unanswered ones included.
const WINDOW_RECORDS: u64 = 65_536;
/// Most bytes of positions of an open window (I1).
const WINDOW_BYTES: usize = 1 << 20;

/// Positions on their way from being read to being committed.
///
/// `unanswered` holds those of records that a destination has not confirmed yet, `confirmed` the
/// open window. Together they are bounded by [`WINDOW_RECORDS`] and [`WINDOW_BYTES`].
#[derive(Debug)]
pub(crate) struct Ledger {
    mode: AckMode,
    /// What was added together lies together.
    unanswered: VecDeque<Waiting>,
    unanswered_records: u64,
    unanswered_bytes: usize,
    confirmed: Positions,
    /// Memory of records that were confirmed.
    spare: Vec<Positions>,
}

/// Records that were added together and are not all confirmed.
#[derive(Debug)]
struct Waiting {
    positions: Positions,
    /// How many of them are confirmed.
    done: usize,
}

/// Most allocations that are kept to be used again.
const SPARE: usize = 8;

impl Ledger {
    pub(crate) fn new(mode: AckMode) -> Self {
        Self {
            mode,
            unanswered: VecDeque::new(),
            unanswered_records: 0,
            unanswered_bytes: 0,
            confirmed: Positions::default(),
            spare: Vec::new(),
        }
    }

    /// Records of which `confirmed_to` is the end of those that every destination has confirmed.
    pub(crate) fn add<'a>(
        &mut self,
        first: u64,
        count: u64,
        confirmed_to: u64,
        position: impl Fn(usize) -> &'a [u8],
    ) {
        self.confirm(confirmed_to);
        let done = if self.unanswered.is_empty() {
            confirmed_to.saturating_sub(first).min(count)
        } else {
            0
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a batch's length is a usize"
        )]
        let (done_index, count_index) = (done as usize, count as usize);
        if done > 0 {
            match self.mode {
                AckMode::Last => self
                    .confirmed
                    .replace(first, done, position(done_index - 1)),
                AckMode::Each => {
                    for i in 0..done_index {
                        self.confirmed.push(first + i as u64, position(i));
                    }
                }
            }
        }
        if done < count {
            let mut positions = self.spare.pop().unwrap_or_default();
            for i in done_index..count_index {
                positions.push(first + i as u64, position(i));
            }
            self.unanswered_records += positions.count();
            self.unanswered_bytes += positions.bytes();
            self.unanswered.push_back(Waiting { positions, done: 0 });
        }
    }

    /// Moves the records below this sequence into the open window.
    pub(crate) fn confirm(&mut self, to: u64) {
        while let Some(waiting) = self.unanswered.front_mut() {
            let Waiting { positions, done } = waiting;
            let first = positions.first();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a batch's length is a usize"
            )]
            let end = to.saturating_sub(first).min(positions.count()) as usize;
            if end <= *done {
                return;
            }
            match self.mode {
                AckMode::Last => {
                    let count = (end - *done) as u64;
                    let sequence = first + *done as u64;
                    self.confirmed
                        .replace(sequence, count, positions.get(end - 1));
                }
                AckMode::Each => {
                    for i in *done..end {
                        self.confirmed.push(first + i as u64, positions.get(i));
                    }
                }
            }
            self.unanswered_records -= (end - *done) as u64;
            *done = end;
            if (end as u64) < positions.count() {
                return;
            }
            self.unanswered_bytes -= positions.bytes();
            if let Some(Waiting { mut positions, .. }) = self.unanswered.pop_front()
                && self.spare.len() < SPARE
            {
                positions.clear();
                self.spare.push(positions);
            }
        }
    }

    /// Records that the open window still takes.
    pub(crate) fn room(&self) -> usize {
        if self.confirmed.bytes() + self.unanswered_bytes >= WINDOW_BYTES {
            return 0;
        }
        let taken = self.confirmed.count() + self.unanswered_records;
        usize::try_from(WINDOW_RECORDS.saturating_sub(taken)).unwrap_or(usize::MAX)
    }

    /// Position of a record that a destination has not confirmed.
    pub(crate) fn unanswered(&self, sequence: u64) -> Option<&[u8]> {
        let mut waiting = self.unanswered.iter();
        waiting.find_map(|Waiting { positions, done }| {
            let place = sequence.checked_sub(positions.first())?;
            let place = usize::try_from(place).ok()?;
            let is_here = (place as u64) < positions.count() && place >= *done;
            is_here.then(|| positions.get(place))
        })
    }

    /// Position of the newest record in here.
    pub(crate) fn last(&self) -> Option<&[u8]> {
        let unanswered = self.unanswered.back();
        let unanswered = unanswered.and_then(|waiting| waiting.positions.last());
        unanswered.or(self.confirmed.last())
    }

    /// The open window.
    pub(crate) fn confirmed(&self) -> &Positions {
        &self.confirmed
    }

    /// Closes the open window: returns it, and goes on with an empty one in the memory of `spare`.
    pub(crate) fn close(&mut self, mut spare: Positions) -> Positions {
        spare.clear();
        std::mem::replace(&mut self.confirmed, spare)
    }
}

#[cfg(test)]
mod tests {
    use plugin_api::ffi::AckBatch;

    use super::*;

    const TEXTS: [&[u8]; 6] = [b"p0", b"p1", b"p2", b"p3", b"p4", b"p5"];

    fn at(first: usize) -> impl Fn(usize) -> &'static [u8] {
        move |i| TEXTS[first + i]
    }

    fn positions(acks: &AckBatch<'_>) -> Vec<Vec<u8>> {
        let arena = acks.arena.as_slice();
        acks.positions
            .iter()
            .map(|span| arena[span.offset as usize..][..span.length as usize].to_vec())
            .collect()
    }

    #[test]
    fn last_keeps_the_newest_and_counts_all() {
        let mut ledger = Ledger::new(AckMode::Last);
        ledger.add(0, 2, 2, at(0));
        ledger.add(2, 2, 4, at(2));
        let acks = ledger.confirmed().as_acks();
        assert_eq!((acks.first_sequence, acks.count), (0, 4));
        assert_eq!(positions(&acks), [b"p3"]);
    }

    #[test]
    fn each_keeps_every_one() {
        let mut ledger = Ledger::new(AckMode::Each);
        ledger.add(0, 2, 2, at(0));
        ledger.add(2, 1, 3, at(2));
        assert_eq!(
            positions(&ledger.confirmed().as_acks()),
            [b"p0", b"p1", b"p2"]
        );
    }

    #[test]
    fn what_is_unanswered_waits_in_order() {
        for mode in [AckMode::Last, AckMode::Each] {
            let mut ledger = Ledger::new(mode);
            ledger.add(0, 3, 1, at(0));
            assert_eq!(ledger.confirmed().last(), Some(b"p0".as_slice()));
            ledger.add(3, 3, 1, at(3));
            assert_eq!(ledger.confirmed().count(), 1);
            ledger.confirm(5);
            assert_eq!(ledger.confirmed().last(), Some(b"p4".as_slice()));
            assert_eq!(ledger.confirmed().count(), 5);
            let closed = ledger.close(Positions::default());
            assert_eq!(closed.count(), 5);
            ledger.confirm(6);
            let acks = ledger.confirmed().as_acks();
            assert_eq!((acks.first_sequence, acks.count), (5, 1));
        }
    }

    #[test]
    fn a_window_takes_so_many_records() {
        let mut ledger = Ledger::new(AckMode::Last);
        ledger.add(0, WINDOW_RECORDS - 6, WINDOW_RECORDS - 6, |_| b"p");
        assert_eq!(ledger.room(), 6);
        ledger.close(Positions::default());
        assert_eq!(ledger.room() as u64, WINDOW_RECORDS);
    }

    #[test]
    fn unanswered_records_count_too() {
        let mut ledger = Ledger::new(AckMode::Last);
        ledger.add(0, WINDOW_RECORDS, 0, |_| b"p");
        assert_eq!(ledger.room(), 0);
        assert!(ledger.confirmed().is_empty());
    }

    #[test]
    fn an_unanswered_record_is_found_by_its_sequence() {
        let mut ledger = Ledger::new(AckMode::Last);
        ledger.add(10, 3, 11, at(0));
        assert_eq!(ledger.unanswered(10), None);
        assert_eq!(ledger.unanswered(12), Some(b"p2".as_slice()));
        assert_eq!(ledger.unanswered(13), None);
    }

    #[test]
    fn the_bytes_of_positions_are_bounded() {
        let long = vec![0; WINDOW_BYTES / 2];
        let mut ledger = Ledger::new(AckMode::Each);
        ledger.add(0, 1, 1, |_| &long);
        assert_ne!(ledger.room(), 0);
        ledger.add(1, 1, 2, |_| &long);
        assert_eq!(ledger.room(), 0);
    }
}
