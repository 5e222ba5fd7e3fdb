//! The implementation of `Parameters`, written out.
//!
//! Everything is named by its absolute path, so that nothing in the author's scope can get in
//! between, and nothing here needs `unsafe`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Error, Ident, parse_quote};

use crate::field::{Parameter, Shape};
use crate::input::Struct;
use crate::literal::{Form, Literal};
use crate::nested::Nested;
use crate::validation::Validation;

/// Writes the implementation.
pub(crate) fn expand(struct_: &Struct) -> TokenStream {
    let Struct {
        ident,
        parameters,
        nested,
    } = struct_;
    let all = all_parameters(parameters, nested);
    let (settings, body) = from_settings(parameters, nested);
    let bounds = parameters.iter().flat_map(bound_checks);
    quote! {
        #[automatically_derived]
        impl ::plugin_api::Parameters for #ident {
            const PARAMETERS: &'static [(&'static ::core::primitive::str, ::plugin_api::Parameter)] =
                #all;

            fn from_settings(
                #settings: &::plugin_api::Settings<'_>,
            ) -> ::plugin_api::Result<Self> {
                #body
            }
        }
        #(#bounds)*
    }
}

/// The parameters of the fields, and behind them those of nested structs under their full names.
fn all_parameters(parameters: &[Parameter], nested: &[Nested]) -> TokenStream {
    let constants = parameters.iter().map(constant);
    let own = quote!(&[#(#constants),*]);
    if nested.is_empty() {
        return own;
    }
    let parts = nested.iter().map(
        |Nested {
             prefix, ty, map, ..
         }| {
            let prefix = if *map {
                format!("{prefix}*.")
            } else {
                prefix.clone()
            };
            let parameters =
                quote_spanned!(ty.span()=> <#ty as ::plugin_api::Parameters>::PARAMETERS);
            quote!((#prefix, #parameters))
        },
    );
    quote! {{
        const PARTS: &[::plugin_api::joined::Part] = &[("", #own), #(#parts),*];
        const NAMES: [::core::primitive::u8; ::plugin_api::joined::name_bytes(PARTS)] =
            ::plugin_api::joined::names(PARTS);
        const ALL: &[::plugin_api::joined::Named; ::plugin_api::joined::count(PARTS)] =
            &::plugin_api::joined::join(PARTS, &NAMES);
        const _: () = ::core::assert!(
            ::plugin_api::joined::differ(ALL),
            "two parameters have one name: give one a name by `#[parameter(name = \"...\")]`"
        );
        ALL
    }}
}

/// The error, with an implementation beside it: without one the compiler would complain of its
/// absence wherever the struct is used, and hide the one mistake among many lines.
pub(crate) fn stub(input: &DeriveInput, error: &Error) -> TokenStream {
    let ident = &input.ident;
    let error = error.to_compile_error();
    let mut generics = input.generics.clone();
    if !generics.params.is_empty() {
        // What the trait asks for depends on the arguments then.
        let bound = parse_quote!(Self: ::core::marker::Send + 'static);
        generics.make_where_clause().predicates.push(bound);
    }
    let (generics, arguments, clause) = generics.split_for_impl();
    quote! {
        #error
        #[automatically_derived]
        impl #generics ::plugin_api::Parameters for #ident #arguments #clause {
            const PARAMETERS: &'static [(&'static ::core::primitive::str, ::plugin_api::Parameter)] =
                &[];

            fn from_settings(_: &::plugin_api::Settings<'_>) -> ::plugin_api::Result<Self> {
                ::core::unreachable!()
            }
        }
    }
}

/// The parameter as a constant.
fn constant(parameter: &Parameter) -> TokenStream {
    let Parameter {
        name,
        ty,
        default,
        description,
        secret,
        ..
    } = parameter;
    let kind = quote_spanned!(ty.span()=> <#ty as ::plugin_api::ParameterValue>::KIND);
    let validations = parameter
        .validations
        .iter()
        .map(|Validation { kind, value }| {
            let kind = format_ident!("{kind}");
            quote! {
                ::plugin_api::Validation {
                    kind: ::plugin_api::ValidationType::#kind,
                    value: ::std::borrow::Cow::Borrowed(#value),
                }
            }
        });
    quote! {
        (#name, ::plugin_api::Parameter {
            default: ::std::borrow::Cow::Borrowed(#default),
            kind: #kind,
            description: ::std::borrow::Cow::Borrowed(#description),
            validations: ::std::borrow::Cow::Borrowed(&[#(#validations),*]),
            secret: #secret,
        })
    }
}

/// The pattern of the argument and the body of `from_settings`: every field is parsed before
/// the first error is looked at.
fn from_settings(parameters: &[Parameter], nested: &[Nested]) -> (TokenStream, TokenStream) {
    if parameters.is_empty() && nested.is_empty() {
        return (quote!(_), quote!(::core::result::Result::Ok(Self {})));
    }
    let settings = format_ident!("settings", span = Span::mixed_site());
    let errors = format_ident!("errors", span = Span::mixed_site());
    let parsed = parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| parse_parameter(&settings, index, parameter))
        .chain(nested.iter().map(|nested| parse_nested(&settings, nested)));
    let fields = parameters.iter().map(|parameter| &parameter.field);
    let fields = fields.chain(nested.iter().map(|nested| &nested.field));
    let values: Vec<_> = (0..parameters.len() + nested.len())
        .map(|index| format_ident!("value_{index}", span = Span::mixed_site()))
        .collect();
    // One error of a field that has one value, all those of the others.
    let add = parameters
        .iter()
        .map(|parameter| parameter.shape != Shape::Map)
        .chain(nested.iter().map(|_| false))
        .zip(&values)
        .map(|(single, value)| {
            let found = quote!(::core::result::Result::err(#value));
            let found = match single {
                true => found,
                false => quote! {
                    ::core::iter::Iterator::flatten(::core::iter::IntoIterator::into_iter(#found))
                },
            };
            quote!(::core::iter::Extend::extend(&mut #errors, #found);)
        });
    let body = quote! {
        match (#(#parsed,)*) {
            (#(::core::result::Result::Ok(#values),)*) => {
                ::core::result::Result::Ok(Self { #(#fields: #values),* })
            }
            (#(#values,)*) => {
                let mut #errors = ::std::vec::Vec::new();
                #(#add)*
                ::core::result::Result::Err(::plugin_api::Error::invalid_parameters(#errors))
            }
        }
    };
    (quote!(#settings), body)
}

fn parse_parameter(settings: &Ident, index: usize, parameter: &Parameter) -> TokenStream {
    let Parameter { ty, shape, .. } = parameter;
    let parse = quote_spanned!(ty.span()=> <#ty as ::plugin_api::ParameterValue>::parse);
    let all = quote!(<Self as ::plugin_api::Parameters>::PARAMETERS);
    let (method, others) = match shape {
        Shape::One => (format_ident!("value"), None),
        Shape::Optional => (format_ident!("optional"), None),
        Shape::Map => (format_ident!("map"), Some(quote!(#all,))),
    };
    // In a closure, a type that won't do is told of once and where it stands; the bare path
    // would be told of again for the whole call.
    quote! {
        ::plugin_api::Settings::#method(#settings, &#all[#index], #others |text| #parse(text))
    }
}

fn parse_nested(settings: &Ident, nested: &Nested) -> TokenStream {
    let Nested {
        prefix, ty, map, ..
    } = nested;
    let make = quote_spanned!(ty.span()=> <#ty as ::plugin_api::Parameters>::from_settings);
    let method = format_ident!("{}", if *map { "nested_map" } else { "nested" });
    quote! {
        ::plugin_api::Settings::#method(#settings, #prefix, |settings| #make(settings))
    }
}

/// Constants that fail to compile where a bound doesn't fit a type that the macro doesn't know.
fn bound_checks(parameter: &Parameter) -> impl Iterator<Item = TokenStream> {
    let ty = &parameter.ty;
    parameter
        .unchecked_bounds
        .iter()
        .map(move |bound: &Literal| {
            let (kinds, message) = match bound.form() {
                Form::Text => (quote!(Duration), "this bound is for a `KIND` of `Duration`"),
                Form::Float => (quote!(Float), "this bound is for a `KIND` of `Float`"),
                Form::Int | Form::Bool => (
                    quote!(Int | ::plugin_api::ParameterType::Float),
                    "this bound is for a `KIND` of `Int` or `Float`",
                ),
            };
            quote_spanned! {bound.span()=>
                const _: () = ::core::assert!(
                    ::core::matches!(
                        <#ty as ::plugin_api::ParameterValue>::KIND,
                        ::plugin_api::ParameterType::#kinds
                    ),
                    #message
                );
            }
        })
}
