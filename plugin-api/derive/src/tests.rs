use syn::{DeriveInput, parse_quote};

use crate::expand::expand;
use crate::field::Parameter;
use crate::input;

fn parameters(input: &DeriveInput) -> Vec<Parameter> {
    input::read(input)
        .map(|struct_| struct_.parameters)
        .unwrap()
}

/// The checks of the first field, as `kind value`.
fn validations(input: &DeriveInput) -> Vec<String> {
    let checks = &parameters(input)[0].validations;
    checks
        .iter()
        .map(|check| format!("{} {}", check.kind, check.value))
        .collect()
}

fn errors(input: &DeriveInput) -> Vec<String> {
    let errors = input::read(input).err().expect("the struct is accepted");
    errors.into_iter().map(|error| error.to_string()).collect()
}

/// The errors of a struct with one field.
macro_rules! errors_of {
    ($($attribute:meta)? => $ty:ty) => {
        errors(&parse_quote! {
            struct Config {
                /// What it does.
                $(#[$attribute])?
                field: $ty,
            }
        })
    };
}

macro_rules! validations_of {
    ($($attribute:meta)? => $ty:ty) => {
        validations(&parse_quote! {
            struct Config {
                /// What it does.
                $(#[$attribute])?
                field: $ty,
            }
        })
    };
}

#[test]
fn field_is_required_unless_optional_or_defaulted() {
    assert_eq!(validations_of!(=> bool), ["Required "]);
    assert!(validations_of!(=> Option<bool>).is_empty());
    assert!(validations_of!(=> std::option::Option<bool>).is_empty());
    assert!(validations_of!(parameter(default = true) => bool).is_empty());
    assert!(validations_of!(parameter(default = "") => String).is_empty());
}

#[test]
fn an_integer_has_the_bounds_of_its_type() {
    let bounds = ["GreaterThan -1", "LessThan 256"];
    assert_eq!(validations_of!(=> Option<u8>), bounds);
    // What a host that takes integers of 64 bits would let pass, and no more.
    let long = ["LessThan 9223372036854775808"];
    assert_eq!(validations_of!(=> Option<i64>), long);
    assert_eq!(validations_of!(=> Option<u64>), ["GreaterThan -1"]);
    assert!(validations_of!(=> Option<i128>).is_empty());
}

#[test]
fn of_a_bound_and_the_type_s_the_stricter_holds() {
    let wider = validations_of!(parameter(greater_than = -5, less_than = 1_000) => Option<u8>);
    assert_eq!(wider, ["GreaterThan -1", "LessThan 256"]);
    let narrower = validations_of!(parameter(greater_than = 0, less_than = 0x10) => Option<u8>);
    assert_eq!(narrower, ["GreaterThan 0", "LessThan 16"]);
    let listed = validations_of!(parameter(inclusion = [1, 2]) => Option<u8>);
    assert_eq!(listed, ["Inclusion 1,2"]);
}

#[test]
fn required_comes_first_and_the_rest_in_order() {
    let validations = validations_of! {
        parameter(regex = "^1", exclusion = [12], inclusion = [1, 12, 13], less_than = 0x10, greater_than = -1)
        => i64
    };
    let expected = [
        "Required ",
        "GreaterThan -1",
        "LessThan 16",
        "Inclusion 1,12,13",
        "Exclusion 12",
        "Regex ^1",
    ];
    assert_eq!(validations, expected);
}

#[test]
fn lists_escape_commas_and_backslashes() {
    let validations =
        validations_of!(parameter(inclusion = ["a,b", r"c\d", r"\,", "e"]) => Option<String>);
    assert_eq!(validations, [r"Inclusion a\,b,c\\d,\\\,,e"]);
}

#[test]
fn defaults_become_the_text_of_a_setting() {
    let parameters = parameters(&parse_quote! {
        struct Config {
            /// A.
            #[parameter(default = "a \"b\"")]
            text: String,
            /// B.
            #[parameter(default = -1_000i64)]
            int: i64,
            /// C.
            #[parameter(default = 0xff)]
            hex: u8,
            /// D.
            #[parameter(default = -2.50e3)]
            float: f64,
            /// E.
            #[parameter(default = 10)]
            whole: f32,
            /// F.
            #[parameter(default = true)]
            flag: bool,
            /// G.
            #[parameter(default = "1h30m")]
            delay: std::time::Duration,
            /// H.
            #[parameter(default = "/tmp/a")]
            path: PathBuf,
            /// I.
            #[parameter(default = "fast")]
            own: Mode,
        }
    });
    let defaults: Vec<_> = parameters.iter().map(|p| p.default.as_str()).collect();
    let expected = [
        "a \"b\"", "-1000", "255", "-2.50e3", "10", "true", "1h30m", "/tmp/a", "fast",
    ];
    assert_eq!(defaults, expected);
}

#[test]
fn names_are_those_of_the_fields_unless_given() {
    let parameters = parameters(&parse_quote! {
        struct Config {
            /// A.
            batch_size: u32,
            /// B.
            r#type: String,
            /// C.
            #[parameter(name = "aws.region", secret)]
            region: String,
        }
    });
    let names: Vec<_> = parameters
        .iter()
        .map(|p| (p.name.as_str(), p.secret))
        .collect();
    assert_eq!(
        names,
        [("batchSize", false), ("type", false), ("aws.region", true)]
    );
}

#[test]
fn attributes_may_be_spread() {
    let input = parse_quote! {
        struct Config {
            #[parameter(default = 5)]
            /// Described
            #[parameter(greater_than = 0)]
            /// in two parts.
            #[parameter()]
            field: u32,
        }
    };
    let parameter = &parameters(&input)[0];
    assert_eq!(parameter.default, "5");
    assert_eq!(parameter.description, "Described in two parts.");
    let expected = ["GreaterThan 0", "LessThan 4294967296"];
    assert_eq!(validations(&input), expected);
}

#[test]
fn all_fields_are_told_of_at_once() {
    let errors = errors(&parse_quote! {
        #[parameter(name = "x")]
        struct Config<T> {
            undescribed: u32,
            /// What it does.
            #[parameter(default = "x")]
            wrong: u32,
        }
    });
    assert_eq!(errors.len(), 4, "{errors:?}");
}

#[test]
fn only_structs_with_named_fields_are_taken() {
    let expected = "`Parameters` is derived for a struct with named fields; \
         a connector without parameters takes `()`";
    assert_eq!(
        errors(&parse_quote!(
            enum Config {
                A,
            }
        )),
        [expected]
    );
    assert_eq!(
        errors(&parse_quote!(
            struct Config(u32);
        )),
        [expected]
    );
    assert_eq!(
        errors(&parse_quote!(
            struct Config;
        )),
        [expected]
    );
    assert!(
        parameters(&parse_quote!(
            struct Config {}
        ))
        .is_empty()
    );
}

#[test]
fn default_must_be_of_the_type() {
    for (found, expected) in [
        (
            errors_of!(parameter(default = 1) => String),
            "expected a string",
        ),
        (
            errors_of!(parameter(default = 1) => PathBuf),
            "expected a string with a path",
        ),
        (
            errors_of!(parameter(default = 1) => bool),
            "expected `true` or `false`",
        ),
        (
            errors_of!(parameter(default = "1") => u8),
            "expected an integer",
        ),
        (
            errors_of!(parameter(default = 1.0) => u8),
            "expected an integer",
        ),
        (
            errors_of!(parameter(default = true) => f64),
            "expected a finite number",
        ),
        (
            errors_of!(parameter(default = 1e999) => f64),
            "expected a finite number",
        ),
        (
            errors_of!(parameter(default = "10") => Duration),
            "expected a string with a duration, such as \"1h30m\" or \"250ms\"",
        ),
        (
            errors_of!(parameter(default = 'c') => Mode),
            "expected a string, a number, `true` or `false`",
        ),
        (
            errors_of!(parameter(default = -"1") => Mode),
            "expected a string, a number, `true` or `false`",
        ),
    ] {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn default_must_be_in_the_range_of_the_type() {
    for (found, expected) in [
        (
            errors_of!(parameter(default = 256) => u8),
            "`256` is out of range: `u8` takes 0 to 255",
        ),
        (
            errors_of!(parameter(default = -1) => usize),
            "`-1` is out of range: `usize` takes 0 to 18446744073709551615",
        ),
        (
            errors_of!(parameter(default = -129) => i8),
            "`-129` is out of range: `i8` takes -128 to 127",
        ),
        (
            errors_of!(parameter(default = "-1ns") => Duration),
            "`-1ns` is out of range: `Duration` takes zero and more",
        ),
        (
            errors_of!(parameter(default = 1e39) => f32),
            "`1e39` is out of range: `f32` takes -3.4028235e38 to 3.4028235e38",
        ),
    ] {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn default_must_be_within_its_own_bounds() {
    let above = "the default must be greater than its lower bound";
    let below = "the default must be less than its upper bound";
    for (found, expected) in [
        (
            errors_of!(parameter(default = 0, greater_than = 0) => u8),
            above,
        ),
        (
            errors_of!(parameter(default = 0.5, greater_than = 0.5) => f64),
            above,
        ),
        (
            errors_of!(parameter(default = "59s", greater_than = "1m") => Duration),
            above,
        ),
        (
            errors_of!(parameter(default = 9, less_than = 9) => u8),
            below,
        ),
        (
            errors_of!(parameter(default = "60s", less_than = "1m") => Duration),
            below,
        ),
        (
            errors_of!(parameter(default = "c", inclusion = ["a", "b"]) => String),
            "the default isn't in its list of inclusion",
        ),
        (
            errors_of!(parameter(default = "c", exclusion = ["c"]) => Mode),
            "the default is in its list of exclusion",
        ),
    ] {
        assert_eq!(found, [expected]);
    }
    let fine = validations_of!(parameter(default = "61s", greater_than = "1m", less_than = "1h") => Duration);
    assert_eq!(fine, ["GreaterThan 1m", "LessThan 1h"]);
    let fine = validations_of!(parameter(default = "0", greater_than = "-1ns") => Duration);
    assert_eq!(fine, ["GreaterThan -1ns"]);
    // Empty is no value: nothing to check.
    let fine = validations_of!(parameter(default = "", inclusion = ["a"]) => String);
    assert_eq!(fine, ["Inclusion a"]);
}

#[test]
fn bounds_must_fit_the_type() {
    for (found, expected) in [
        (
            errors_of!(parameter(greater_than = 1) => String),
            "only numbers and durations have bounds",
        ),
        (
            errors_of!(parameter(less_than = 1) => Option<bool>),
            "only numbers and durations have bounds",
        ),
        (
            errors_of!(parameter(less_than = "x") => u8),
            "expected an integer",
        ),
        (
            errors_of!(parameter(less_than = "x") => Mode),
            "expected a number, or a duration such as \"1s\"",
        ),
        (
            errors_of!(parameter(greater_than = 5, less_than = 5) => u8),
            "no value can be within both bounds",
        ),
    ] {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn lists_must_fit_the_type() {
    for (found, expected) in [
        (
            errors_of!(parameter(inclusion = [1, "a"]) => u8),
            "expected an integer",
        ),
        (
            errors_of!(parameter(exclusion = [1000]) => u8),
            "`1000` is out of range: `u8` takes 0 to 255",
        ),
        (
            errors_of!(parameter(inclusion = []) => u8),
            "the list is empty",
        ),
        (
            errors_of!(parameter(inclusion = ["a", ""]) => String),
            "an empty value is never checked: remove the entry",
        ),
    ] {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn regex_must_be_one() {
    for (found, expected) in [
        (
            errors_of!(parameter(regex = "(a") => String),
            "not a regular expression: unclosed group",
        ),
        (
            errors_of!(parameter(regex = "(?=a)") => String),
            "not a regular expression: look-around, including look-ahead and look-behind, is not supported",
        ),
    ] {
        assert_eq!(found, [expected]);
    }
    assert_eq!(
        validations_of!(parameter(regex = r"^\p{Greek}\w+$") => Option<String>),
        [r"Regex ^\p{Greek}\w+$"]
    );
}

#[test]
fn default_and_option_exclude_each_other() {
    assert_eq!(
        errors_of!(parameter(default = 1) => Option<u8>),
        ["a field with a default is never `None`: remove the `Option` or the default"]
    );
}

#[test]
fn attributes_are_known_and_given_once() {
    let unknown = errors_of!(parameter(defualt = 1) => u8);
    assert!(
        unknown[0].starts_with("unknown attribute `defualt`: there are `name`,"),
        "{unknown:?}"
    );
    assert_eq!(errors_of!(parameter(secret, secret) => u8), ["given twice"]);
    assert_eq!(
        errors_of!(parameter(required) => u8),
        ["a value is required anyway unless the field is an `Option` or has a `default`"]
    );
    assert_eq!(errors_of!(parameter(default) => u8), ["expected `=`"]);
}

#[test]
fn a_list_has_entries_of_its_type() {
    let input = parse_quote! {
        struct Config {
            /// A.
            #[parameter(default = ["a,b", r"c\"])]
            texts: Vec<String>,
            /// B.
            #[parameter(default = [80, 443])]
            ports: Vec<u16>,
            /// C.
            #[parameter(default = [])]
            none: Vec<u16>,
            /// D.
            required: std::vec::Vec<bool>,
        }
    };
    let found = parameters(&input);
    let defaults: Vec<_> = found.iter().map(|p| p.default.as_str()).collect();
    assert_eq!(defaults, [r"a\,b,c\\", "80,443", "", ""]);
    // A host knows that it is text: no bounds of an integer.
    let checks: Vec<_> = found.iter().map(|p| p.validations.len()).collect();
    assert_eq!(checks, [0, 0, 0, 1]);

    let whole = "a host would compare the list as a whole: let the type of its entries check them";
    let lost = "white space around an entry would be lost, and an empty one can't be told";
    for (found, expected) in [
        (
            errors_of!(parameter(default = "a") => Vec<String>),
            "expected a list, such as `[\"a\", \"b\"]`",
        ),
        (
            errors_of!(parameter(default = ["a"]) => String),
            "expected one value: only a `Vec` has a list of them",
        ),
        (
            errors_of!(parameter(default = [1, 65536]) => Vec<u16>),
            "`65536` is out of range: `u16` takes 0 to 65535",
        ),
        (
            errors_of!(parameter(default = ["x"]) => Vec<u16>),
            "expected an integer",
        ),
        (errors_of!(parameter(default = [" x"]) => Vec<String>), lost),
        (errors_of!(parameter(default = [""]) => Vec<String>), lost),
        (
            errors_of!(parameter(inclusion = ["x"]) => Vec<String>),
            whole,
        ),
        (
            errors_of!(parameter(less_than = 1) => Option<Vec<u8>>),
            whole,
        ),
        (
            errors_of!(parameter(default = [], default = []) => Vec<u8>),
            "given twice",
        ),
    ] {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn a_map_stands_for_any_names_under_its_own() {
    let input = parse_quote! {
        struct Config {
            /// A.
            #[parameter(name = "format.options", secret)]
            options: std::collections::BTreeMap<String, u8>,
        }
    };
    let found = &parameters(&input)[0];
    assert_eq!((&*found.name, found.secret), ("format.options.*", true));
    assert_eq!(validations(&input), ["GreaterThan -1", "LessThan 256"]);
    assert_eq!(
        errors_of!(parameter(default = 1) => BTreeMap<String, u8>),
        ["a map has no default: it is empty where nothing is given"]
    );
}

#[test]
fn a_nested_struct_has_no_value_of_its_own() {
    let one = |errors: Vec<String>, expected: &str| assert_eq!(errors, [expected]);
    let no_value = "a struct of parameters has no value: write this at its fields";
    one(
        errors_of!(parameter(nested, default = 1) => Inner),
        no_value,
    );
    one(errors_of!(parameter(flatten, secret) => Inner), no_value);
    one(
        errors_of!(parameter(nested, flatten) => Inner),
        "`nested` puts a name before the parameters and `flatten` none",
    );
    one(
        errors_of!(parameter(flatten, name = "x") => Inner),
        "`flatten` puts no name before the parameters",
    );
    one(
        errors_of!(parameter(flatten) => BTreeMap<String, Inner>),
        "the keys of a map need a name before them: `nested`",
    );
    one(
        errors_of!(parameter(nested, name = "sdk") => Inner),
        "names that start with `sdk.` are parameters of the host",
    );
    // Without a doc comment: it has no description either.
    let struct_ = input::read(&parse_quote! {
        struct Config {
            #[parameter(nested)]
            after_all: Inner,
            #[parameter(nested, name = "by.name")]
            named: BTreeMap<String, Inner>,
            #[parameter(flatten)]
            common: Inner,
        }
    })
    .unwrap();
    let nested: Vec<_> = struct_.nested.iter().map(|n| (&*n.prefix, n.map)).collect();
    assert_eq!(
        nested,
        [("afterAll.", false), ("by.name.", true), ("", false)]
    );
}

#[test]
fn names_are_legal_and_different() {
    assert_eq!(
        errors_of!(parameter(name = "sdk.batch.size") => u8),
        ["names that start with `sdk.` are parameters of the host"]
    );
    let errors = errors(&parse_quote! {
        struct Config {
            /// A.
            batch_size: u32,
            /// B.
            #[parameter(name = "batchSize")]
            size: u32,
        }
    });
    assert_eq!(
        errors,
        ["there is already a parameter `batchSize`, from the field `batch_size`"]
    );
}

#[test]
fn expansion_names_everything_by_its_absolute_path() {
    let input = input::read(&parse_quote! {
        struct Config {
            /// A.
            #[parameter(greater_than = 0)]
            a: u32,
            /// B.
            b: Option<Mode>,
            /// C.
            c: BTreeMap<String, u32>,
            #[parameter(nested)]
            d: BTreeMap<String, Inner>,
            #[parameter(flatten)]
            e: Inner,
        }
    });
    let code = expand(&input.unwrap()).to_string();
    for name in [
        "Cow",
        "Result",
        "Error",
        "Settings",
        "Parameter ",
        "Validation ",
        "ParameterValue",
        "Iterator",
        "Vec",
        "Extend",
        "joined",
        "u8",
        "str",
    ] {
        for (at, _) in code.match_indices(&format!(" {name}")) {
            assert!(
                code[..at].ends_with("::"),
                "{name} in {}",
                &code[at.saturating_sub(40)..]
            );
        }
    }
    assert!(!code.contains("unsafe"));
}
