//! The fields of structured records.

use std::collections::BTreeMap;
use std::time::Duration;

use plugin_api::structured::{MapEncoder, Timestamp};
use plugin_api::{FieldWriter, InvalidValue, ParameterType, ParameterValue};

/// Fields with their types.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, Kind)>);

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Float,
    String,
    Bool,
    Time,
    Duration,
}

/// 2020-01-01, the time of record 0; each record is a second later.
const EPOCH: i64 = 1_577_836_800;

const WORDS: [&str; 8] = [
    "amber", "basalt", "cobalt", "drift", "ember", "fjord", "grain", "harbour",
];

impl Fields {
    /// Takes types by the names of the fields.
    pub(crate) fn new(types: &BTreeMap<String, Kind>) -> Self {
        let fields = types.iter();
        Self(fields.map(|(name, kind)| (name.clone(), *kind)).collect())
    }

    /// Reads `name:type` pairs with commas between them.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut fields: Vec<(String, Kind)> = Vec::new();
        for pair in text.split(',') {
            let (name, kind) = pair
                .split_once(':')
                .ok_or_else(|| format!("`{}` is no `name:type`", pair.trim()))?;
            let (name, kind) = (name.trim(), Kind::of(kind.trim())?);
            if name.is_empty() {
                return Err(format!("`{}` has no name", pair.trim()));
            }
            if fields.iter().any(|(present, _)| present == name) {
                return Err(format!("the field `{name}` is there twice"));
            }
            fields.push((name.to_owned(), kind));
        }
        Ok(Self(fields))
    }

    /// Writes the fields of the record with this number.
    pub(crate) fn write(&self, number: u64, map: &mut MapEncoder<'_, FieldWriter<'_>>) {
        for (name, kind) in &self.0 {
            match kind {
                Kind::Int => map.entry(name, number),
                Kind::Float => map.entry(name, number as f64 / 4.0),
                Kind::String => map.entry(name, WORDS[(number % 8) as usize]),
                Kind::Bool => map.entry(name, number % 2 == 1),
                Kind::Time => {
                    let seconds = EPOCH.saturating_add(number.cast_signed());
                    match Timestamp::new(seconds, 0) {
                        Some(time) => map.entry(name, time),
                        None => map.entry(name, seconds),
                    }
                }
                Kind::Duration => {
                    let text =
                        plugin_api::duration::format(Duration::from_millis(number % 100_000));
                    map.entry(name, &*text)
                }
            };
        }
    }
}

impl Kind {
    fn of(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|_| {
            format!("`{text}` is no type; use int, float, string, bool, time or duration")
        })
    }
}

impl ParameterValue for Kind {
    const KIND: ParameterType = ParameterType::String;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "int" => Ok(Self::Int),
            "float" => Ok(Self::Float),
            "string" => Ok(Self::String),
            "bool" => Ok(Self::Bool),
            "time" => Ok(Self::Time),
            "duration" => Ok(Self::Duration),
            _ => Err(InvalidValue::expected(
                "int, float, string, bool, time or duration",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_in_order() {
        let fields = Fields::parse("id:int, name:string").unwrap();
        assert_eq!(
            fields.0,
            [
                ("id".to_owned(), Kind::Int),
                ("name".to_owned(), Kind::String)
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("", "`` is no `name:type`"),
            ("id", "`id` is no `name:type`"),
            ("id:int,", "`` is no `name:type`"),
            (":int", "`:int` has no name"),
            ("id:uuid", "`uuid` is no type"),
            ("a:int,a:bool", "`a` is there twice"),
        ] {
            let error = Fields::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
