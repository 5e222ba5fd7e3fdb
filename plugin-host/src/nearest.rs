//! Which name was meant by one that is none: of a parameter, of a plugin, or of a host's own field.

/// The known name with the fewest mistakes, if those are at most about a third of what was written.
///
/// Upper and lower case, and all but letters and digits, make no difference: `poll_interval` is
/// `pollInterval`. It is for a "did you mean …?", never to be taken for what was written.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (written, length) = plain(written);
    // None in one letter, one in two to four, two in five to seven.
    let limit = (length + 1) / 3;
    let known = known.into_iter().filter_map(|known| {
        let (plain, its_length) = plain(known);
        // As many mistakes at least, and long texts are never compared.
        let is_possible = its_length.abs_diff(length) <= limit;
        let mistakes = is_possible.then(|| strsim::osa_distance(&written, &plain))?;
        (mistakes <= limit).then_some((mistakes, known))
    });
    let nearest = known.min_by_key(|(mistakes, _)| *mistakes);
    nearest.map(|(_, known)| known)
}

/// Letters and digits alone, in lower case, and their number.
fn plain(name: &str) -> (String, usize) {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    let plain: String = letters.flat_map(char::to_lowercase).collect();
    let length = plain.chars().count();
    (plain, length)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_found_however_it_is_spelled() {
        let known = ["path", "pollInterval", "sdk.batch.size"];
        for (written, expected) in [
            ("Path", Some("path")),
            ("pth", Some("path")),
            ("paht", Some("path")),
            ("pat", Some("path")),
            ("poll_interval", Some("pollInterval")),
            ("poll-intervall", Some("pollInterval")),
            ("sdk.batchSize", Some("sdk.batch.size")),
            ("url", None),
            ("bat", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known), expected, "{written}");
        }
        assert_eq!(nearest(&"path".repeat(1_000_000), known), None);
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["id", "type", "plugin", "settings", "dead-letter-queue"];
        for (written, expected) in [
            ("pluign", Some("plugin")),
            ("setting", Some("settings")),
            ("deadLetterQueue", Some("dead-letter-queue")),
            ("ID", Some("id")),
            ("workers", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written, known), expected, "{written}");
        }
    }

    #[test]
    fn short_names_are_guessed_with_care() {
        let known = ["id", "x"];
        assert_eq!(nearest("ib", known), Some("id"));
        assert_eq!(nearest("y", known), None);
    }
}
