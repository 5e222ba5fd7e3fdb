//! Names with `*`: which parameter a setting is, and which settings a parameter stands for.
//!
//! A `*` is a whole part between dots. It stands for whatever a configuration has there: up to the
//! next dot, or, as the last part, for all the rest. It never stands for nothing.

use std::collections::{BTreeMap, BTreeSet};

use plugin_api::Parameter;

/// The parameter that a setting is, with the name that it is declared under.
///
/// A parameter without `*` goes first. Of several with it, the one whose first parts are most
/// definite does.
pub(crate) fn find<'a>(
    name: &str,
    params: &'a BTreeMap<String, Parameter>,
) -> Option<(&'a str, &'a Parameter)> {
    let declared = |(name, parameter): (&'a String, _)| (name.as_str(), parameter);
    let exact = params.get_key_value(name).map(declared);
    exact.or_else(|| {
        let matching = params.iter().filter(|(pattern, _)| matches(pattern, name));
        // Part by part, a word goes before `*`, and a `*` for one part before one for all the rest.
        let definite = matching.max_by_key(|(pattern, _)| {
            let parts = pattern.split('.');
            let mut definite: Vec<u8> = parts.map(|part| u8::from(part != "*") + 1).collect();
            if let Some(last @ 1) = definite.last_mut() {
                *last = 0;
            }
            definite
        });
        definite.map(declared)
    })
}

/// Whether a name is a parameter for as many settings as a configuration has.
pub(super) fn is_pattern(name: &str) -> bool {
    name.split('.').any(|part| part == "*")
}

fn matches(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    loop {
        if pattern == "*" {
            return !name.is_empty();
        }
        let (part, patterns) = cut(pattern);
        let (word, words) = cut(name);
        if word != part && (part != "*" || word.is_empty()) {
            return false;
        }
        match (patterns, words) {
            (None, None) => return true,
            (Some(patterns), Some(words)) => (pattern, name) = (patterns, words),
            _ => return false,
        }
    }
}

fn cut(name: &str) -> (&str, Option<&str>) {
    match name.split_once('.') {
        Some((part, rest)) => (part, Some(rest)),
        None => (name, None),
    }
}

/// The names of settings that a parameter stands for, given or not.
///
/// Without `*` that is its own. With it, there is one for each key that occurs among the names that
/// are given, whatever else is given for that key; where the name ends in `*`, only what is given.
pub(super) fn occurring(pattern: &str, given: &BTreeSet<&str>) -> BTreeSet<String> {
    if !is_pattern(pattern) {
        return [pattern.to_owned()].into();
    }
    if pattern == "*" || pattern.ends_with(".*") {
        let given = given.iter().filter(|name| matches(pattern, name));
        return given.map(|name| (*name).to_owned()).collect();
    }
    // Up to its last `*` a name must be like the pattern; then comes the pattern's own end.
    let stars = pattern.split('.').collect::<Vec<_>>();
    let keys = stars
        .iter()
        .rposition(|part| *part == "*")
        .map_or(0, |i| i + 1);
    let (before, end) = (stars[..keys].join(".") + ".*", stars[keys..].join("."));
    let given = given.iter().filter(|name| matches(&before, name));
    given
        .map(|name| {
            let parts = name.split('.').take(keys);
            parts.chain([&*end]).collect::<Vec<_>>().join(".")
        })
        .collect()
}

/// The last parts of a parameter's name, where the name of a setting is only its first ones.
pub(super) fn rest_of<'p>(pattern: &'p str, name: &str) -> Option<&'p str> {
    let (part, patterns) = cut(pattern);
    let (word, words) = cut(name);
    if word != part && (part != "*" || word.is_empty()) {
        return None;
    }
    match words {
        None => patterns,
        Some(words) => rest_of(patterns?, words),
    }
}

/// The names that could have been meant by one that is none: of a parameter with `*`, what it would
/// be with the parts that stand in the `*`'s place.
pub(super) fn meant<'a>(
    name: &str,
    params: impl Iterator<Item = &'a String>,
) -> impl Iterator<Item = String> {
    let words: Vec<&str> = name.split('.').collect();
    params.map(move |pattern| {
        let parts: Vec<&str> = pattern.split('.').collect();
        let mut filled = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            match *part {
                "*" if i + 1 == parts.len() && words.len() > i => {
                    filled.extend_from_slice(&words[i..]);
                }
                "*" => filled.push(words.get(i).filter(|word| !word.is_empty()).unwrap_or(part)),
                word => filled.push(word),
            }
        }
        filled.join(".")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_part_and_at_the_end_the_rest() {
        for (pattern, name, expected) in [
            ("a.*.x", "a.b.x", true),
            ("a.*.x", "a.b.c.x", false),
            ("a.*.x", "a..x", false),
            ("a.*.x", "a.x", false),
            ("a.*.x", "a.b.x.y", false),
            ("a.*.x", "b.b.x", false),
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", true),
            ("a.*", "a.", false),
            ("a.*", "a", false),
            ("*", "anything.at.all", true),
            ("*", "", false),
            ("*.x", "a.x", true),
            ("a.*.b.*", "a.1.b.2.3", true),
            ("a.*.b.*", "a.1.c.2", false),
            ("a.x*", "a.xy", false),
            ("a.x*", "a.x*", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_most_definite_parameter_is_found() {
        let names = ["*", "a.*", "a.*.x", "a.b.*", "a.b.x", "c.*.x", "c.*.*"];
        let params: BTreeMap<_, _> = names
            .map(|name| (name.to_owned(), crate::parameters::tests::text()))
            .into();
        for (name, expected) in [
            ("a.b.x", "a.b.x"),
            ("a.b.y", "a.b.*"),
            ("a.c.x", "a.*.x"),
            ("a.c.y", "a.*"),
            ("c.d.x", "c.*.x"),
            ("c.d.y", "c.*.*"),
            ("z", "*"),
        ] {
            assert_eq!(find(name, &params).unwrap().0, expected, "{name}");
        }
        assert!(find("z", &BTreeMap::new()).is_none());
    }

    #[test]
    fn a_parameter_occurs_for_every_key_that_is_given() {
        let given = ["a.u.x", "a.u.o.p.q", "a.v.y", "a.w", "b.u.x"];
        let given = BTreeSet::from(given);
        for (pattern, expected) in [
            ("plain", &["plain"][..]),
            ("a.*.x", &["a.u.x", "a.v.x"]),
            ("a.*.o.*", &["a.u.o.p.q"]),
            ("c.*.x", &[]),
            ("b.*", &["b.u.x"]),
            ("a.*.o.*.z", &["a.u.o.p.z"]),
        ] {
            let occurring: Vec<_> = occurring(pattern, &given).into_iter().collect();
            assert_eq!(occurring, expected, "{pattern}");
        }
    }
}
