//! A doc comment as the description of a parameter.

use syn::{Attribute, Expr, Lit, Meta};

/// Joins the lines of a doc comment: one line for each paragraph and each item of a list.
///
/// `None` if there is nothing in it.
pub(crate) fn of(attributes: &[Attribute]) -> Option<String> {
    let text: Vec<String> = attributes.iter().filter_map(doc).collect();
    let mut description = String::new();
    let mut line_ended = true;
    for line in text.iter().flat_map(|text| text.split('\n')).map(str::trim) {
        if line.is_empty() {
            line_ended = true;
            continue;
        }
        if !description.is_empty() {
            let item = line.starts_with("- ") || line.starts_with("* ");
            description.push(if line_ended || item { '\n' } else { ' ' });
        }
        description.push_str(line);
        line_ended = false;
    }
    (!description.is_empty()).then_some(description)
}

/// The text of `#[doc = "..."]`, which is what a doc comment stands for.
fn doc(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    match &meta.value {
        Expr::Lit(expr) if meta.path.is_ident("doc") => match &expr.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_paragraph_are_joined() {
        let attributes: Vec<Attribute> = syn::parse_quote! {
            /// First line
            ///   goes on.
            ///
            ///
            /// Second paragraph:
            /// - one
            ///   and more
            /// - two
        };
        let expected = "First line goes on.\nSecond paragraph:\n- one and more\n- two";
        assert_eq!(of(&attributes).as_deref(), Some(expected));
    }

    #[test]
    fn blank_and_other_attributes_are_no_description() {
        let attributes: Vec<Attribute> = syn::parse_quote! {
            ///
            #[doc(hidden)]
            #[doc = ""]
            #[cfg(unix)]
            #[deprecated = "old"]
        };
        assert_eq!(of(&attributes), None);
    }
}
