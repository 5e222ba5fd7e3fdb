//! The last active settings of a connector and their byte form.
//!
//! Form 1, integers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | number of the form: 1 |
//! | 1 | 0 for a source, 1 for a destination |
//! | 8 | length of the plugin's full name |
//! | … | that name, UTF-8 |
//! | 8 | length of the hash, 0 where there is none |
//! | … | the hash, UTF-8 |
//! | 8 | number of settings |
//! | … | each setting, in the order of the names: name and value, as 8 bytes of length and UTF-8 |
//!
//! A form is never changed, only followed by another number.

use std::collections::BTreeMap;
use std::fmt;

use super::form::{self, FormError, put_number, put_text, take_form, take_number, take_text};
use crate::parameters::Side;

/// The last active settings of a connector: those with which its plugin last accepted a lifecycle
/// call, or was last opened where there was none to make.
///
/// Whether a connector is new, changed or as before is told by comparing with them, and when it is
/// deleted its plugin is handed them. So they are whole, with the values of secret settings; its
/// `Debug` shows names only.
#[derive(Clone, PartialEq, Eq)]
pub struct Active {
    /// Which end of the pipeline the connector is.
    pub side: Side,
    /// Full name of its plugin, explicit, such as `standalone:file@v0.1.0`.
    pub plugin: String,
    /// Hash of the plugin's file; `None` for a builtin. An empty one reads back as `None`.
    pub hash: Option<String>,
    /// Names and values, as the plugin was given them.
    pub settings: BTreeMap<String, String>,
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.settings.keys().collect();
        f.debug_struct("Active")
            .field("side", &self.side)
            .field("plugin", &self.plugin)
            .field("hash", &self.hash)
            .field("settings", &names)
            .finish()
    }
}

/// Newest form that is read, and the one that is written.
const FORM: u8 = 1;

impl Active {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let side = match self.side {
            Side::Source => 0,
            Side::Destination => 1,
        };
        let mut bytes = vec![FORM, side];
        put_text(&mut bytes, &self.plugin);
        put_text(&mut bytes, self.hash.as_deref().unwrap_or_default());
        put_number(&mut bytes, self.settings.len());
        for (name, value) in &self.settings {
            put_text(&mut bytes, name);
            put_text(&mut bytes, value);
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, FormError> {
        let (side, rest) = match take_form(bytes, FORM)? {
            [0, rest @ ..] => (Side::Source, rest),
            [1, rest @ ..] => (Side::Destination, rest),
            _ => return Err(FormError::Malformed("an entry of no side")),
        };
        let (plugin, rest) = take_text(rest)?;
        let (hash, rest) = take_text(rest)?;
        let (count, mut rest) = take_number(rest)?;
        let mut settings = BTreeMap::new();
        for _ in 0..count {
            let (name, value);
            (name, rest) = take_text(rest)?;
            (value, rest) = take_text(rest)?;
            settings.insert(name.to_owned(), value.to_owned());
        }
        if !rest.is_empty() || settings.len() != count {
            return Err(FormError::Malformed("an entry with more than its settings"));
        }
        Ok(Self {
            side,
            plugin: plugin.to_owned(),
            hash: form::hash(hash),
            settings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active() -> Active {
        Active {
            side: Side::Destination,
            plugin: "builtin:db@v1".into(),
            hash: Some("ab".into()),
            settings: [("password", "hunter22"), ("url", "")]
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
        }
    }

    #[test]
    fn the_byte_form_is_the_documented_one() {
        let mut expected = vec![1, 1];
        for part in ["builtin:db@v1", "ab"] {
            expected.extend_from_slice(&(part.len() as u64).to_le_bytes());
            expected.extend_from_slice(part.as_bytes());
        }
        expected.extend_from_slice(&2_u64.to_le_bytes());
        for part in ["password", "hunter22", "url", ""] {
            expected.extend_from_slice(&(part.len() as u64).to_le_bytes());
            expected.extend_from_slice(part.as_bytes());
        }
        assert_eq!(active().to_bytes(), expected);
        assert_eq!(Active::from_bytes(&expected), Ok(active()));
    }

    #[test]
    fn empty_parts_read_back() {
        let bare = Active {
            side: Side::Source,
            plugin: String::new(),
            hash: None,
            settings: BTreeMap::new(),
        };
        assert_eq!(Active::from_bytes(&bare.to_bytes()), Ok(bare));
    }

    #[test]
    fn every_cut_and_every_tail_is_malformed() {
        let bytes = active().to_bytes();
        let malformed = |bytes: &[u8]| {
            assert!(
                matches!(Active::from_bytes(bytes), Err(FormError::Malformed(_))),
                "{} bytes",
                bytes.len()
            );
        };
        for length in 0..bytes.len() {
            malformed(&bytes[..length]);
        }
        malformed(&[&bytes[..], &[0]].concat());
    }

    #[test]
    fn lying_counts_foreign_sides_and_names_given_twice_are_malformed() {
        let good = active().to_bytes();
        let count = 2 + (8 + 13) + (8 + 2);
        let mut bytes = good.clone();
        bytes[count..count + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        let cut = Err(FormError::Malformed("an entry that is cut off"));
        assert_eq!(Active::from_bytes(&bytes), cut);

        let mut bytes = good.clone();
        bytes[1] = 2;
        let side = Err(FormError::Malformed("an entry of no side"));
        assert_eq!(Active::from_bytes(&bytes), side);

        let mut bytes = good;
        bytes.truncate(count + 8);
        for part in ["url", "a", "url", "b"] {
            put_text(&mut bytes, part);
        }
        let twice = Err(FormError::Malformed("an entry with more than its settings"));
        assert_eq!(Active::from_bytes(&bytes), twice);
    }

    #[test]
    fn another_form_is_told_from_damage() {
        let mut bytes = active().to_bytes();
        bytes[0] = 2;
        let newer = FormError::Newer { found: 2, known: 1 };
        assert_eq!(Active::from_bytes(&bytes), Err(newer));
    }

    #[test]
    fn debug_shows_the_names_of_settings_only() {
        let shown = format!("{:?}", active());
        assert!(shown.contains("password") && shown.contains("builtin:db@v1"));
        assert!(!shown.contains("hunter22"), "{shown}");
    }
}
