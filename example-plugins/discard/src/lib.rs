//! The `discard` destination: takes records and drops them.
//!
//! It shows what everything but the destination costs. With `checksum` it reads every byte, as a
//! destination that writes would.
#![forbid(unsafe_code)]

use plugin_api::{Acks, Batch, Context, Destination, Parameters, RecordView, Result};

/// Settings of the destination.
#[derive(Debug, Parameters)]
pub struct Config {
    /// Whether to read every byte of every record, and log a checksum at the end.
    #[parameter(default = false)]
    checksum: bool,
}

/// Counts records and drops them.
#[derive(Debug)]
pub struct Discard {
    records: u64,
    checksum: Option<u64>,
}

impl Destination for Discard {
    type Config = Config;

    fn open(config: Config) -> Result<Self> {
        Ok(Self {
            records: 0,
            checksum: config.checksum.then_some(0),
        })
    }

    fn write(&mut self, batch: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
        self.records += batch.len() as u64;
        if let Some(checksum) = &mut self.checksum {
            for record in batch {
                *checksum = checksum
                    .wrapping_mul(3)
                    .wrapping_add(sum_of_record(&record));
            }
        }
        Ok(())
    }

    fn close(self) -> Result<()> {
        match self.checksum {
            None => log::info!("discarded {} records", self.records),
            Some(sum) => log::info!("discarded {} records, checksum {sum:016x}", self.records),
        }
        Ok(())
    }
}

fn sum_of_record(record: &RecordView<'_>) -> u64 {
    let fields = [
        record.position(),
        record.key(),
        record.before(),
        record.after(),
    ];
    let metadata = record
        .metadata()
        .entries()
        .map(|(key, value)| sum(key) ^ sum(value));
    fields
        .into_iter()
        .map(sum)
        .chain(metadata)
        .fold(0, u64::wrapping_add)
}

/// Adds up the words of some bytes. It isn't meant to resist anybody, only to read everything.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words
        .iter()
        .map(|word| u64::from_le_bytes(*word))
        .fold(0, u64::wrapping_add);
    rest.iter().fold(words ^ bytes.len() as u64, |sum, byte| {
        sum.rotate_left(8) ^ u64::from(*byte)
    })
}

plugin_api::export_plugin! { destination: Discard }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_destination_keeps_the_contract() {
        plugin_api::testing::destination(plugin(), &[("checksum", "true")]);
    }

    #[test]
    fn every_byte_counts() {
        let bytes: Vec<u8> = (0..100).collect();
        let whole = sum(&bytes);
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 1;
            assert_ne!(sum(&changed), whole, "byte {i}");
        }
        assert_ne!(sum(b""), sum(b"\0"));
    }
}
