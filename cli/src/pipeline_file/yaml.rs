//! YAML text to a tree that keeps the line, the column and the source text of every node.
//!
//! Built from the parser's events, not from the tree that the parser's authors offer: that one
//! stops at the first duplicate key, and here all that is wrong is told. Bounded whatever the file
//! holds: depth, and nodes made by aliases. Knows nothing of pipelines.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::node::{Entry, Key, Node, Value};
use super::problem::{Place, Report};

/// Deepest nesting; far above any pipeline file, far below what recursion can bear.
const DEPTH_MAX: usize = 64;

/// Most nodes that are kept, copies behind anchors and aliases included: a few nested aliases can
/// ask for billions.
const NODES_MAX: usize = 100_000;

/// Reads the documents of a file. What is wrong goes to `report`; documents that end before a
/// syntax error are returned.
pub(super) fn parse(text: &str, file: &Arc<Path>, report: &mut Report) -> Vec<Node> {
    let mut tree = Tree {
        file,
        report,
        documents: Vec::new(),
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
    };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => tree.take(event, span),
            Err(error) => {
                let place = tree.place(error.marker().line(), error.marker().col());
                tree.syntax(&place, error.info(), text);
                Err(Stop)
            }
        };
        if step.is_err() {
            break;
        }
    }
    tree.documents
}

/// The rest of the file can't be read; the reason is in the report.
struct Stop;

struct Tree<'a> {
    file: &'a Arc<Path>,
    report: &'a mut Report,
    documents: Vec<Node>,
    /// The collections around the next node, outermost first.
    open: Vec<Open>,
    /// Complete nodes by anchor; an alias inside its own anchor therefore finds none.
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

/// A collection whose end hasn't come yet.
struct Open {
    place: Place,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        /// The line of each key.
        lines: HashMap<String, usize>,
        next: Next,
    },
}

/// What a mapping's next node is.
enum Next {
    Key,
    Value(Key),
    /// The value of a key that was refused.
    Dropped,
}

impl Tree<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let place = self.place(span.start.line(), span.start.col());
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag, &place);
                let value = Value::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                self.add(Node { place, value }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag, &place);
                self.open(place, anchor, Content::Sequence(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag, &place);
                let content = Content::Mapping {
                    entries: Vec::new(),
                    lines: HashMap::new(),
                    next: Next::Key,
                };
                self.open(place, anchor, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(anchor) => self.alias(anchor, &place)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(&mut self, place: Place, anchor: usize, content: Content) -> Result<(), Stop> {
        if self.open.len() == DEPTH_MAX {
            return self.too_deep(&place);
        }
        self.open.push(Open {
            place,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { entries, .. } => Value::Mapping(self.merge(entries)),
        };
        let node = Node {
            place: open.place,
            value,
        };
        self.add(node, open.anchor)
    }

    /// Puts a complete node where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.count(1, &node.place)?;
        if anchor > 0 {
            self.count(node.size_and_height().0, &node.place)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.documents.push(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping {
                entries,
                lines,
                next,
            }) => {
                *next = match std::mem::replace(next, Next::Key) {
                    Next::Key => key_of(node, lines, self.report),
                    Next::Value(key) => {
                        entries.push(Entry { key, value: node });
                        Next::Key
                    }
                    Next::Dropped => Next::Key,
                };
            }
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: &Place) -> Result<(), Stop> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            self.report.problem(
                place,
                "pipeline.alias",
                "the alias stands inside its own anchor, or the anchor is in another document",
                "place the anchor before the alias, in the same document",
            );
            return Err(Stop);
        };
        let (size, height) = node.size_and_height();
        if self.open.len() + height > DEPTH_MAX {
            return self.too_deep(place);
        }
        // One of them is counted when it is added.
        self.count(size - 1, place)?;
        self.add(node, 0)
    }

    /// Resolves `<<: *defaults`: what the mapping says itself counts, then the earlier source.
    fn merge(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let is_merge = |entry: &Entry| entry.key.plain && entry.key.text == "<<";
        let (merges, mut merged): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_merge);
        if merges.is_empty() {
            return merged;
        }
        let mut keys: HashSet<String> = merged.iter().map(|own| own.key.text.clone()).collect();
        for merge in merges {
            let place = merge.value.place.clone();
            let sources = match merge.value.value {
                Value::Sequence(sources) => sources,
                _ => vec![merge.value],
            };
            for source in sources {
                let Value::Mapping(additions) = source.value else {
                    self.report.problem(
                        &place,
                        "pipeline.merge",
                        format!("`<<` merges mappings, and this is {}", source.kind()),
                        "write `<<: *anchor` with the anchor of a mapping, or a list of them",
                    );
                    continue;
                };
                for addition in additions {
                    if keys.insert(addition.key.text.clone()) {
                        merged.push(addition);
                    }
                }
            }
        }
        merged
    }

    /// Refuses a tag that would change the meaning of the text, which is all that we keep.
    fn check_tag(&mut self, tag: Option<Cow<'_, Tag>>, place: &Place) {
        let Some(tag) = tag else { return };
        let harmless = ["str", "int", "float", "bool", "null", "seq", "map"];
        if tag.is_yaml_core_schema() && harmless.contains(&tag.suffix.as_str()) {
            return;
        }
        self.report.problem(
            place,
            "pipeline.tag",
            format!("the tag `{tag}` has no meaning in a pipeline file"),
            "remove the tag",
        );
    }

    fn syntax(&mut self, place: &Place, info: &str, text: &str) {
        let line = text.lines().nth(place.line.saturating_sub(1));
        let help = if line.is_some_and(|line| line.contains("${")) {
            "between brackets, put `${…}` in quotes"
        } else {
            "check the indentation, the quotes and the brackets at and above this line"
        };
        let message = format!("not YAML: {info}");
        self.report.problem(place, "pipeline.syntax", message, help);
    }

    fn too_deep(&mut self, place: &Place) -> Result<(), Stop> {
        self.report.problem(
            place,
            "pipeline.too_deep",
            format!("nested deeper than {DEPTH_MAX} levels"),
            "a pipeline file needs fewer than ten; look for a bracket that is never closed",
        );
        Err(Stop)
    }

    /// Counts nodes that are about to be kept.
    fn count(&mut self, nodes: usize, place: &Place) -> Result<(), Stop> {
        self.nodes += nodes;
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        self.report.problem(
            place,
            "pipeline.too_many_values",
            format!("more than {NODES_MAX} values, those behind aliases counted each time"),
            "use fewer aliases, or spread the pipelines over several files",
        );
        Err(Stop)
    }

    /// A place from the parser's line, from 1, and column, from 0.
    fn place(&self, line: usize, column: usize) -> Place {
        Place::at(self.file, line, column + 1)
    }
}

/// Takes a node as the next key of a mapping, unless it can't be one.
fn key_of(node: Node, lines: &mut HashMap<String, usize>, report: &mut Report) -> Next {
    let kind = node.kind();
    let Value::Scalar { text, plain } = node.value else {
        report.problem(
            &node.place,
            "pipeline.key",
            format!("a key can't be {kind}"),
            "write the key as plain text",
        );
        return Next::Dropped;
    };
    let place = node.place;
    if let Some(line) = lines.get(&text) {
        report.problem(
            &place,
            "pipeline.duplicate_field",
            format!("`{text}` is already given in line {line}"),
            "keep one of the two",
        );
        return Next::Dropped;
    }
    lines.insert(text.clone(), place.line);
    Next::Value(Key { text, place, plain })
}
