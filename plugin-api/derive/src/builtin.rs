//! The types that `plugin_api` implements `ParameterValue` for, recognised by their name.
//!
//! A macro sees no types, only what is written. So a type that isn't recognised here may still
//! be right: it is left to the trait, with fewer checks.

use syn::{Error, GenericArgument, PathArguments, Result, Type};

use crate::go_duration;
use crate::literal::{Form, Literal};

/// A recognised type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Builtin {
    Text,
    Path,
    Bool,
    Duration,
    Float { name: String },
    Int { name: String, min: i128, max: i128 },
}

/// A value that has an order: an integer or nanoseconds, or a float. Those of one type compare.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Number {
    Exact(i128),
    Float(f64),
}

impl Builtin {
    /// Recognises a type; `None` if it is another one.
    pub(crate) fn of(ty: &Type) -> Option<Self> {
        let Type::Path(path) = peel(ty) else {
            return None;
        };
        let name = path.path.segments.last()?;
        if !name.arguments.is_none() {
            return None;
        }
        let name = name.ident.to_string();
        // A setting has at most 64 bits, whatever the field has.
        let (min, max) = match name.as_str() {
            "String" => return Some(Self::Text),
            "PathBuf" => return Some(Self::Path),
            "bool" => return Some(Self::Bool),
            "Duration" => return Some(Self::Duration),
            "f32" | "f64" => return Some(Self::Float { name }),
            "i8" => (i8::MIN.into(), i8::MAX.into()),
            "i16" => (i16::MIN.into(), i16::MAX.into()),
            "i32" => (i32::MIN.into(), i32::MAX.into()),
            "i64" | "isize" => (i64::MIN.into(), i64::MAX.into()),
            "i128" => (i64::MIN.into(), u64::MAX.into()),
            "u8" => (0, u8::MAX.into()),
            "u16" => (0, u16::MAX.into()),
            "u32" => (0, u32::MAX.into()),
            "u64" | "u128" | "usize" => (0, u64::MAX.into()),
            _ => return None,
        };
        Some(Self::Int { name, min, max })
    }

    /// What an integer's values must be greater and less than, where a host that only knows that it
    /// is an integer of 64 bits, with a sign or without, would let more pass.
    pub(crate) fn bounds(&self) -> (Option<i128>, Option<i128>) {
        let Self::Int { min, max, .. } = *self else {
            return (None, None);
        };
        (
            (min > i64::MIN.into()).then_some(min - 1),
            (max < u64::MAX.into()).then_some(max + 1),
        )
    }

    /// Whether values of the type can be greater and less.
    pub(crate) fn has_order(&self) -> bool {
        matches!(self, Self::Duration | Self::Float { .. } | Self::Int { .. })
    }

    /// Checks that a literal is a value of the type and takes its number, if it has one.
    pub(crate) fn value(&self, literal: &Literal) -> Result<Option<Number>> {
        let number = self.number(literal)?;
        let text = literal.text();
        let range = match (self, number) {
            (Self::Int { name, min, max }, Some(Number::Exact(value)))
                if !(min..=max).contains(&&value) =>
            {
                format!("`{name}` takes {min} to {max}")
            }
            (Self::Duration, Some(Number::Exact(..0))) => {
                "`Duration` takes zero and more".to_owned()
            }
            (Self::Float { name }, _)
                if name == "f32" && text.parse().is_ok_and(f32::is_infinite) =>
            {
                format!("`f32` takes {:e} to {:e}", f32::MIN, f32::MAX)
            }
            _ => return Ok(number),
        };
        Err(Error::new_spanned(
            literal,
            format!("`{text}` is out of range: {range}"),
        ))
    }

    /// Checks that a literal has the form of the type's values, in range or not: a bound may be
    /// outside, such as -1 for an unsigned integer.
    pub(crate) fn number(&self, literal: &Literal) -> Result<Option<Number>> {
        let text = literal.text();
        let number = match (self, literal.form()) {
            (Self::Text | Self::Path, Form::Text) | (Self::Bool, Form::Bool) => return Ok(None),
            (Self::Duration, Form::Text) => go_duration::nanos(&text).map(Number::Exact),
            (Self::Int { .. }, Form::Int) => text.parse().map(Number::Exact).ok(),
            (Self::Float { .. }, Form::Int | Form::Float) => {
                let number = text.parse().ok();
                number
                    .filter(|number: &f64| number.is_finite())
                    .map(Number::Float)
            }
            _ => None,
        };
        let wrong = || Error::new_spanned(literal, format!("expected {}", self.expected()));
        number.ok_or_else(wrong).map(Some)
    }

    /// What a literal of the type is.
    fn expected(&self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Path => "a string with a path",
            Self::Bool => "`true` or `false`",
            Self::Duration => "a string with a duration, such as \"1h30m\" or \"250ms\"",
            Self::Float { .. } => "a finite number",
            Self::Int { .. } => "an integer",
        }
    }
}

/// The type in an `Option`.
pub(crate) fn in_option(ty: &Type) -> Option<&Type> {
    match arguments_of(ty, "Option")?[..] {
        [inner] => Some(inner),
        _ => None,
    }
}

/// The type of the entries of a `Vec`.
pub(crate) fn in_list(ty: &Type) -> Option<&Type> {
    match arguments_of(ty, "Vec")?[..] {
        [entry] => Some(entry),
        _ => None,
    }
}

/// The type of the values of a `BTreeMap`; its keys have to be a `String`, or the implementation
/// doesn't compile.
pub(crate) fn in_map(ty: &Type) -> Option<&Type> {
    match arguments_of(ty, "BTreeMap")?[..] {
        [_, value] => Some(value),
        _ => None,
    }
}

/// The types between the angle brackets of a type with this name.
fn arguments_of<'a>(ty: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = peel(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let types = arguments.args.iter().map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    (last.ident == name).then(|| types.collect()).flatten()
}

/// The type without the groups and parentheses that macros leave around it.
fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        other => other,
    }
}
