//! The form of metadata in a batch: entries one behind the other, found by a linear scan.

use std::str;

use crate::error::{Error, ErrorKind, Result};

/// Bytes in front of an entry: the lengths of its key and value.
const HEADER: usize = 8;

/// Appends one entry in its encoded form; `false` where a text is longer than 4 GiB.
pub(crate) fn encode(key: &str, value: &str, mut append: impl FnMut(&[u8])) -> bool {
    let (Ok(key_length), Ok(value_length)) = (u32::try_from(key.len()), u32::try_from(value.len()))
    else {
        return false;
    };
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&key_length.to_le_bytes());
    header[4..].copy_from_slice(&value_length.to_le_bytes());
    append(&header);
    append(key.as_bytes());
    append(value.as_bytes());
    true
}

/// The metadata of a record in a batch: texts by name, which nobody has checked yet. Names that connectors
/// agree on are constants in [`record::metadata`](crate::record::metadata).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataView<'a> {
    bytes: &'a [u8],
}

impl<'a> MetadataView<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Finds the value of a key; `None` also where the value is not UTF-8.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let (_, value) = self.entries().find(|(name, _)| *name == key.as_bytes())?;
        str::from_utf8(value).ok()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The entries as bytes, in order. A block that is cut off ends them.
    pub fn entries(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (key, value, behind) = split_entry(rest)?;
            rest = behind;
            Some((key, value))
        })
    }

    /// The entries as text, in order. What is not UTF-8 is left out.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.entries().filter_map(|(key, value)| {
            Some((str::from_utf8(key).ok()?, str::from_utf8(value).ok()?))
        })
    }

    /// The entries as text, in order; an error in the place of one that is cut off or not UTF-8.
    pub(super) fn checked(&self) -> impl Iterator<Item = Result<(&'a str, &'a str)>> + use<'a> {
        let invalid = |what: &str| {
            Error::new(ErrorKind::Fatal, format!("metadata {what}")).with_code("metadata.invalid")
        };
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let Some((key, value, behind)) = split_entry(rest) else {
                rest = &[];
                return Some(Err(invalid("is cut off")));
            };
            rest = behind;
            Some(match (str::from_utf8(key), str::from_utf8(value)) {
                (Ok(key), Ok(value)) => Ok((key, value)),
                _ => Err(invalid("is no UTF-8")),
            })
        })
    }
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key_length, rest) = bytes.split_first_chunk::<4>()?;
    let (value_length, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_length) as usize)?;
    Some((key, value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_read_is_an_error_in_its_place() {
        let mut bytes = Vec::new();
        encode("a", "1", |piece| bytes.extend_from_slice(piece));
        let good = bytes.clone();
        bytes.extend_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0, 0xFF, b'x']);
        bytes.extend_from_slice(&good[..5]);
        let entries: Vec<_> = MetadataView::new(&bytes).checked().collect();
        assert_eq!(entries[0], Ok(("a", "1")));
        let texts: Vec<_> = entries[1..]
            .iter()
            .map(|it| it.clone().unwrap_err().to_string())
            .collect();
        assert_eq!(texts, ["metadata is no UTF-8", "metadata is cut off"]);
    }
}
