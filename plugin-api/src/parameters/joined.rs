//! The parameters of nested structs under their full names, joined at compile time.
//!
//! `#[derive(Parameters)]` calls this; nobody else need. A constant can't allocate, so the names lie
//! in one array of bytes whose length is computed first, and the parameters are taken from it in
//! the same order.

use std::borrow::Cow;
use std::mem::{ManuallyDrop, replace};

use crate::specification::constant_text;
use crate::{Parameter, ParameterType};

/// A parameter and its name.
pub type Named = (&'static str, Parameter);

/// What the names begin with, and the parameters without it.
pub type Part = (&'static str, &'static [Named]);

/// Number of all parameters.
#[must_use]
pub const fn count(parts: &[Part]) -> usize {
    let mut count = 0;
    let mut rest = parts;
    while let [(_, parameters), tail @ ..] = rest {
        count += parameters.len();
        rest = tail;
    }
    count
}

/// Bytes of all names.
#[must_use]
pub const fn name_bytes(parts: &[Part]) -> usize {
    // Written nowhere, the names are only counted; so the two can't disagree.
    write_names(parts, &mut [])
}

/// All names, one behind the other.
#[must_use]
pub const fn names<const N: usize>(parts: &[Part]) -> [u8; N] {
    let mut names = [0; N];
    write_names(parts, &mut names);
    names
}

const fn write_names(parts: &[Part], names: &mut [u8]) -> usize {
    let mut at = 0;
    let mut rest = parts;
    while let [(prefix, parameters), tail @ ..] = rest {
        let mut parameters = *parameters;
        while let [(name, _), others @ ..] = parameters {
            at = write(prefix.as_bytes(), names, at);
            at = write(name.as_bytes(), names, at);
            parameters = others;
        }
        rest = tail;
    }
    at
}

const fn write(text: &[u8], to: &mut [u8], at: usize) -> usize {
    if !to.is_empty() {
        let (_, free) = to.split_at_mut(at);
        let (place, _) = free.split_at_mut(text.len());
        place.copy_from_slice(text);
    }
    at + text.len()
}

/// All parameters under their full names.
#[must_use]
pub const fn join<const N: usize>(parts: &[Part], names: &'static [u8]) -> [Named; N] {
    const NONE: Named = (
        "",
        Parameter {
            default: Cow::Borrowed(""),
            kind: ParameterType::String,
            description: Cow::Borrowed(""),
            validations: Cow::Borrowed(&[]),
            secret: false,
        },
    );
    let Ok(mut names) = str::from_utf8(names) else {
        unreachable!()
    };
    let mut all = [NONE; N];
    let mut made = 0;
    let mut rest = parts;
    while let [(prefix, parameters), tail @ ..] = rest {
        let mut parameters = *parameters;
        while let [(name, parameter), others @ ..] = parameters {
            let (own, behind) = names.split_at(prefix.len() + name.len());
            // A constant has no destructors, so what is replaced must not be dropped.
            let _none = ManuallyDrop::new(replace(&mut all[made], (own, copy(parameter))));
            made += 1;
            names = behind;
            parameters = others;
        }
        rest = tail;
    }
    all
}

/// Whether each has a name of its own.
#[must_use]
pub const fn differ(parameters: &[Named]) -> bool {
    let mut rest = parameters;
    while let [(name, _), tail @ ..] = rest {
        if has_name(tail, name) {
            return false;
        }
        rest = tail;
    }
    true
}

const fn has_name(parameters: &[Named], name: &str) -> bool {
    let mut rest = parameters;
    while let [(present, _), tail @ ..] = rest {
        if same(present.as_bytes(), name.as_bytes()) {
            return true;
        }
        rest = tail;
    }
    false
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    let (mut l, mut r) = (left, right);
    while let ([a, left @ ..], [b, right @ ..]) = (l, r) {
        if *a != *b {
            return false;
        }
        (l, r) = (left, right);
    }
    l.len() == r.len()
}

const fn copy(parameter: &'static Parameter) -> Parameter {
    let Parameter {
        default,
        kind,
        description,
        validations,
        secret,
    } = parameter;
    Parameter {
        default: Cow::Borrowed(constant_text(default)),
        kind: *kind,
        description: Cow::Borrowed(constant_text(description)),
        validations: match validations {
            Cow::Borrowed(validations) => Cow::Borrowed(validations),
            Cow::Owned(validations) => Cow::Borrowed(validations.as_slice()),
        },
        secret: *secret,
    }
}
