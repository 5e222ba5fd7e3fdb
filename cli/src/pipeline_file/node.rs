//! The tree of a YAML document: every node with its place and its source text.

use super::problem::Place;

/// A value in the file.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar {
        /// What the user wrote, quotes and escapes resolved: `007` stays `007`.
        text: String,
        /// Written without quotes, so that it may mean null.
        plain: bool,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One `key: value` of a mapping; the keys of a mapping are unique.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Node,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: Place,
    /// Written without quotes.
    pub(super) plain: bool,
}

impl Node {
    /// Whether the value is absent: nothing, `~` or `null`, without quotes.
    pub(super) fn is_null(&self) -> bool {
        let Value::Scalar { text, plain: true } = &self.value else {
            return false;
        };
        matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// Whether the value says nothing: absent, an empty text, list or mapping.
    pub(super) fn is_empty(&self) -> bool {
        match &self.value {
            _ if self.is_null() => true,
            Value::Scalar { text, .. } => text.is_empty(),
            Value::Sequence(items) => items.is_empty(),
            Value::Mapping(entries) => entries.is_empty(),
        }
    }

    /// What the value is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// Number of nodes and levels, itself included.
    pub(super) fn size_and_height(&self) -> (usize, usize) {
        let below = |nodes: &mut dyn Iterator<Item = &Node>| {
            nodes
                .map(Node::size_and_height)
                .fold((1, 1), |(size, height), (s, h)| {
                    (size + s, height.max(h + 1))
                })
        };
        match &self.value {
            Value::Scalar { .. } => (1, 1),
            Value::Sequence(items) => below(&mut items.iter()),
            Value::Mapping(entries) => below(&mut entries.iter().map(|entry| &entry.value)),
        }
    }
}
