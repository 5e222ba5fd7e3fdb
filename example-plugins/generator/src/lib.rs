//! The `generator` source: makes records, as many and as fast as asked.
//!
//! Record number N always has the same content, whatever the batches and wherever a run begins, so
//! two runs can be compared byte by byte. Its position is its number: a run that goes on continues
//! behind the last one, which Conduit's generator doesn't.
#![forbid(unsafe_code)]

mod fields;
mod pace;

use std::ops::Range;
use std::time::Instant;

use plugin_api::{
    BatchWriter, Context, DecimalCounter, Error, Field, FieldWriter, Parameters, Position,
    Progress, RecordWriter, Result, Source,
};

use fields::Fields;
use pace::Pace;

/// Largest raw payload, in bytes. The pattern is held in memory, and an allocation that fails ends
/// the whole process, so the plugin checks it itself, whatever the host has checked.
const LARGEST: usize = 32 << 20;

/// Settings of the source.
#[derive(Debug, Parameters)]
pub struct Config {
    /// Number of the last record; 0 goes on for ever.
    #[parameter(default = 0)]
    record_count: u64,
    /// Records per second; 0 makes them as fast as they are taken.
    #[parameter(default = 0, greater_than = -1)]
    rate: f64,
    /// Form of the payload: `raw` bytes or `structured` data.
    #[parameter(name = "format.type", default = "raw", inclusion = ["raw", "structured"])]
    format: String,
    /// Bytes of a raw payload, at most 32 MiB.
    #[parameter(name = "format.size", default = 100, less_than = 33_554_433)]
    size: usize,
    /// Fields of structured data with their types, as in `id:int,name:string`; the types are int,
    /// float, string, bool, time and duration.
    #[parameter(
        name = "format.options",
        default = "id:int,name:string,active:bool,at:time"
    )]
    fields: String,
}

/// Makes records.
#[derive(Debug)]
pub struct Generator {
    next: u64,
    last: u64,
    payload: Payload,
    pace: Option<Pace>,
}

/// What a record's payload is made of.
#[derive(Debug)]
enum Payload {
    Raw(Vec<u8>),
    Structured(Fields),
}

impl Source for Generator {
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        Payload::new(config).map(|_| ())
    }

    fn open(config: Config, position: Option<&Position>) -> Result<Self> {
        let done = position
            .map(Position::parse::<u64>)
            .transpose()?
            .unwrap_or(0);
        Ok(Self {
            next: done.saturating_add(1),
            last: if config.record_count == 0 {
                u64::MAX
            } else {
                config.record_count
            },
            payload: Payload::new(&config)?,
            pace: Pace::new(config.rate, Instant::now()),
        })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        let mut due = batch.room() as u64;
        if let Some(pace) = &mut self.pace {
            if pace.due(Instant::now()) == 0 && self.next <= self.last {
                let _why = context.wait(pace.until_next(Instant::now()));
            }
            due = due.min(pace.due(Instant::now()));
        }
        let begin = self.next;
        let end = begin.saturating_add(due).min(self.last.saturating_add(1));
        let range = begin..end;
        self.next = match &self.payload {
            Payload::Raw(pattern) => fill(batch, range, |number, record| {
                record.payload(Stamped { number, pattern });
            }),
            Payload::Structured(fields) => fill(batch, range, |number, record| {
                record.payload_map(|map| fields.write(number.get(), map));
            }),
        };
        if let Some(pace) = &mut self.pace {
            pace.made(self.next - begin);
        }
        Ok(match self.next > self.last {
            true => Progress::End,
            // Of a count there is more, which is only not due yet: idle would be the end of the data
            // for a run that ends with it.
            false if self.next == begin && self.last == u64::MAX => Progress::Idle,
            false => Progress::More,
        })
    }
}

impl Payload {
    fn new(config: &Config) -> Result<Self> {
        if config.format == "structured" {
            let fields = Fields::parse(&config.fields)
                .map_err(|error| Error::invalid_config("format.options", error))?;
            return Ok(Self::Structured(fields));
        }
        if config.size > LARGEST {
            let error = format!("{} bytes are more than {LARGEST}", config.size);
            return Err(Error::invalid_config("format.size", error));
        }
        let pattern = (b' '..=b'~').cycle().take(config.size);
        Ok(Self::Raw(pattern.collect()))
    }
}

/// Makes the records with these numbers, as far as there is room; returns the number behind them.
#[inline]
fn fill(
    batch: &mut BatchWriter,
    numbers: Range<u64>,
    payload: impl Fn(&DecimalCounter, RecordWriter<'_>),
) -> u64 {
    let mut number = DecimalCounter::new(numbers.start);
    while number.get() < numbers.end && batch.has_room() {
        let record = batch.create(&number);
        let key = record.position();
        payload(&number, record.key_shared(key));
        number.add(1);
    }
    number.get()
}

/// The number in sixteen digits, and then the pattern up to its length.
///
/// It is written in two pieces. Putting the digits into the pattern and copying that would load what
/// was just stored in other pieces, which takes longer than all the rest of the record.
struct Stamped<'a> {
    number: &'a DecimalCounter,
    pattern: &'a [u8],
}

impl Field for Stamped<'_> {
    #[inline]
    fn write(&self, out: &mut FieldWriter<'_>) {
        match self.pattern.get(16..) {
            Some(rest) => out.append_both(&self.number.last_sixteen(), rest),
            // The last digits are those that differ.
            None => out.append(&self.number.last_sixteen()[16 - self.pattern.len()..]),
        }
    }
}

plugin_api::export_plugin! { source: Generator }

#[cfg(test)]
mod tests {
    use plugin_api::Settings;

    use super::*;

    fn config(settings: &[(&str, &str)]) -> Config {
        Config::from_settings(&Settings::new(settings.iter().copied())).unwrap()
    }

    #[test]
    fn a_payload_too_large_for_memory_is_refused() {
        let error = Generator::validate(&config(&[("format.size", "1000000000000000")]));
        assert_eq!(error.unwrap_err().parameters()[0].name, "format.size");
        assert_eq!(
            Generator::validate(&config(&[("format.size", "33554432")])),
            Ok(())
        );
    }

    #[test]
    fn the_last_number_of_all_has_none_behind_it() {
        let last = Position::from(u64::MAX.to_string());
        let generator = Generator::open(config(&[("recordCount", "3")]), Some(&last)).unwrap();
        assert!(generator.next > generator.last);
    }
}
