//! Finding secrets in a text, and putting marks in their place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Looks for all secrets of a plugin in one pass.
pub(super) struct Search {
    /// `None` where there is more to look for than it can hold: then every text is withheld.
    texts: Option<AhoCorasick>,
    /// Names of the settings, by the number of the text.
    names: Vec<String>,
    /// Bytes of the longest text.
    longest: usize,
}

/// A piece of a text that is replaced, and the text that was found there, by its number.
struct Found {
    range: Range<usize>,
    text: usize,
    /// Bytes of that text.
    length: usize,
}

impl Search {
    /// `None` for nothing to look for.
    pub(super) fn new(texts: impl Iterator<Item = (String, String)>) -> Option<Self> {
        let texts: BTreeMap<String, String> = texts.collect();
        let longest = texts.keys().map(String::len).max()?;
        // Its other kinds take quadratic time to build for a text that repeats itself.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let search = AhoCorasick::builder().kind(kind).build(texts.keys());
        Some(Self {
            texts: search.ok(),
            names: texts.into_values().collect(),
            longest,
        })
    }

    /// At most so many bytes of a text, with a mark in the place of each secret.
    pub(super) fn redact<'a>(&self, text: &'a str, most: usize) -> Cow<'a, str> {
        let end = text.floor_char_boundary(most);
        let Some(search) = &self.texts else {
            return Cow::Borrowed("[withheld: too many secrets to look for]");
        };
        // A secret that the end cuts in two has to be seen whole; encoded, each byte of it is three.
        let seen = most.saturating_add(self.longest.saturating_mul(3));
        let seen = &text.as_bytes()[..text.len().min(seen)];
        let mut found = find(search, seen);
        if seen.contains(&b'%') {
            found.extend(find_encoded(search, seen, b'+'));
        }
        if seen.contains(&b'+') {
            found.extend(find_encoded(search, seen, b' '));
        }
        found.retain(|it| it.range.start < end);
        if found.is_empty() {
            return Cow::Borrowed(&text[..end]);
        }
        let mut shown = String::new();
        let mut from = 0;
        for it in joined(found) {
            shown += &text[from..it.range.start];
            shown += &format!("[secret {}]", self.names[it.text]);
            from = it.range.end;
        }
        shown += text.get(from..end).unwrap_or_default();
        shown.truncate(shown.floor_char_boundary(most));
        Cow::Owned(shown)
    }
}

fn find(search: &AhoCorasick, text: &[u8]) -> Vec<Found> {
    // Those in each other too: of two that overlap, nothing may be left of either.
    let found = search.find_overlapping_iter(text);
    found
        .map(|it| Found {
            range: it.range(),
            text: it.pattern().as_usize(),
            length: it.len(),
        })
        .collect()
}

/// Finds what stands in the text percent-encoded. Which characters are, and in which case the digits,
/// differs from one encoder to the next; decoded they are the same. What a plus stands for is the
/// caller's to say: a form's encoding writes a space so.
fn find_encoded(search: &AhoCorasick, text: &[u8], plus: u8) -> Vec<Found> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let code = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        let code =
            code.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        places.push(at);
        let plain = if byte == b'+' { plus } else { byte };
        decoded.push(code.unwrap_or(plain));
        at += if code.is_some() { 3 } else { 1 };
    }
    places.push(at);
    let mut found = find(search, &decoded);
    for it in &mut found {
        it.range = places[it.range.start]..places[it.range.end];
    }
    found
}

/// Makes one of those that overlap or touch, under the name of the longest.
fn joined(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|it| it.range.start);
    let mut joined: Vec<Found> = Vec::new();
    for it in found {
        match joined.last_mut() {
            Some(last) if it.range.start <= last.range.end => {
                last.range.end = last.range.end.max(it.range.end);
                if it.length > last.length {
                    (last.text, last.length) = (it.text, it.length);
                }
            }
            _ => joined.push(it),
        }
    }
    joined
}
