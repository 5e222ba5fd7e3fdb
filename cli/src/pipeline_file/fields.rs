//! The fields of one mapping whose names are known, and the texts in them.
//!
//! Owns what every part of a pipeline file shares: unknown fields, missing fields, values of the
//! wrong kind, variables. Doesn't know what any field means.

use plugin_host::nearest;

use super::environment::{Environment, expand};
use super::node::{Entry, Node, Value};
use super::problem::{Place, Report};

/// Fields of Conduit that change what happens to records: what they are called in messages, and what
/// would happen if they were ignored. They are known, but refused unless empty, also where their name
/// is misspelt: no pipeline with processors runs without them.
pub(super) const UNSUPPORTED: &[(&str, &str, &str)] = &[
    (
        "processors",
        "processors",
        "records would pass as if there were none",
    ),
    (
        "condition",
        "conditions",
        "records would pass as if there were none",
    ),
];

/// What reading any part of a file needs.
pub(super) struct Scope<'a> {
    pub(super) environment: Environment<'a>,
    pub(super) report: Report,
}

/// A mapping, with what it is called in messages.
pub(super) struct Fields<'n> {
    pub(super) node: &'n Node,
    entries: &'n [Entry],
    what: &'static str,
}

impl<'n> Fields<'n> {
    /// Takes `node` as a mapping and tells of the fields that aren't in `known`; `None` if it is
    /// none, which is then told.
    pub(super) fn of(
        node: &'n Node,
        what: &'static str,
        known: &[&str],
        scope: &mut Scope<'_>,
    ) -> Option<Self> {
        let supported: Vec<_> = known
            .iter()
            .copied()
            .filter(|&name| UNSUPPORTED.iter().all(|&(field, ..)| field != name))
            .collect();
        let has = format!("{what} has {}", listed(&supported));
        let Value::Mapping(entries) = &node.value else {
            scope.report.problem(
                &node.place,
                "pipeline.wrong_kind",
                format!("{what} is a mapping, and this is {}", node.kind()),
                format!("write `field: value` lines; {has}"),
            );
            return None;
        };
        for entry in entries {
            let name = entry.key.text.as_str();
            if known.contains(&name) {
                continue;
            }
            let unsupported = UNSUPPORTED.iter().map(|&(field, ..)| field);
            let meant = nearest(name, known.iter().copied().chain(unsupported));
            let mut unsupported = UNSUPPORTED.iter();
            match unsupported.find(|&&(field, ..)| meant == Some(field)) {
                Some((meant, subject, otherwise)) if !entry.value.is_empty() => {
                    scope.report.problem(
                        &entry.key.place,
                        "pipeline.unsupported",
                        format!(
                            "{what} has no field `{name}`; if `{meant}` is meant: {subject} are \
                             not supported yet; {otherwise}"
                        ),
                        format!("remove `{name}`"),
                    );
                }
                _ => scope.report.warning(
                    &entry.key.place,
                    "pipeline.unknown_field",
                    format!("{what} has no field `{name}`; it is ignored"),
                    match meant {
                        Some(meant) if known.contains(&meant) => {
                            format!("did you mean `{meant}`?")
                        }
                        _ => has.clone(),
                    },
                ),
            }
        }
        Some(Self {
            node,
            entries,
            what,
        })
    }

    /// The value of a field, and where its name stands; nothing where it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<(&'n Node, &'n Place)> {
        self.entries
            .iter()
            .find(|entry| entry.key.text == name && !entry.value.is_null())
            .map(|entry| (&entry.value, &entry.key.place))
    }

    /// The items of a list; none where the field is absent.
    pub(super) fn list(&self, name: &str, scope: &mut Scope<'_>) -> &'n [Node] {
        match self.get(name).map(|(node, _)| (node, &node.value)) {
            None => &[],
            Some((_, Value::Sequence(items))) => items,
            Some((node, _)) => {
                scope.report.problem(
                    &node.place,
                    "pipeline.wrong_kind",
                    format!("`{name}` is a list, and this is {}", node.kind()),
                    "begin each item with `- `",
                );
                &[]
            }
        }
    }

    /// The text of a field, and where it stands; nothing where it is absent or was refused.
    pub(super) fn text(&self, name: &str, scope: &mut Scope<'_>) -> Option<(String, &'n Place)> {
        let (node, _) = self.get(name)?;
        let text = scope.text(node, name)?;
        Some((text, &node.place))
    }

    /// The text of a field that must be there and not empty; its absence is told.
    pub(super) fn required(
        &self,
        name: &str,
        help: &str,
        scope: &mut Scope<'_>,
    ) -> Option<(String, &'n Place)> {
        let place = match self.get(name) {
            None => &self.node.place,
            Some((node, _)) => match scope.text(node, name) {
                Some(text) if text.is_empty() => &node.place,
                found => return found.map(|text| (text, &node.place)),
            },
        };
        scope.report.problem(
            place,
            "pipeline.missing_field",
            format!("{} has no `{name}`", self.what),
            help,
        );
        None
    }
}

impl Scope<'_> {
    /// The text of a single value with its variables resolved; nothing if it was refused.
    pub(super) fn text(&mut self, node: &Node, name: &str) -> Option<String> {
        let Value::Scalar { text, .. } = &node.value else {
            self.report.problem(
                &node.place,
                "pipeline.wrong_kind",
                format!("`{name}` is a single value, and this is {}", node.kind()),
                format!("write `{name}: value`"),
            );
            return None;
        };
        match expand(text, self.environment) {
            Ok(text) => Some(text),
            Err(faults) => {
                for fault in faults {
                    self.report
                        .problem(&node.place, fault.code(), fault.message(), fault.help());
                }
                None
            }
        }
    }
}

/// `a`, `b` and `c`.
pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
