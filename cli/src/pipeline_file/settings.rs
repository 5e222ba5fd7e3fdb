//! The settings of a connector: flat names, texts as values.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::Scope;
use super::node::{Node, Value};
use super::problem::Place;

/// What a user set for one connector, by the parameter's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// The texts as written, with their variables resolved.
    pub(crate) values: BTreeMap<String, String>,
    /// Those whose value could not be read, which was told: they are there, only not known.
    pub(crate) unread: BTreeSet<String>,
    /// Where each of both stands.
    pub(crate) places: BTreeMap<String, Place>,
    /// Whether none could be read at all, which was told.
    pub(crate) are_unreadable: bool,
}

impl Settings {
    /// Takes a `settings` mapping: `a: {b: 1}` sets `a.b`, a list is joined with commas, and one
    /// in an item is escaped.
    pub(super) fn of(node: &Node, scope: &mut Scope<'_>) -> Self {
        let mut settings = Self::default();
        if let Value::Mapping(_) = node.value {
            settings.add(node, "", scope);
        } else if !node.is_null() {
            settings.are_unreadable = true;
            scope.report.problem(
                &node.place,
                "pipeline.wrong_kind",
                format!("`settings` is a mapping, and this is {}", node.kind()),
                "write one `parameter: value` a line",
            );
        }
        settings
    }

    fn add(&mut self, node: &Node, name: &str, scope: &mut Scope<'_>) {
        let text = match &node.value {
            Value::Mapping(entries) => {
                for entry in entries {
                    let key = &entry.key.text;
                    let name = if name.is_empty() {
                        key.clone()
                    } else {
                        format!("{name}.{key}")
                    };
                    self.add(&entry.value, &name, scope);
                }
                return;
            }
            Value::Sequence(items) => items
                .iter()
                .map(|item| item_text(item, name, scope))
                .collect::<Option<Vec<_>>>()
                .map(|items| items.join(",")),
            Value::Scalar { .. } if node.is_null() => Some(String::new()),
            Value::Scalar { .. } => scope.text(node, name),
        };
        if let Some(first) = self.places.get(name) {
            scope.report.problem(
                &node.place,
                "pipeline.duplicate_field",
                format!(
                    "the setting `{name}` is already given in line {}",
                    first.line
                ),
                "keep one of the two; `a: {b: 1}` and `a.b: 1` are the same setting",
            );
            return;
        }
        match text {
            Some(text) => drop(self.values.insert(name.into(), text)),
            None => drop(self.unread.insert(name.into())),
        }
        self.places.insert(name.into(), node.place.clone());
    }
}

/// The text of a list's item, so that `plugin_api::list_entries` takes it out again.
///
/// A backslash is only doubled where it would be read as an escape: a connector that splits its list
/// at commas by itself gets the others as they are.
fn item_text(item: &Node, name: &str, scope: &mut Scope<'_>) -> Option<String> {
    let text = scope.text(item, name)?;
    let mut escaped = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_escape = c == '\\' && matches!(chars.peek(), None | Some(',' | '\\'));
        if c == ',' || is_escape {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    Some(escaped)
}
