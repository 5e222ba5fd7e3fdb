//! Lists as text: the values of a parameter that is a list, and those of inclusion and exclusion.

/// The entries of a list, which are joined by commas.
///
/// A comma in an entry is written `\,` and a backslash `\\`. A backslash before anything else, or
/// at the end, stands for itself, so that lists from before there was an escape read as they did.
/// Nothing is trimmed, and an empty text is a list of one empty entry.
///
/// # Examples
///
/// ```
/// let entries: Vec<_> = plugin_api::list_entries(r"a\,b,c").collect();
/// assert_eq!(entries, ["a,b", "c"]);
/// ```
pub fn list_entries(list: &str) -> impl Iterator<Item = String> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let (entry, after) = take(rest?);
        rest = after;
        Some(entry)
    })
}

/// Cuts off the first entry; `None` is left after the last.
fn take(list: &str) -> (String, Option<&str>) {
    let mut entry = String::new();
    let mut chars = list.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            (',', _) => return (entry, Some(chars.as_str())),
            ('\\', Some(escaped @ (',' | '\\'))) => {
                entry.push(escaped);
                chars.next();
            }
            _ => entry.push(c),
        }
    }
    (entry, None)
}

#[cfg(test)]
mod tests {
    use super::list_entries as entries;

    #[test]
    fn lists_split_at_commas_that_are_not_escaped() {
        let table: [(&str, &[&str]); 10] = [
            ("a,b", &["a", "b"]),
            ("a", &["a"]),
            ("", &[""]),
            (",a,", &["", "a", ""]),
            (" a, b", &[" a", " b"]),
            (r"a\,b,c", &["a,b", "c"]),
            (r"a\\,b", &[r"a\", "b"]),
            (r"a\\\,b", &[r"a\,b"]),
            (r"\d,\w\", &[r"\d", r"\w\"]),
            ("ä\\,ö,ü", &["ä,ö", "ü"]),
        ];
        for (list, expected) in table {
            assert_eq!(entries(list).collect::<Vec<_>>(), expected, "{list}");
        }
    }

    #[test]
    fn what_is_joined_splits_into_the_same() {
        let all = ["a,b", r"c\", r"\,", "", r"\\,,"];
        let escaped = all.map(|entry| entry.replace('\\', r"\\").replace(',', r"\,"));
        assert_eq!(entries(&escaped.join(",")).collect::<Vec<_>>(), all);
    }
}
