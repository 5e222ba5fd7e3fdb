//! "Did you mean …?": the known name that is closest to what was written.

/// The known name that differs least from `written`, if the two are close enough for a slip.
pub(super) fn closest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    // Longer than any known name by far: no slip, and not worth a quadratic comparison.
    if written.len() > 64 {
        return None;
    }
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let written = plain(written);
    known
        .iter()
        .map(|&name| (distance(&written, &plain(name)), name))
        .filter(|&(distance, name)| distance <= (name.chars().count() / 3).min(3))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours that make `a` from `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["id", "type", "plugin", "settings", "dead-letter-queue"];
        for (written, expected) in [
            ("plugins", Some("plugin")),
            ("pluign", Some("plugin")),
            ("setting", Some("settings")),
            ("dead_letter_queue", Some("dead-letter-queue")),
            ("deadLetterQueue", Some("dead-letter-queue")),
            ("Type", Some("type")),
            ("ID", Some("id")),
            ("workers", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(closest(written, &known), expected, "{written}");
        }
        assert_eq!(closest(&"plugin".repeat(1_000), &known), None);
    }

    #[test]
    fn distance_counts_edits_and_swaps() {
        for (a, b, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
