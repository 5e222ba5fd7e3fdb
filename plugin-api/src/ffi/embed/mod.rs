//! Builds the marker that a plugin file carries, at compile time.
//!
//! Owns the marker's content: which facts it holds and in which order. The header's numbers are
//! those of [`marker`]; reading one is the host's job. `export_plugin!` calls this; nobody
//! else need. What a marker says about a plugin and what `specify` answers come from the same
//! [`SpecificationFacts`], so they can't differ.

mod json;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use forebay_abi::marker;

use crate::specification::constant_text;
use crate::{AckMode, Parameter, Specification, Validation};
use json::Output;

/// A parameter and its name, as `#[derive(Parameters)]` makes them.
type Named = (&'static str, Parameter);

/// What a marker tells of a plugin file.
#[derive(Debug, Clone, Copy)]
pub struct MarkerFacts {
    /// Version of the ABI crate.
    pub abi: &'static str,
    /// Version of the author layer.
    pub api: &'static str,
    /// Version of `abi_stable`, which checks the layout.
    pub abi_stable: &'static str,
    /// Compiler that built the file.
    pub rustc: &'static str,
    /// Target triple that the file was built for.
    pub target: &'static str,
    /// Panic strategy: `unwind`, or `abort`, which no host takes in process.
    pub panic: &'static str,
    /// Symbol under which the root module is found.
    pub symbol: &'static str,
    /// Name of the package that made the file.
    pub package: &'static str,
    /// Version of that package.
    pub version: &'static str,
    /// What the plugin tells about itself.
    pub specification: SpecificationFacts,
}

/// A [`Specification`] that a constant can hold.
#[derive(Debug, Clone, Copy)]
pub struct SpecificationFacts {
    /// Name of the plugin.
    pub name: &'static str,
    /// One line that says what the plugin does.
    pub summary: &'static str,
    /// Longer text.
    pub description: &'static str,
    /// Semantic version with a leading `v`.
    pub version: &'static str,
    /// Who made or keeps the plugin.
    pub author: &'static str,
    /// Which positions the source wants to see acknowledged.
    pub acks: AckMode,
    /// Parameters of the source; `None` where the plugin has no source.
    pub source_params: Option<&'static [Named]>,
    /// Parameters of the destination; `None` where the plugin has no destination.
    pub destination_params: Option<&'static [Named]>,
}

impl MarkerFacts {
    /// The specification that `specify` answers.
    #[must_use]
    pub fn specification(&self) -> Specification {
        let facts = &self.specification;
        let by_name = |params: &'static [Named]| {
            params
                .iter()
                .map(|(name, parameter)| ((*name).to_owned(), parameter.clone()))
                .collect()
        };
        Specification {
            name: facts.name.to_owned(),
            summary: facts.summary.to_owned(),
            description: facts.description.to_owned(),
            version: facts.version.to_owned(),
            author: facts.author.to_owned(),
            acks: facts.acks,
            source_params: facts.source_params.map(by_name),
            destination_params: facts.destination_params.map(by_name),
        }
    }
}

/// Length of the marker in bytes; the `N` of [`build`].
#[must_use]
pub const fn len(facts: &MarkerFacts) -> usize {
    // An output of no bytes only counts, so the length can't disagree with the content.
    let mut output = Output::<0>::new();
    write_marker(&mut output, facts);
    marker::HEADER_LEN + output.len()
}

