//! How many bytes a record takes, so that a queue can be bounded by them.

use plugin_api::{Data, Error, Record, structured};

use crate::stream::error::StreamError;

/// Largest record, so that it has room behind those that are gathered before it.
const LARGEST: usize = 63 << 20;

/// About as many bytes as a record takes in a batch; an error if it can't be one of a batch.
pub(super) fn length(record: &Record) -> Result<usize, StreamError> {
    let mut counted = Counted(0);
    let parts = [&record.key, &record.payload.before, &record.payload.after];
    for data in parts.into_iter().flatten() {
        match data {
            Data::Raw(bytes) => counted.0 += bytes.len(),
            Data::Structured(map) => structured::encode(map, &mut counted)
                .map_err(|error| StreamError::InvalidRecord(Error::fatal(error)))?,
        }
    }
    let metadata = record.metadata.iter();
    let metadata: usize = metadata
        .map(|(key, value)| key.len() + value.len() + 8)
        .sum();
    let bytes = counted.0 + metadata + record.position.as_bytes().len();
    if bytes > LARGEST {
        return Err(StreamError::TooLarge {
            bytes,
            limit: LARGEST,
        });
    }
    Ok(bytes)
}

/// Counts what is written.
struct Counted(usize);

impl structured::Output for Counted {
    fn extend(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn written(&self) -> usize {
        self.0
    }

    fn patch(&mut self, _: usize, _: &[u8]) {}

    fn truncate(&mut self, at: usize) {
        self.0 = at;
    }
}
