//! Derive macro for the parameters of a connector.
//!
//! Used through `plugin_api`, which re-exports it beside the trait that it implements and where
//! the attributes are documented. What can be wrong with a parameter is told here, at compile
//! time, as far as a macro can see it: a file that is built should not be refused by a host.
//!
//! `input` takes the struct apart, `attribute` reads `#[parameter(...)]`, `field` and `validation`
//! make a checked parameter of both, `nested` a struct of parameters, and `expand` writes the
//! implementation.

mod attribute;
mod builtin;
mod description;
mod expand;
mod field;
mod go_duration;
mod input;
mod literal;
mod name;
mod nested;
#[cfg(test)]
mod tests;
mod validation;

use proc_macro::TokenStream;

/// Implements `plugin_api::Parameters` for a struct with named fields.
///
/// The trait's documentation has the attributes and an example.
#[proc_macro_derive(Parameters, attributes(parameter))]
pub fn derive_parameters(input: TokenStream) -> TokenStream {
    let input = match syn::parse(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error().into(),
    };
    input::read(&input)
        .map_or_else(
            |error| expand::stub(&input, &error),
            |struct_| expand::expand(&struct_),
        )
        .into()
}
