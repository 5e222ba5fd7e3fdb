//! The place in a source after which it continues.

use std::any::type_name;
use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// Where a source continues: bytes that only the source understands.
///
/// The host stores the position of the newest record that every destination has confirmed, and
/// hands it to the source when it is opened again. It never looks inside. A source whose position
/// is a number or a short text makes it by `into()` and reads it by [`parse`](Self::parse).
///
/// It must be enough to go on behind its record in another process, after weeks, by a later version of
/// the plugin. No two records of a source have the same. Short is good: tens of bytes; positions that wait
/// to be stored have 1 MiB.
///
/// # Examples
///
/// ```
/// use plugin_api::Position;
///
/// let position = Position::from(41_u64);
/// assert_eq!(position.as_bytes(), b"41");
/// assert_eq!(position.parse::<u64>()?, 41);
///
/// let error = Position::from("x").parse::<u64>().unwrap_err();
/// assert_eq!(error.message(), "invalid position `x`, expected a u64");
/// # Ok::<(), plugin_api::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Position(Vec<u8>);

impl Position {
    /// Makes a position from bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Hands the bytes over.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Reads the position as text.
    ///
    /// # Errors
    /// A fatal error if the bytes are no UTF-8 or the text is no `T`: the position then is another
    /// connector's, or of a version that wrote another form.
    pub fn parse<T: FromStr>(&self) -> Result<T> {
        std::str::from_utf8(&self.0)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| {
                let expected = short_type_name::<T>();
                let article = match expected.chars().next() {
                    Some('a' | 'e' | 'i' | 'o' | 'A' | 'E' | 'I' | 'O') => "an",
                    _ => "a",
                };
                let shown = excerpt(&self.0);
                let message = format!("invalid position `{shown}`, expected {article} {expected}");
                Error::new(ErrorKind::Fatal, message).with_code("position.invalid")
            })
    }
}

/// The bytes as text for an error: on one line, and cut, for a position may be a whole document.
fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 128;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    let mut shown = text.escape_debug().to_string();
    if bytes.len() > SHOWN {
        shown.push('…');
    }
    shown
}

/// Name of a type without the path to it: `u64`, not `core::primitive::u64`.
fn short_type_name<T>() -> &'static str {
    let name = type_name::<T>();
    // In `a::B<c::D>` the last path is that of the argument, so cut before the bracket only.
    let path_end = name.find('<').unwrap_or(name.len());
    let start = name[..path_end].rfind("::").map_or(0, |colons| colons + 2);
    &name[start..]
}

/// The bytes as text; what is no UTF-8 is shown as `\u{fffd}`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position(\"{}\")", self.0.escape_ascii())
    }
}

impl From<Vec<u8>> for Position {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Position {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<String> for Position {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&str> for Position {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        /// The number as decimal text.
        impl From<$integer> for Position {
            fn from(number: $integer) -> Self {
                Self(itoa::Buffer::new().format(number).as_bytes().to_vec())
            }
        }
    )*};
}

from_integer!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
