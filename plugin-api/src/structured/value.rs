//! Structured data as an owned tree.

use std::time::SystemTime;

use super::{Timestamp, ValueRef};

/// One value of structured data.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`; a smaller one is read back as [`Int`](Self::Int).
    UInt(u64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An instant.
    Timestamp(Timestamp),
    /// A list of values.
    Array(Vec<Value>),
    /// Named values.
    Map(Map),
}

/// Named values, in the order in which they were first set.
///
/// Lookup scans, so this serves records, with their tens of fields, and not dictionaries. Maps are
/// equal if they have the same entries in the same order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map(Vec<(String, Value)>);

impl Map {
    /// Makes a map without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter()
            .find(|entry| entry.0 == key)
            .map(|entry| entry.1)
    }

    /// Sets the value of a key and gives back the one it had.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|entry| entry.0 == key) {
            Some(entry) => Some(std::mem::replace(&mut entry.1, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Removes a key and gives back its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|entry| entry.0 == key)?;
        Some(self.0.remove(at).1)
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn with_capacity(entries: usize) -> Self {
        Self(Vec::with_capacity(entries))
    }

    /// Adds an entry whose key the caller knows to be new; [`insert`](Self::insert) would scan.
    pub(super) fn push_new(&mut self, key: String, value: Value) {
        self.0.push((key, value));
    }
}

/// Of entries with the same key the last counts.
impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl IntoIterator for Map {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Copies what is borrowed.
impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(value) => Self::Bool(value),
            ValueRef::Int(value) => Self::Int(value),
            ValueRef::UInt(value) => Self::UInt(value),
            ValueRef::Float(value) => Self::Float(value),
            ValueRef::String(text) => Self::String(text.to_owned()),
            ValueRef::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            ValueRef::Timestamp(instant) => Self::Timestamp(instant),
            ValueRef::Array(items) => Self::Array(items.to_vec()),
            ValueRef::Map(map) => Self::Map(map.clone()),
        }
    }
}

macro_rules! from_scalar {
    ($($scalar:ty)*) => {$(
        impl From<$scalar> for Value {
            fn from(value: $scalar) -> Self {
                ValueRef::from(value).into()
            }
        }
    )*};
}

from_scalar!(() bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64);
from_scalar!(&str &[u8] Timestamp SystemTime);

macro_rules! from_owned {
    ($($variant:ident($owned:ty))*) => {$(
        impl From<$owned> for Value {
            fn from(value: $owned) -> Self {
                Self::$variant(value)
            }
        }
    )*};
}

from_owned!(String(String) Bytes(Vec<u8>) Array(Vec<Value>) Map(Map));

/// `None` is [`Value::Null`].
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
