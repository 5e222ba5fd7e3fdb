//! A source's position in the store and its byte form.
//!
//! Form 1, integers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | number of the form: 1 |
//! | 8 | length of the plugin's full name |
//! | … | that name, UTF-8 |
//! | 8 | length of the hash, 0 where there is none |
//! | … | the hash, UTF-8 |
//! | to the end | the position |
//!
//! A form is never changed, only followed by another number.

use super::form::{self, FormError, put_text, take_form, take_text};

/// What is kept for one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The newest position that is done with, as the source made it.
    pub position: Vec<u8>,
    /// Full name of the plugin that made it, explicit, such as `standalone:file@v0.1.0`.
    pub plugin: String,
    /// Hash of the plugin's file; `None` for a builtin. An empty one reads back as `None`.
    pub hash: Option<String>,
}

/// Newest form that is read, and the one that is written.
const FORM: u8 = 1;

impl Stored {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let hash = self.hash.as_deref().unwrap_or_default();
        let mut bytes =
            Vec::with_capacity(1 + 8 + self.plugin.len() + 8 + hash.len() + self.position.len());
        bytes.push(FORM);
        put_text(&mut bytes, &self.plugin);
        put_text(&mut bytes, hash);
        bytes.extend_from_slice(&self.position);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, FormError> {
        let rest = take_form(bytes, FORM)?;
        let (plugin, rest) = take_text(rest)?;
        let (hash, position) = take_text(rest)?;
        Ok(Self {
            position: position.to_vec(),
            plugin: plugin.to_owned(),
            hash: form::hash(hash),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Stored {
        Stored {
            position: vec![0, 255, 7],
            plugin: "standalone:file@v0.1.0".into(),
            hash: Some("abc".into()),
        }
    }

    #[test]
    fn the_byte_form_is_the_documented_one() {
        let mut expected = vec![1, 22, 0, 0, 0, 0, 0, 0, 0];
        expected.extend_from_slice(b"standalone:file@v0.1.0");
        expected.extend_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend_from_slice(b"abc");
        expected.extend_from_slice(&[0, 255, 7]);
        assert_eq!(entry().to_bytes(), expected);
        assert_eq!(Stored::from_bytes(&expected), Ok(entry()));
    }

    #[test]
    fn empty_parts_read_back() {
        let bare = Stored {
            position: Vec::new(),
            plugin: String::new(),
            hash: None,
        };
        assert_eq!(Stored::from_bytes(&bare.to_bytes()), Ok(bare));
    }

    #[test]
    fn every_cut_before_the_position_is_malformed() {
        let bytes = entry().to_bytes();
        for length in 0..bytes.len() - 3 {
            assert!(
                matches!(
                    Stored::from_bytes(&bytes[..length]),
                    Err(FormError::Malformed(_))
                ),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn lying_lengths_and_foreign_text_are_malformed() {
        let mut bytes = entry().to_bytes();
        bytes[1..9].copy_from_slice(&u64::MAX.to_le_bytes());
        let cut = Err(FormError::Malformed("an entry that is cut off"));
        assert_eq!(Stored::from_bytes(&bytes), cut);

        let mut bytes = entry().to_bytes();
        bytes[9] = 0xff;
        let text = Err(FormError::Malformed("an entry whose text isn't UTF-8"));
        assert_eq!(Stored::from_bytes(&bytes), text);
    }

    #[test]
    fn another_form_is_told_from_damage() {
        let mut bytes = entry().to_bytes();
        bytes[0] = 2;
        assert_eq!(
            Stored::from_bytes(&bytes),
            Err(FormError::Newer { found: 2, known: 1 })
        );
        bytes[0] = 0;
        let none = Err(FormError::Malformed("an entry without a form number"));
        assert_eq!(Stored::from_bytes(&bytes), none);
    }
}
