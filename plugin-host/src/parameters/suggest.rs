//! Which name was meant by one that is none: of a parameter, or of a plugin.

use std::collections::BTreeMap;

use plugin_api::Parameter;

use super::names::meant;

/// Names that an error lists when none is near.
const LISTED: usize = 8;

/// What to say after "unrecognized parameter": the nearest name, or which there are.
pub(super) fn suggestion(name: &str, params: &BTreeMap<String, Parameter>) -> String {
    let known: Vec<String> = meant(name, params.keys()).collect();
    if let Some(nearest) = nearest(name, known.iter()) {
        return format!("did you mean {nearest:?}?");
    }
    if params.is_empty() {
        return "there are no parameters".into();
    }
    let listed: Vec<_> = params
        .keys()
        .take(LISTED)
        .map(|n| format!("{n:?}"))
        .collect();
    let more = match params.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("known are {}{more}", listed.join(", "))
}

/// The name with the fewest mistakes, if those are at most about a third of it.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let name = plain(name);
    // None in one letter, one in two to four, two in five to seven.
    let limit = (name.len() + 1) / 3;
    known
        .map(|known| (mistakes(&name, &plain(known)), known.as_str()))
        .filter(|(mistakes, _)| *mistakes <= limit)
        .min_by_key(|(mistakes, _)| *mistakes)
        .map(|(_, known)| known)
}

/// Letters and digits alone, in lower case: `poll_interval` and `pollInterval` are the same.
fn plain(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Letters to put in, leave out, replace or swap with a neighbour to make one word the other.
fn mistakes(left: &[char], right: &[char]) -> usize {
    // Row by row of the usual table; a swap looks back two rows.
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let replaced = last[j] + usize::from(l != r);
            let mut fewest = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                fewest = fewest.min(before_last[j - 1] + 1);
            }
            row.push(fewest);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{mistakes, nearest, plain};

    #[test]
    fn mistakes_are_counted() {
        let table = [
            ("path", "path", 0),
            ("path", "pth", 1),
            ("path", "paht", 1),
            ("path", "paths", 1),
            ("path", "bath", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ];
        for (left, right, expected) in table {
            let (l, r) = (plain(left), plain(right));
            assert_eq!(mistakes(&l, &r), expected, "{left} {right}");
            assert_eq!(mistakes(&r, &l), expected, "{right} {left}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_however_it_is_spelled() {
        let known = ["path", "pollInterval", "sdk.batch.size"].map(String::from);
        let nearest = |name| nearest(name, known.iter());
        assert_eq!(nearest("Path"), Some("path"));
        assert_eq!(nearest("pth"), Some("path"));
        assert_eq!(nearest("poll_interval"), Some("pollInterval"));
        assert_eq!(nearest("poll-intervall"), Some("pollInterval"));
        assert_eq!(nearest("sdk.batchSize"), Some("sdk.batch.size"));
        assert_eq!(nearest("url"), None);
        assert_eq!(nearest("pat"), Some("path"));
        assert_eq!(nearest("bat"), None);
        assert_eq!(nearest(""), None);
    }

    #[test]
    fn short_names_are_guessed_with_care() {
        let known = ["id".to_owned(), "x".to_owned()];
        let nearest = |name| nearest(name, known.iter());
        assert_eq!(nearest("ib"), Some("id"));
        assert_eq!(nearest("y"), None);
    }
}
