//! The `generator` source: makes records, as many and as fast as asked.
//!
//! Record number N always has the same content, whatever the batches and wherever a run begins, so
//! two runs can be compared byte by byte. Its position is its number: a run that goes on continues
//! behind the last one, which Conduit's generator doesn't.
#![forbid(unsafe_code)]

mod config;
mod content;
mod fields;
mod mixed;
mod pace;
mod timing;

use std::ops::Range;
use std::time::{Duration, Instant};

use plugin_api::{
    BatchWriter, Context, DecimalCounter, Error, Field, FieldWriter, Position, Progress,
    RecordWriter, Result, Source,
};

pub use config::Config;
use content::Content;
use mixed::Mixed;
use pace::Pace;
use timing::{Burst, Timing};

/// Makes records.
#[derive(Debug)]
pub struct Generator {
    next: u64,
    last: u64,
    makes: Makes,
    timing: Option<Timing>,
}

/// What records are made of: creates of no collection are made in loops of their own.
#[derive(Debug)]
enum Makes {
    Creates(Content),
    Mixed(Mixed),
}

impl Source for Generator {
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        if !config.read_time.is_zero() && config.rate > 0.0 {
            let error = "`rate` is set too, which says the same: leave this one out";
            return Err(Error::invalid_config("readTime", error));
        }
        Mixed::check(config)
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
            makes: Mixed::open(&config)?
                .into_simple()
                .map_or_else(Makes::Mixed, Makes::Creates),
            timing: timing(&config),
        })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        let mut due = batch.room() as u64;
        if let Some(timing) = &mut self.timing
            && self.next <= self.last
        {
            due = due.min(timing.due(context));
        }
        let begin = self.next;
        let end = begin.saturating_add(due).min(self.last.saturating_add(1));
        let range = begin..end;
        self.next = match &self.makes {
            Makes::Creates(Content::Raw(pattern)) => fill(batch, range, |number, record| {
                record.payload(Stamped { number, pattern });
            }),
            Makes::Creates(Content::Structured(fields)) => fill(batch, range, |number, record| {
                record.payload_map(|map| fields.write(number.get(), map));
            }),
            Makes::Creates(Content::File(content)) => fill(batch, range, |_, record| {
                record.payload(&**content);
            }),
            Makes::Mixed(mixed) => mixed.fill(batch, range),
        };
        if let Some(timing) = &mut self.timing {
            timing.made(self.next - begin);
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

fn timing(config: &Config) -> Option<Timing> {
    let rate = match config.read_time {
        Duration::ZERO => config.rate,
        time => 1.0 / time.as_secs_f64(),
    };
    let burst = Burst::new(config.burst.generate_time, config.burst.sleep_time);
    Timing::new(Pace::new(rate), burst, Instant::now())
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
    use plugin_api::{Parameters as _, Settings};

    use super::*;

    fn config(settings: &[(&str, &str)]) -> Config {
        Config::from_settings(&Settings::new(settings.iter().copied())).unwrap()
    }

    #[test]
    fn the_source_keeps_the_contract() {
        plugin_api::testing::source(plugin(), &[]);
        plugin_api::testing::source(plugin(), &[("recordCount", "10")]);
        let mixed = [
            ("operations", "create,update"),
            ("collections.users.format.type", "structured"),
            ("collections.orders.operations", "delete"),
        ];
        plugin_api::testing::source(plugin(), &mixed);
    }

    #[test]
    fn no_time_from_one_record_to_the_next_is_no_delay() {
        let timing = |settings: &[(&str, &str)]| {
            let config = config(settings);
            assert_eq!(Generator::validate(&config), Ok(()), "{settings:?}");
            timing(&config)
        };
        assert!(timing(&[("readTime", "0s")]).is_none());
        assert!(timing(&[("readTime", "0s"), ("rate", "5")]).is_some());
        assert!(timing(&[("readTime", "1s")]).is_some());
        let both = config(&[("readTime", "1s"), ("rate", "5")]);
        let error = Generator::validate(&both).unwrap_err();
        assert_eq!(error.parameters()[0].name, "readTime");
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
