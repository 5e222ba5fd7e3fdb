//! The destination: one line a record, in one file or in several that follow each other.
//!
//! Owns what an answer means: when records count as written. Which file they go to is the output's
//! affair, how they are compressed that of `gzip`.

mod gzip;
mod names;
mod opening;
mod output;
#[cfg(test)]
mod tests;
mod unanswered;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use plugin_api::{
    Acks, Batch, Context, Destination, InvalidValue, ParameterType, ParameterValue, Parameters,
    Result,
};

use gzip::Members;
use output::Output;
use unanswered::Unanswered;

/// Longest time that a record waits for others, so that they are compressed or synced together.
const HOLD: Duration = Duration::from_millis(250);
/// Most text of a gzip member: more in one hardly makes files smaller.
const MEMBER: u64 = 256 << 10;
/// So many records wait for no others: a source that isn't read until they have answers would wait too.
const ENOUGH: u64 = 1024;

/// Settings of the destination.
#[derive(Debug, Parameters)]
pub struct AppendConfig {
    /// File that records are appended to, one line each; it is made if it isn't there.
    path: PathBuf,
    /// When a record counts as written. `none`: once the system has it, so it survives whatever happens to
    /// this process, but a power cut may take the last ones. `data`: once it is on the disk. Up to 65,536
    /// records are synced together, and the source waits meanwhile: on a fast disk that halves the rate.
    #[parameter(default = "none", inclusion = ["none", "data"])]
    sync: Sync,
    /// Most bytes of a file; 0 is no limit. Before a record would make it longer the file is renamed to
    /// PATH.1, the next one to PATH.2 and so on, so the oldest is PATH.1, and a new one is begun. No record
    /// is split, and no file is overwritten or removed. A single record that is longer has a file for
    /// itself.
    #[parameter(default = 0)]
    max_bytes: u64,
    /// `gzip` compresses the file. What counts as written can be decompressed while the file grows, and a
    /// later run appends to it. Records are gathered for up to 250 ms before they are compressed, which
    /// takes about ten times as long as to write them.
    #[parameter(default = "none", inclusion = ["none", "gzip"])]
    compression: Compression,
    /// Whether the file is called PATH.part until its run is over, so that whoever finds PATH finds a
    /// file that is whole. A run that was killed, or whose file couldn't be written, leaves PATH.part, and
    /// the next run goes on with it. It also goes on with PATH where that is still there.
    #[parameter(default = false)]
    atomic: bool,
}

/// When a record counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sync {
    /// Once the system has it.
    None,
    /// Once its data is on the disk.
    Data,
}

impl ParameterValue for Sync {
    const KIND: ParameterType = ParameterType::String;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "none" => Ok(Self::None),
            "data" => Ok(Self::Data),
            _ => Err(InvalidValue::expected("`none` or `data`")),
        }
    }
}

/// How the file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
}

impl ParameterValue for Compression {
    const KIND: ParameterType = ParameterType::String;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "none" => Ok(Self::None),
            "gzip" => Ok(Self::Gzip),
            _ => Err(InvalidValue::expected("`none` or `gzip`")),
        }
    }
}

/// Appends records to a file.
///
/// A record is acknowledged when the system has it, so it survives the end of the process, however that
/// comes; with `sync: data` when it is on the disk, so it also survives the end of the system. Without,
/// records that were acknowledged may be missing at the end of the file after a power cut, or the last
/// ones may be damaged, and they aren't read again: their positions are stored durably.
///
/// A write that fails, as where the disk is full, leaves whole records only. Nothing is assumed of
/// others that append to the same file, but that they write whole lines; with `maxBytes`, gzip and
/// `atomic` a file belongs to one destination.
#[derive(Debug)]
pub struct Append {
    output: Output,
    sync: Sync,
    /// With gzip.
    members: Option<Members>,
    max_bytes: u64,
    /// Lines that are gathered; with gzip for longer than a batch.
    text: Vec<u8>,
    unanswered: Unanswered,
    /// Sequence behind the last record that the output has.
    written: u64,
    /// Memory that is used again.
    refused: Vec<u64>,
    is_stopped: bool,
}

impl Destination for Append {
    type Config = AppendConfig;

    fn open(config: AppendConfig) -> Result<Self> {
        Ok(Self {
            output: Output::open(&config)?,
            sync: config.sync,
            members: (config.compression == Compression::Gzip).then(Members::new),
            max_bytes: config.max_bytes,
            text: Vec::new(),
            unanswered: Unanswered::default(),
            written: 0,
            refused: Vec::new(),
            is_stopped: false,
        })
    }

    fn write(&mut self, batch: &Batch, acks: &mut Acks, _: &Context) -> Result<()> {
        let written = self.write_batch(batch, acks);
        self.or_keep_what_is_written(written, acks)
    }

