//! A value to be encoded, borrowed.

use std::time::SystemTime;

use super::{Map, Timestamp, Value};

/// A value to be encoded: what [`MapEncoder::entry`](super::MapEncoder::entry) takes.
///
/// Authors hardly ever name it; numbers, text, bytes, times ([`SystemTime`] and [`Timestamp`]), options of
/// them and trees convert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer that may be above `i64::MAX`.
    UInt(u64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    String(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An instant.
    Timestamp(Timestamp),
    /// A list of values.
    Array(&'a [Value]),
    /// Named values.
    Map(&'a Map),
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::UInt(value) => Self::UInt(*value),
            Value::Float(value) => Self::Float(*value),
            Value::String(text) => Self::String(text),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Timestamp(instant) => Self::Timestamp(*instant),
            Value::Array(items) => Self::Array(items),
            Value::Map(map) => Self::Map(map),
        }
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for ValueRef<'_> {
            #[inline]
            fn from(number: $integer) -> Self {
                Self::Int(i64::from(number))
            }
        }
    )*};
}

from_integer!(u8 u16 u32 i8 i16 i32 i64);

impl From<u64> for ValueRef<'_> {
    #[inline]
    fn from(number: u64) -> Self {
        match i64::try_from(number) {
            Ok(number) => Self::Int(number),
            Err(_) => Self::UInt(number),
        }
    }
}

macro_rules! from_pointer_sized {
    ($($integer:ty as $wide:ty)*) => {$(
        impl From<$integer> for ValueRef<'_> {
            #[inline]
            fn from(number: $integer) -> Self {
                // No platform has wider ones, and `From` doesn't promise it.
                Self::from(number as $wide)
            }
        }
    )*};
}

from_pointer_sized!(usize as u64 isize as i64);

impl From<()> for ValueRef<'_> {
    #[inline]
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl From<bool> for ValueRef<'_> {
    #[inline]
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f32> for ValueRef<'_> {
    #[inline]
    fn from(number: f32) -> Self {
        Self::Float(f64::from(number))
    }
}

impl From<f64> for ValueRef<'_> {
    #[inline]
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl<'a> From<&'a str> for ValueRef<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a String> for ValueRef<'a> {
    #[inline]
    fn from(text: &'a String) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a [u8]> for ValueRef<'a> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for ValueRef<'a> {
    #[inline]
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for ValueRef<'a> {
    #[inline]
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Timestamp> for ValueRef<'_> {
    #[inline]
    fn from(instant: Timestamp) -> Self {
        Self::Timestamp(instant)
    }
}

impl From<SystemTime> for ValueRef<'_> {
    fn from(time: SystemTime) -> Self {
        Self::Timestamp(time.into())
    }
}

impl<'a> From<&'a [Value]> for ValueRef<'a> {
    fn from(items: &'a [Value]) -> Self {
        Self::Array(items)
    }
}

impl<'a> From<&'a Map> for ValueRef<'a> {
    fn from(map: &'a Map) -> Self {
        Self::Map(map)
    }
}

/// `None` is [`ValueRef::Null`].
impl<'a, T: Into<ValueRef<'a>>> From<Option<T>> for ValueRef<'a> {
    #[inline]
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
