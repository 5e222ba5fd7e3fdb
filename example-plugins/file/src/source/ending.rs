//! What the source does where the file ends, or isn't there: waits, ends, or goes on elsewhere.

use std::time::{Duration, SystemTime};

use plugin_api::{BatchWriter, Context, Progress, Result};

use super::Lines;
use super::input::{Fate, Input};
use super::position::Place;

/// Time between two looks at a file that has nothing new.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Lines {
    /// The file has no further bytes at present.
    pub(super) fn at_end(
        &mut self,
        batch: &mut BatchWriter,
        context: &Context,
    ) -> Result<Progress> {
        if !batch.is_empty() {
            return Ok(Progress::More);
        }
        let (Some(input), Some(at)) = (&mut self.input, &self.at) else {
            return Ok(Progress::Idle);
        };
        // The start of a line that waits for its newline was read, too.
        let read = at.offset() + self.unread.bytes().len() as u64;
        let asked = input
            .fate(&self.config.path, read)
            .and_then(|fate| Ok((fate, input.is_settled(SystemTime::now())?)));
        let (fate, settled) = asked.map_err(|error| self.error("can't be read", &error))?;
        match fate {
            Fate::Truncated(length) => {
                log::warn!(
                    "`{}` was truncated: it has {length} bytes, fewer than the {read} that were \
                     read; reading it from its beginning",
                    self.path
                );
                self.hand_out_unfinished(batch);
                self.start_over()?;
                Ok(Progress::More)
            }
            Fate::Same | Fate::Rotated if !self.config.follow => {
                self.hand_out_unfinished(batch);
                Ok(Progress::End)
            }
            Fate::Rotated if settled => {
                self.rotate(batch)?;
                Ok(Progress::More)
            }
            Fate::Same if context.until_end() && (settled || self.unread.bytes().is_empty()) => {
                self.hand_out_unfinished(batch);
                Ok(Progress::End)
            }
            Fate::Same | Fate::Rotated => {
                let _why = context.wait(LOOK_AGAIN);
                // Idle would be the end of the data for a run that ends with it.
                Ok(if context.until_end() {
                    Progress::More
                } else {
                    Progress::Idle
                })
            }
        }
    }

    /// Goes on with the file that has the path now, unless the old one has got longer after all.
    fn rotate(&mut self, batch: &mut BatchWriter) -> Result<()> {
        if self.read_block(batch)? > 0 {
            return Ok(());
        }
        let next = Input::open(&self.config.path);
        let Some(next) = next.map_err(|error| self.error("can't be opened", &error))? else {
            return Ok(());
        };
        log::info!(
            "`{}` is another file now ({}); the one before was read to its end",
            self.path,
            next.identity
        );
        self.hand_out_unfinished(batch);
        self.at = Some(Place::start_of(next.identity));
        self.input = Some(next);
        Ok(())
    }

    /// Goes to the beginning of the file.
    pub(super) fn start_over(&mut self) -> Result<()> {
        let Some(input) = &mut self.input else {
            return Ok(());
        };
        self.at = Some(Place::start_of(input.identity));
        let rewound = input.rewind();
        rewound.map_err(|error| self.error("can't be read", &error))
    }

    /// The file isn't there: waits for it, unless this is the end of the data.
    pub(super) fn await_file(&mut self, context: &Context) -> Result<Progress> {
        if context.until_end() {
            return Err(self.not_there());
        }
        if !self.said_waiting {
            self.said_waiting = true;
            log::warn!("`{}` isn't there, waiting for it", self.path);
        }
        let _why = context.wait(LOOK_AGAIN);
        Ok(Progress::Idle)
    }
}
