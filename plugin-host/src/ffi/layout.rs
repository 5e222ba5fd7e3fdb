//! Compares the layout of the types that cross, and says in a few words what differs.
//!
//! The comparison is `abi_stable`'s; its own report prints both types whole, 40 kB of them. It is
//! kept for the verbose form.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityError, AbiInstabilityErrors, CheckingGlobals, ExpectedFound,
    check_layout_compatibility_with_globals,
};
use abi_stable::library::LibHeader;
use abi_stable::type_layout::{TLField, TLFieldOrFunction, TypeLayout};
use plugin_api::ffi::PluginError;

use crate::loader::LoadError;

/// Compares the layout of every type that crosses, in both directions: `abi_stable` demands that the
/// interface has no field that the implementation lacks, so a plugin older than the host passes
/// only the reversed comparison.
pub(super) fn check(header: &LibHeader, ours: &'static TypeLayout) -> Result<(), LoadError> {
    let invalid = |why: &str| LoadError::HeaderInvalid {
        why: why.to_owned(),
    };
    let theirs = header
        .layout()
        .ok_or_else(|| invalid("it has no type layout"))?;
    // A panic of the checker would be a bug of it; the file is refused all the same.
    catch_unwind(AssertUnwindSafe(|| {
        compare(ours, theirs)
            .or_else(|errors| compare(theirs, ours).map_err(|_| errors))
            .map_err(|errors| LoadError::Layout {
                summary: summary(&errors),
                dump: errors.to_string(),
            })
    }))
    .unwrap_or_else(|_| Err(invalid("its type layout can't be read")))
}

/// Each comparison gets globals of its own: with shared ones the result depends on the order in
/// which plugins are loaded.
fn compare(
    interface: &'static TypeLayout,
    implementation: &'static TypeLayout,
) -> Result<(), AbiInstabilityErrors> {
    check_layout_compatibility_with_globals(interface, implementation, &CheckingGlobals::new())
}

/// The first type that differs, and in what.
fn summary(errors: &AbiInstabilityErrors) -> String {
    let differing = || errors.errors.iter().filter(|error| !error.errs.is_empty());
    // A prefix type may have more fields on one side, so a plain one is more likely the fault.
    let Some(error) = differing()
        .find(|error| !innermost(error).is_some_and(TypeLayout::is_prefix_kind))
        .or_else(|| differing().next())
    else {
        return "two types are declared differently".to_owned();
    };
    let differences: Vec<String> = error.errs.iter().take(2).map(difference).collect();
    format!("`{}` {}", place(error), differences.join(", "))
}

/// Which type differs: its name where it is one of the ABI's, else the field that has it.
fn place(error: &AbiInstabilityError) -> String {
    let abi = <PluginError as StableAbi>::LAYOUT.package();
    let mut path = Vec::new();
    for field in fields(error) {
        if field.layout().package() == abi {
            path = vec![field.layout().name()];
        } else {
            path.push(field.name());
        }
    }
    path.join(".")
}

fn innermost(error: &AbiInstabilityError) -> Option<&'static TypeLayout> {
    fields(error).last().map(TLField::layout)
}

/// The fields that lead from the root module to the type that differs.
fn fields(error: &AbiInstabilityError) -> impl Iterator<Item = &TLField> {
    error
        .stack_trace
        .iter()
        .filter_map(|step| match &step.expected {
            TLFieldOrFunction::Field(field) => Some(field),
            TLFieldOrFunction::Function(_) => None,
        })
}

fn difference(difference: &AbiInstability) -> String {
    match difference {
        AbiInstability::Size(sizes) => both("has the size", sizes),
        AbiInstability::Alignment(alignments) => both("has the alignment", alignments),
        AbiInstability::FieldCountMismatch(counts) => both("has the number of fields", counts),
        AbiInstability::Name(names) => both("is of type", names),
        AbiInstability::UnexpectedField(ExpectedFound { expected, found }) => {
            format!(
                "has the field `{}`, expected `{}`",
                found.name(),
                expected.name()
            )
        }
        AbiInstability::PackageVersion(versions) => both("is of version", versions),
        _ => "is declared differently".to_owned(),
    }
}

fn both<T: fmt::Display>(what: &str, values: &ExpectedFound<T>) -> String {
    format!("{what} {}, expected {}", values.found, values.expected)
}