    fn flush(&mut self, acks: &mut Acks, _: &Context) -> Result<()> {
        // A member of one record may be longer than the record: it waits for others, for a while.
        let waits = self.members.is_some()
            && !self.is_stopped
            && self.unanswered.len() < ENOUGH
            && self.unanswered.age() < HOLD;
        if waits || self.unanswered.is_empty() {
            return Ok(());
        }
        let settled = self.settle(acks);
        self.or_keep_what_is_written(settled, acks)
    }

    fn stop(&mut self) -> Result<()> {
        self.is_stopped = true;
        Ok(())
    }

    fn close(self) -> Result<()> {
        // After a failure of its own, or a forced stop, the file is for the next run to finish.
        match self.is_stopped && self.unanswered.is_empty() {
            true => self.output.finish(),
            false => Ok(()),
        }
    }
}

impl Append {
    fn answers_later(&self) -> bool {
        self.sync == Sync::Data || self.members.is_some()
    }

    fn write_batch(&mut self, batch: &Batch, acks: &mut Acks) -> Result<()> {
        if self.members.is_some() || self.max_bytes > 0 {
            self.gather(batch, acks)?;
        } else {
            self.write_through(batch, acks)?;
        }
        if self.answers_later() {
            acks.defer();
            if self.unanswered.age() >= HOLD {
                self.settle(acks)?;
            }
        }
        Ok(())
    }

    /// Writes the records from where they lie in the batch.
    fn write_through(&mut self, batch: &Batch, acks: &mut Acks) -> Result<()> {
        let Self { text, refused, .. } = self;
        refused.clear();
        let written = self.output.write(|file| {
            batch.write_lines_or(file, text, |record, error| {
                refused.push(record.sequence());
                acks.nack(record, error);
            })
        });
        // Here it was memory for lines on their way; what stays in it would be written once more.
        self.text.clear();
        written?;
        self.written = batch.sequences().end;
        if self.answers_later() {
            self.unanswered
                .push_all_but(batch.sequences(), &self.refused);
        }
        Ok(())
    }

    /// Gathers the records as long as they may go to the file together.
    fn gather(&mut self, batch: &Batch, acks: &mut Acks) -> Result<()> {
        for record in batch {
            let before = self.text.len();
            if let Err(error) = record.write_formatted(&mut self.text) {
                acks.nack(&record, error);
                continue;
            }
            self.text.push(b'\n');
            if before > 0 && self.text.len() as u64 > self.most_text() {
                self.put(before, record.sequence())?;
            }
            let sequence = record.sequence();
            self.unanswered.push(sequence..sequence + 1);
        }
        if self.members.is_none() {
            self.put(self.text.len(), batch.sequences().end)?;
        }
        if self.sync == Sync::None {
            self.unanswered.acknowledge_below(self.written, acks);
        }
        Ok(())
    }

    /// Longest text that goes to the file together, but for that of a single record.
    fn most_text(&self) -> u64 {
        match (&self.members, self.max_bytes) {
            (None, _) => self.output.room(),
            (Some(_), 0) => MEMBER,
            (Some(_), file) => MEMBER.min(gzip::text_that_fits(file)),
        }
    }

    /// Writes so many bytes of what is gathered: the records up to, and without, the one with sequence
    /// `end`.
    fn put(&mut self, length: usize, end: u64) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        let text = &self.text[..length];
        match &mut self.members {
            None => {
                self.output.make_room(length as u64)?;
                self.output.write(|file| file.write_all(text))?;
            }
            Some(members) => {
                let member = members.make(text)?;
                self.output.make_room(member.len())?;
                let member = member.at(self.output.length());
                self.output.write(|file| file.write_all(member))?;
            }
        }
        self.text.drain(..length);
        self.written = end;
        Ok(())
    }

    /// Writes and syncs what has no answer yet, and acknowledges it.
    fn settle(&mut self, acks: &mut Acks) -> Result<()> {
        self.put(self.text.len(), self.unanswered.end())?;
        self.acknowledge_written(acks)
    }

    fn acknowledge_written(&mut self, acks: &mut Acks) -> Result<()> {
        self.output.sync()?;
        self.unanswered.acknowledge_below(self.written, acks);
        Ok(())
    }

    /// Where something has failed, what was written before it is still acknowledged: else every try on
    /// a full disk would write it once more.
    fn or_keep_what_is_written(&mut self, done: Result<()>, acks: &mut Acks) -> Result<()> {
        done.inspect_err(|_| {
            // Its own failure is told as the first one, or tells nothing new.
            self.acknowledge_written(acks).ok();
        })
    }
}
