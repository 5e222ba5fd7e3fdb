//! The name of a parameter.

use syn::Ident;
use syn::ext::IdentExt;

/// The name that a field has in a configuration: its own in camel case.
pub(crate) fn of_field(field: &Ident) -> String {
    let field = field.unraw().to_string();
    let mut words = field.split('_').filter(|word| !word.is_empty());
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// Checks that a name can stand in a configuration.
pub(crate) fn check(name: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || !name.chars().all(plain) {
        Err("a parameter's name is made of ASCII letters, digits, `.`, `-` and `_`")
    } else if name.starts_with("sdk.") {
        Err("names that start with `sdk.` are parameters of the host")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    #[test]
    fn fields_become_camel_case() {
        for (field, name) in [
            ("path", "path"),
            ("record_count", "recordCount"),
            ("aws_access_key_id", "awsAccessKeyId"),
            ("_unused_", "unused"),
            ("v_2", "v2"),
            ("urlPath", "urlPath"),
        ] {
            assert_eq!(of_field(&Ident::new(field, Span::call_site())), name);
        }
        let raw = Ident::new_raw("type", Span::call_site());
        assert_eq!(of_field(&raw), "type");
    }

    #[test]
    fn names_are_checked() {
        for name in ["a", "aws.region", "a-b_c.d1", "sdk"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "a b",
            "a:b",
            "naïve",
            "collections.*.format",
            "sdk.batch.size",
        ] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
