//! Conversions between the author layer's types and those that cross.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use abi_stable::std_types::{ROption, RResult, RString, RVec};
use forebay_abi as abi;

use crate::error::{Error, ErrorKind, ErrorParts, ParameterError, Result};
use crate::specification::{
    AckMode, Parameter, ParameterType, Specification, Validation, ValidationType,
};

/// Makes a result that crosses.
pub(super) fn to_abi<T>(result: Result<T>) -> RResult<T, abi::PluginError> {
    match result {
        Ok(value) => RResult::ROk(value),
        Err(error) => RResult::RErr(error.into()),
    }
}

impl From<Error> for abi::PluginError {
    fn from(error: Error) -> Self {
        let error = error.into_parts();
        Self {
            kind: match error.kind {
                ErrorKind::Fatal => abi::ErrorKind::FATAL,
                ErrorKind::Retry => abi::ErrorKind::RETRY,
                ErrorKind::InvalidConfig => abi::ErrorKind::INVALID_CONFIG,
                ErrorKind::Unimplemented => abi::ErrorKind::UNIMPLEMENTED,
                ErrorKind::Closed => abi::ErrorKind::CLOSED,
                ErrorKind::Panic => abi::ErrorKind::PANIC,
                ErrorKind::Cancelled => abi::ErrorKind::CANCELLED,
            },
            code: error.code.into(),
            message: error.message.into(),
            causes: error.causes.into_iter().map(RString::from).collect(),
            parameters: error
                .parameters
                .into_iter()
                .map(|parameter| abi::ParameterError {
                    name: parameter.name.into(),
                    code: parameter.code.into(),
                    message: parameter.message.into(),
                })
                .collect(),
            retry_after_ms: error.retry_after.map_or(0, |delay| {
                u64::try_from(delay.as_millis()).unwrap_or(u64::MAX).max(1)
            }),
        }
    }
}

/// Longest text that a host keeps of an error, all of its parts together.
const ERROR_TEXT: usize = 64 * 1024;
/// Most causes that a host keeps of an error.
const ERROR_CAUSES: usize = 16;

impl Error {
    /// Copies a plugin's error, bounded: what a plugin says must not fill the host's memory.
    #[must_use]
    pub fn from_plugin(error: &abi::PluginError) -> Self {
        Self::from_plugin_through(error, |text, most| {
            text[..text.floor_char_boundary(most)].to_owned()
        })
    }

    /// As [`from_plugin`](Self::from_plugin), with each text copied by a function: it is given the
    /// text and the most bytes that its copy may have.
    #[must_use]
    pub fn from_plugin_through(
        error: &abi::PluginError,
        mut copy: impl FnMut(&str, usize) -> String,
    ) -> Self {
        let mut left = ERROR_TEXT;
        let mut copy = |text: &RString| {
            let copied = copy(text, left);
            left = left.saturating_sub(copied.len());
            copied
        };
        Self::from_parts(ErrorParts {
            kind: match error.kind {
                abi::ErrorKind::FATAL => ErrorKind::Fatal,
                abi::ErrorKind::INVALID_CONFIG => ErrorKind::InvalidConfig,
                abi::ErrorKind::UNIMPLEMENTED => ErrorKind::Unimplemented,
                abi::ErrorKind::CLOSED => ErrorKind::Closed,
                abi::ErrorKind::PANIC => ErrorKind::Panic,
                abi::ErrorKind::CANCELLED => ErrorKind::Cancelled,
                _ => ErrorKind::Retry,
            },
            code: copy(&error.code),
            message: copy(&error.message),
            causes: error
                .causes
                .iter()
                .take(ERROR_CAUSES)
                .map(&mut copy)
                .collect(),
            parameters: error
                .parameters
                .iter()
                .take(ERROR_CAUSES)
                .map(|parameter| ParameterError {
                    name: copy(&parameter.name),
                    code: copy(&parameter.code),
                    message: copy(&parameter.message),
                })
                .collect(),
            retry_after: (error.retry_after_ms > 0)
                .then(|| Duration::from_millis(error.retry_after_ms)),
        })
    }
}

impl From<Specification> for abi::Specification {
    fn from(specification: Specification) -> Self {
        Self {
            name: specification.name.into(),
            summary: specification.summary.into(),
            description: specification.description.into(),
            version: specification.version.into(),
            author: specification.author.into(),
            acks: abi::AckMode(specification.acks as u32),
            source_params: parameters_to_abi(specification.source_params),
            destination_params: parameters_to_abi(specification.destination_params),
        }
    }
}

fn parameters_to_abi(
    parameters: Option<BTreeMap<String, Parameter>>,
) -> ROption<RVec<abi::NamedParameter>> {
    let to_abi = |(name, parameter): (String, Parameter)| abi::NamedParameter {
        name: name.into(),
        parameter: abi::Parameter {
            default: parameter.default.into_owned().into(),
            description: parameter.description.into_owned().into(),
            validations: parameter
                .validations
                .iter()
                .map(|validation| abi::Validation {
                    value: RString::from(&*validation.value),
                    kind: abi::ValidationType(validation.kind as u32),
                })
                .collect(),
            kind: abi::ParameterType(parameter.kind as u32),
            secret: parameter.secret,
        },
    };
    parameters
        .map(|parameters| parameters.into_iter().map(to_abi).collect())
        .into()
}

impl TryFrom<abi::Specification> for Specification {
    type Error = Error;

    /// Fails on a number of a type or check that has no name here.
    fn try_from(specification: abi::Specification) -> Result<Self> {
        Ok(Self {
            name: specification.name.into(),
            summary: specification.summary.into(),
            description: specification.description.into(),
            version: specification.version.into(),
            author: specification.author.into(),
            acks: match specification.acks {
                abi::AckMode::LAST => AckMode::Last,
                _ => AckMode::Each,
            },
            source_params: parameters_from_abi(specification.source_params)?,
            destination_params: parameters_from_abi(specification.destination_params)?,
        })
    }
}

fn parameters_from_abi(
    parameters: ROption<RVec<abi::NamedParameter>>,
) -> Result<Option<BTreeMap<String, Parameter>>> {
    let ROption::RSome(parameters) = parameters else {
        return Ok(None);
    };
    let mut named = BTreeMap::new();
    for abi::NamedParameter { name, parameter } in parameters {
        let unknown = |what: &str, number: u32| {
            Error::new(
                ErrorKind::Fatal,
                format!("parameter `{name}` has a {what} of unknown number {number}"),
            )
        };
        let kind = ParameterType::ALL
            .into_iter()
            .find(|kind| *kind as u32 == parameter.kind.0)
            .ok_or_else(|| unknown("type", parameter.kind.0))?;
        let validations = parameter
            .validations
            .into_iter()
            .map(|validation| {
                let kind = ValidationType::ALL
                    .into_iter()
                    .find(|kind| *kind as u32 == validation.kind.0)
                    .ok_or_else(|| unknown("validation", validation.kind.0))?;
                Ok(Validation {
                    kind,
                    value: Cow::Owned(validation.value.into()),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let parameter = Parameter {
            default: Cow::Owned(parameter.default.into()),
            kind,
            description: Cow::Owned(parameter.description.into()),
            validations: Cow::Owned(validations),
            secret: parameter.secret,
        };
        let duplicate = Error::new(
            ErrorKind::Fatal,
            format!("parameter `{name}` is there twice"),
        );
        if named.insert(name.into(), parameter).is_some() {
            return Err(duplicate);
        }
    }
    Ok(Some(named))
}