/// Builds the marker.
///
/// # Panics
///
/// Panics, and so ends the compilation, if `N` isn't [`len`] of the same facts or if the marker
/// would be larger than 4 GiB.
#[must_use]
pub const fn build<const N: usize>(facts: &MarkerFacts) -> [u8; N] {
    let mut output = Output::<N>::new();
    output.skip(marker::HEADER_LEN);
    write_marker(&mut output, facts);
    assert!(output.len() == N, "a marker's N must be `len` of its facts");
    let mut bytes = output.into_bytes();

    let (header, json) = bytes.split_at_mut(marker::HEADER_LEN);
    assert!(
        json.len() <= u32::MAX as usize,
        "the marker is larger than 4 GiB: shorten the parameters' descriptions"
    );
    let [length @ .., _, _, _, _] = (json.len() as u64).to_le_bytes();
    let (magic, numbers) = header.split_at_mut(marker::MAGIC.len());
    magic.copy_from_slice(&marker::MAGIC);
    let (format, numbers) = numbers.split_at_mut(4);
    format.copy_from_slice(&marker::FORMAT.to_le_bytes());
    let (json_length, checksum) = numbers.split_at_mut(4);
    json_length.copy_from_slice(&length);
    checksum.copy_from_slice(&marker::crc32(json).to_le_bytes());
    bytes
}

const fn write_marker<const N: usize>(output: &mut Output<N>, facts: &MarkerFacts) {
    write_members(
        output,
        &[
            ("{\"abi\":\"", facts.abi),
            ("\",\"api\":\"", facts.api),
            ("\",\"abi_stable\":\"", facts.abi_stable),
            ("\",\"rustc\":\"", facts.rustc),
            ("\",\"target\":\"", facts.target),
            ("\",\"panic\":\"", facts.panic),
            ("\",\"symbol\":\"", facts.symbol),
            ("\",\"package\":\"", facts.package),
            ("\",\"version\":\"", facts.version),
        ],
    );
    output.raw("\",\"specification\":");
    write_specification(output, &facts.specification);
    output.raw("}");
}

const fn write_specification<const N: usize>(output: &mut Output<N>, facts: &SpecificationFacts) {
    write_members(
        output,
        &[
            ("{\"name\":\"", facts.name),
            ("\",\"summary\":\"", facts.summary),
            ("\",\"description\":\"", facts.description),
            ("\",\"version\":\"", facts.version),
            ("\",\"author\":\"", facts.author),
            ("\",\"acks\":\"", facts.acks.as_str()),
        ],
    );
    output.raw("\",\"sourceParams\":");
    write_params(output, facts.source_params);
    output.raw(",\"destinationParams\":");
    write_params(output, facts.destination_params);
    output.raw("}");
}

const fn write_params<const N: usize>(output: &mut Output<N>, params: Option<&[Named]>) {
    let Some(mut rest) = params else {
        output.raw("null");
        return;
    };
    output.raw("{");
    while let [(name, parameter), tail @ ..] = rest {
        write_parameter(output, name, parameter);
        if !tail.is_empty() {
            output.raw(",");
        }
        rest = tail;
    }
    output.raw("}");
}

const fn write_parameter<const N: usize>(
    output: &mut Output<N>,
    name: &str,
    parameter: &Parameter,
) {
    write_members(
        output,
        &[
            ("\"", name),
            ("\":{\"default\":\"", constant_text(&parameter.default)),
            ("\",\"type\":\"", parameter.kind.as_str()),
            (
                "\",\"description\":\"",
                constant_text(&parameter.description),
            ),
        ],
    );
    output.raw("\",\"validations\":[");
    let mut rest: &[Validation] = match &parameter.validations {
        Cow::Borrowed(validations) => validations,
        Cow::Owned(validations) => validations.as_slice(),
    };
    while let [validation, tail @ ..] = rest {
        write_members(
            output,
            &[
                ("{\"type\":\"", validation.kind.as_str()),
                ("\",\"value\":\"", constant_text(&validation.value)),
            ],
        );
        output.raw(if tail.is_empty() { "\"}" } else { "\"}," });
        rest = tail;
    }
    output.raw(if parameter.secret {
        "],\"secret\":true}"
    } else {
        "],\"secret\":false}"
    });
}

/// Writes members whose values are text: what leads up to each value, then the value.
const fn write_members<const N: usize>(output: &mut Output<N>, members: &[(&str, &str)]) {
    let mut rest = members;
    while let [(lead, value), tail @ ..] = rest {
        output.raw(lead);
        output.escaped(value);
        rest = tail;
    }
}
