//! Records of several collections and operations.
//!
//! What a record is follows from its number alone: the collections take turns, in the order of their
//! names, and in each the operations do.

use std::ops::Range;

use plugin_api::record::metadata::COLLECTION;
use plugin_api::{BatchWriter, Operation, Result};

use crate::config::{Collection, Config, Made};
use crate::content::{Content, Form};

/// The collections; one without a name where the settings have none.
#[derive(Debug)]
pub(crate) struct Mixed(Vec<Part>);

#[derive(Debug)]
struct Part {
    name: Option<String>,
    operations: Vec<Operation>,
    content: Content,
}

impl Mixed {
    /// Checks the settings without opening anything.
    pub(crate) fn check(config: &Config) -> Result<()> {
        collections(config).try_for_each(|own| Form::new(config, own).map(drop))
    }

    pub(crate) fn open(config: &Config) -> Result<Self> {
        let parts = collections(config).map(|collection| {
            let own = collection.and_then(|(_, own)| own.operations.as_ref());
            let operations = own.unwrap_or(&config.operations);
            Ok(Part {
                name: collection.map(|(name, _)| name.to_owned()),
                operations: operations
                    .iter()
                    .map(|Made(operation)| *operation)
                    .collect(),
                content: Content::open(Form::new(config, collection)?)?,
            })
        });
        parts.collect::<Result<_>>().map(Self)
    }

    /// The content, where all that is made are creates of no collection.
    pub(crate) fn into_simple(mut self) -> std::result::Result<Content, Self> {
        let Self(parts) = &mut self;
        match parts.pop() {
            Some(part)
                if parts.is_empty()
                    && part.name.is_none()
                    && part.operations == [Operation::Create] =>
            {
                Ok(part.content)
            }
            last => {
                parts.extend(last);
                Err(self)
            }
        }
    }

    /// Makes the records with these numbers, as far as there is room; returns the number behind them.
    pub(crate) fn fill(&self, batch: &mut BatchWriter, numbers: Range<u64>) -> u64 {
        let mut number = numbers.start;
        while number < numbers.end && batch.has_room() {
            let (part, operation) = self.part(number);
            let record = batch.record(operation, number);
            let key = record.position();
            let mut record = record.key_shared(key);
            if let Some(name) = &part.name {
                record = record.metadata([(COLLECTION, &**name)]);
            }
            match operation {
                Operation::Create | Operation::Snapshot => part.content.after(number, record),
                Operation::Update => {
                    let record = part.content.before(number - 1, record);
                    part.content.after(number, record)
                }
                Operation::Delete => part.content.before(number, record),
            };
            number += 1;
        }
        number
    }

    /// Whose the record with this number is, and what it says. The first number is 1.
    fn part(&self, number: u64) -> (&Part, Operation) {
        let (part, round) = turn(number - 1, &self.0);
        let (operation, _) = turn(round, &part.operations);
        (part, *operation)
    }
}

/// Whose turn it is, and how often all have had theirs. There is at least one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the remainder is less than a length in memory"
)]
fn turn<T>(number: u64, of: &[T]) -> (&T, u64) {
    let length = of.len() as u64;
    (&of[(number % length) as usize], number / length)
}

/// Names and settings of the collections, or none where there are none.
fn collections(config: &Config) -> impl Iterator<Item = Option<(&str, &Collection)>> {
    let named = config
        .collections
        .iter()
        .map(|(name, own)| Some((&**name, own)));
    let unnamed = config.collections.is_empty().then_some(None);
    unnamed.into_iter().chain(named)
}

#[cfg(test)]
mod tests {
    use plugin_api::{Parameters as _, Settings};

    use super::*;

    fn mixed(settings: &[(&str, &str)]) -> Result<Mixed> {
        let config = Config::from_settings(&Settings::new(settings.iter().copied()))?;
        Mixed::check(&config)?;
        Mixed::open(&config)
    }

    #[test]
    fn collections_and_their_operations_take_turns() {
        let mixed = mixed(&[
            ("operations", "create, delete"),
            ("collections.users.format.size", "5"),
            ("collections.orders.operations", "snapshot,update,create"),
        ])
        .unwrap();
        let made: Vec<_> = (1..=7)
            .map(|number| {
                let (part, operation) = mixed.part(number);
                format!("{} {operation}", part.name.as_deref().unwrap())
            })
            .collect();
        let expected = [
            "orders snapshot",
            "users create",
            "orders update",
            "users delete",
            "orders create",
            "users create",
            "orders snapshot",
        ];
        assert_eq!(made, expected);
    }

    #[test]
    fn what_is_wrong_with_a_collection_is_told_by_its_name() {
        let of = |settings: &[(&str, &str)]| {
            let error = mixed(settings).unwrap_err();
            error.parameters()[0].name.clone()
        };
        let large = "1000000000000000";
        assert_eq!(of(&[("format.size", large)]), "format.size");
        assert_eq!(
            of(&[("collections.a.format.size", large)]),
            "collections.a.format.size"
        );
        assert_eq!(of(&[("format.type", "file")]), "format.options.path");
        assert_eq!(
            of(&[("collections.a.format.type", "file")]),
            "collections.a.format.options.path"
        );
        assert_eq!(of(&[("operations", "create,destroy")]), "operations");
        assert_eq!(of(&[("format.options.id", "uuid")]), "format.options.id");
    }

    #[test]
    fn a_collection_has_what_is_set_for_all() {
        let structured = [("format.type", "structured"), ("format.options.id", "int")];
        let of = |more: &[(&str, &str)]| {
            let Mixed(parts) = mixed(&[&structured, more].concat()).unwrap();
            format!("{:?}", parts[0].content)
        };
        let all = of(&[]);
        assert_eq!(of(&[("collections.a.operations", "update")]), all);
        assert_ne!(of(&[("collections.a.format.options.name", "string")]), all);
        assert_ne!(of(&[("collections.a.format.type", "raw")]), all);
    }

    #[test]
    fn only_creates_of_no_collection_are_simple() {
        assert!(mixed(&[]).unwrap().into_simple().is_ok());
        for other in [
            ("operations", "update"),
            ("collections.a.format.type", "raw"),
        ] {
            assert!(mixed(&[other]).unwrap().into_simple().is_err());
        }
    }
}
