//! The `log` destination: one line of the host's log a record.
//!
//! The record is the field `record` of the line, in the form that `sdk.record.format` names: JSON if
//! nothing else is asked for.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use log::Level;
use plugin_api::{Acks, Batch, Context, Destination, Parameters, Result};

/// Longest text of a record, in bytes. A host cuts what a loaded plugin logs at this length; cut here,
/// it looks the same however the plugin is linked, and can be seen to be cut.
const LONGEST: usize = 64 * 1024;

/// What stands at the end of a record that was cut.
const CUT: &str = "…";

/// Settings of the destination.
#[derive(Debug, Parameters)]
pub struct Config {
    /// Level of the lines. Lines below the level of the program's log aren't written; `forebay run`
    /// writes those of info and above unless it is told otherwise.
    #[parameter(default = "info", inclusion = ["trace", "debug", "info", "warn", "error"])]
    level: String,
    /// Text of the lines.
    #[parameter(default = "")]
    message: String,
}

/// Logs records.
#[derive(Debug)]
pub struct Log {
    level: Level,
    message: String,
    text: Vec<u8>,
}

impl Destination for Log {
    type Config = Config;

    fn open(config: Config) -> Result<Self> {
        Ok(Self {
            level: config.level.parse()?,
            message: config.message,
            text: Vec::new(),
        })
    }

    fn write(&mut self, batch: &Batch, acks: &mut Acks, _: &Context) -> Result<()> {
        if !log::log_enabled!(self.level) {
            return Ok(());
        }
        for record in batch {
            self.text.clear();
            match record.write_formatted(&mut self.text) {
                Ok(()) => {
                    let text = shortened(&self.text);
                    log::log!(self.level, record = *text; "{}", self.message);
                }
                // The others can still be logged.
                Err(error) => acks.nack(&record, error),
            }
        }
        Ok(())
    }
}

/// The record as text, cut where it is too long.
fn shortened(record: &[u8]) -> Cow<'_, str> {
    let mut text = String::from_utf8_lossy(record);
    if text.len() > LONGEST {
        let end = text.floor_char_boundary(LONGEST - CUT.len());
        text = format!("{}{CUT}", &text[..end]).into();
    }
    text
}

plugin_api::export_plugin! { destination: Log }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_cut_between_characters() {
        let longest = "a".repeat(LONGEST);
        assert_eq!(shortened(longest.as_bytes()), longest);
        let longer = "aä".repeat(LONGEST / 2);
        let cut = shortened(longer.as_bytes());
        assert!((LONGEST - 3..=LONGEST).contains(&cut.len()));
        assert!(longer.starts_with(cut.strip_suffix(CUT).unwrap()));
        // What is no text grows when it is made one.
        assert!(shortened(&vec![0xff; LONGEST]).len() <= LONGEST);
    }

    #[test]
    fn the_destination_keeps_the_contract() {
        log::set_max_level(log::LevelFilter::Trace);
        plugin_api::testing::destination(plugin(), &[("level", "debug")]);
    }

    #[test]
    fn every_level_is_one_of_the_log() {
        for word in ["trace", "debug", "info", "warn", "error"] {
            assert_eq!(word.parse::<Level>().unwrap().as_str().to_lowercase(), word);
        }
    }
}
