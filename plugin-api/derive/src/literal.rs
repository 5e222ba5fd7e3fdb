//! A literal in an attribute: a string, a number with or without a sign, or a truth value.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Lit, Result, Token};

/// A literal and the sign before it.
#[derive(Clone)]
pub(crate) struct Literal {
    minus: Option<Token![-]>,
    literal: Lit,
}

/// What kind of literal it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Int,
    Float,
    Bool,
}

impl Literal {
    pub(crate) fn form(&self) -> Form {
        match &self.literal {
            Lit::Str(_) => Form::Text,
            Lit::Int(_) => Form::Int,
            Lit::Float(_) => Form::Float,
            // Parsing let nothing else pass.
            _ => Form::Bool,
        }
    }

    /// The literal as the text of a setting: decimal, without suffix and underscores.
    pub(crate) fn text(&self) -> String {
        let sign = if self.minus.is_some() { "-" } else { "" };
        match &self.literal {
            Lit::Str(text) => text.value(),
            Lit::Int(int) => format!("{sign}{}", int.base10_digits()),
            Lit::Float(float) => format!("{sign}{}", float.base10_digits()),
            other => other.to_token_stream().to_string(),
        }
    }
}

impl Parse for Literal {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let minus: Option<Token![-]> = input.parse()?;
        let literal: Lit = input.parse()?;
        match &literal {
            Lit::Int(_) | Lit::Float(_) => {}
            Lit::Str(_) | Lit::Bool(_) if minus.is_none() => {}
            other => {
                return Err(Error::new_spanned(
                    other,
                    "expected a string, a number, `true` or `false`",
                ));
            }
        }
        Ok(Self { minus, literal })
    }
}

impl ToTokens for Literal {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.minus.to_tokens(tokens);
        self.literal.to_tokens(tokens);
    }
}
