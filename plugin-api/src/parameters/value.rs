//! Types that a parameter's value can have.
//!
//! Owns how the text of a setting becomes a value, for the types of the standard library.
//! Stricter than `FromStr` where that would change a value silently, laxer for `bool`.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::list_entries;
use crate::ParameterType;
use crate::duration::{self, DurationError};

/// A type that a parameter's value can have.
///
/// Implement it to use a type of your own in a struct that derives [`Parameters`](super::Parameters). A host
/// knows only [`KIND`](Self::KIND) and the validations, so a text that `parse` refuses is found when the
/// pipeline starts; with `inclusion` beside it `forebay validate` finds it too.
///
/// # Examples
///
/// ```
/// use plugin_api::{InvalidValue, ParameterType, ParameterValue};
///
/// #[derive(Debug, PartialEq)]
/// enum Compression { None, Gzip }
///
/// impl ParameterValue for Compression {
///     const KIND: ParameterType = ParameterType::String;
///
///     fn parse(text: &str) -> Result<Self, InvalidValue> {
///         match text {
///             "none" => Ok(Self::None),
///             "gzip" => Ok(Self::Gzip),
///             _ => Err(InvalidValue::expected("`none` or `gzip`")),
///         }
///     }
/// }
///
/// assert_eq!(Compression::parse("gzip"), Ok(Compression::Gzip));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the type of a parameter",
    label = "not the type of a parameter",
    note = "a parameter is a `String`, an integer, `f32`, `f64`, `bool`, `Duration` or `PathBuf`, \
            an `Option` or `Vec` of one of these, or a `BTreeMap` from `String` to one of these",
    note = "a struct of its own that derives `Parameters` is marked by `#[parameter(nested)]`",
    note = "for a type of your own, such as an enum, implement `plugin_api::ParameterValue`"
)]
pub trait ParameterValue: Sized {
    /// The type that the specification names: what the host checks before `parse` sees the text.
    const KIND: ParameterType;

    /// Makes a value from a text that is trimmed; it is empty only where the default is.
    ///
    /// # Errors
    ///
    /// Says what would have been right.
    fn parse(text: &str) -> Result<Self, InvalidValue>;
}

/// A text isn't a value of its parameter's type; says what would have been right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidValue {
    expected: Cow<'static, str>,
}

impl InvalidValue {
    /// Makes the error from a phrase that goes on after "expected", such as "`none` or `gzip`".
    ///
    /// The text that was found is added to it elsewhere.
    pub fn expected(what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            expected: what.into(),
        }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for InvalidValue {}

impl ParameterValue for String {
    const KIND: ParameterType = ParameterType::String;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        Ok(text.to_owned())
    }
}

impl ParameterValue for PathBuf {
    const KIND: ParameterType = ParameterType::File;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        Ok(text.into())
    }
}

impl ParameterValue for bool {
    const KIND: ParameterType = ParameterType::Bool;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(InvalidValue::expected("`true` or `false`")),
        }
    }
}

impl ParameterValue for Duration {
    const KIND: ParameterType = ParameterType::Duration;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        duration::parse(text).map_err(|error| {
            InvalidValue::expected(match error {
                DurationError::Negative => "a duration of zero or more",
                DurationError::TooLong => "a duration of at most 292 years",
                _ => "a duration such as `1h30m` or `250ms`",
            })
        })
    }
}

/// A list: entries with commas between them, see [`list_entries`]. White space around an entry doesn't
/// count, and an empty text has none. A host only knows that it is text.
impl<T: ParameterValue> ParameterValue for Vec<T> {
    const KIND: ParameterType = ParameterType::String;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() {
            return Ok(Self::new());
        }
        let entries = list_entries(text).map(|entry| T::parse(entry.trim()));
        entries.collect::<Result<_, _>>().map_err(|invalid| {
            InvalidValue::expected(format!("{} as each entry of a list", invalid.expected))
        })
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl ParameterValue for $integer {
            const KIND: ParameterType = ParameterType::Int;

            fn parse(text: &str) -> Result<Self, InvalidValue> {
                text.parse().map_err(|_| {
                    let (min, max) = (Self::MIN, Self::MAX);
                    InvalidValue::expected(format!("an integer from {min} to {max}"))
                })
            }
        }
    )*};
}

integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! floats {
    ($($float:ty)*) => {$(
        impl ParameterValue for $float {
            const KIND: ParameterType = ParameterType::Float;

            fn parse(text: &str) -> Result<Self, InvalidValue> {
                match text.parse::<Self>() {
                    // The standard library makes infinity of a number that is too large.
                    Ok(value) if value.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
                        let (min, max) = (Self::MIN, Self::MAX);
                        Err(InvalidValue::expected(format!("a number from {min:e} to {max:e}")))
                    }
                    Ok(value) => Ok(value),
                    Err(_) => Err(InvalidValue::expected("a number")),
                }
            }
        }
    )*};
}

floats! { f32 f64 }
