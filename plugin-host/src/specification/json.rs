//! The JSON form of a specification.
//!
//! Written in the order of the fields; read in any order, with unknown keys ignored, so that a
//! newer plugin may say more. Unknown *words* (of a type, of a validation) are an error: they change
//! what a setting means.

use std::collections::BTreeMap;

use plugin_api::{AckMode, Parameter, ParameterType, Specification, Validation, ValidationType};
use serde_json::{Map, Value, json};

use super::SpecificationError;

type Result<T> = std::result::Result<T, SpecificationError>;

/// Writes a specification as JSON.
#[must_use]
pub fn to_json(specification: &Specification) -> Value {
    json!({
        "name": specification.name,
        "summary": specification.summary,
        "description": specification.description,
        "version": specification.version,
        "author": specification.author,
        "acks": specification.acks.as_str(),
        "sourceParams": specification.source_params.as_ref().map(parameters_to_json),
        "destinationParams": specification.destination_params.as_ref().map(parameters_to_json),
    })
}

fn parameters_to_json(parameters: &BTreeMap<String, Parameter>) -> Value {
    let object = parameters.iter().map(|(name, parameter)| {
        let validations: Vec<_> = parameter
            .validations
            .iter()
            .map(|v| json!({ "type": v.kind.as_str(), "value": v.value }))
            .collect();
        let value = json!({
            "default": parameter.default,
            "type": parameter.kind.as_str(),
            "description": parameter.description,
            "validations": validations,
            "secret": parameter.secret,
        });
        (name.clone(), value)
    });
    Value::Object(object.collect())
}

/// Reads a specification from JSON.
///
/// # Errors
///
/// Names the first field that is missing, has a value of another kind, or a word that isn't known.
pub fn from_json(value: &Value) -> Result<Specification> {
    let object = Object::new("", value)?;
    Ok(Specification {
        name: object.required_text("name")?,
        summary: object.text("summary")?,
        description: object.text("description")?,
        version: object.required_text("version")?,
        author: object.text("author")?,
        acks: match object.text("acks")?.as_str() {
            "" => AckMode::default(),
            word => word_of(&[AckMode::Last, AckMode::Each], AckMode::as_str, word)
                .ok_or_else(|| object.unknown("acks", word))?,
        },
        source_params: parameters_from_json(&object, "sourceParams")?,
        destination_params: parameters_from_json(&object, "destinationParams")?,
    })
}

fn parameters_from_json(
    specification: &Object<'_>,
    key: &str,
) -> Result<Option<BTreeMap<String, Parameter>>> {
    let Some(value) = specification.get(key) else {
        return Ok(None);
    };
    let parameters = Object::new(key, value)?;
    let of_name = |(name, value): (&String, &Value)| {
        let parameter = Object::new(&parameters.path_of(name), value)?;
        Ok((name.clone(), parameter_from_json(&parameter)?))
    };
    parameters
        .map
        .iter()
        .map(of_name)
        .collect::<Result<_>>()
        .map(Some)
}

fn parameter_from_json(object: &Object<'_>) -> Result<Parameter> {
    let word = object.required_text("type")?;
    Ok(Parameter {
        default: object.text("default")?.into(),
        kind: word_of(&ParameterType::ALL, ParameterType::as_str, &word)
            .ok_or_else(|| object.unknown("type", &word))?,
        description: object.text("description")?.into(),
        validations: validations_from_json(object)?.into(),
        secret: match object.get("secret") {
            None => false,
            Some(Value::Bool(secret)) => *secret,
            Some(_) => return Err(object.error("secret", "expected true or false")),
        },
    })
}

fn validations_from_json(parameter: &Object<'_>) -> Result<Vec<Validation>> {
    let list = match parameter.get("validations") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(parameter.error("validations", "expected a list")),
    };
    let of_index = |(i, value): (usize, &Value)| {
        let object = Object::new(&parameter.path_of(&format!("validations[{i}]")), value)?;
        let word = object.required_text("type")?;
        Ok(Validation {
            kind: word_of(&ValidationType::ALL, ValidationType::as_str, &word)
                .ok_or_else(|| object.unknown("type", &word))?,
            value: object.text("value")?.into(),
        })
    };
    list.iter().enumerate().map(of_index).collect()
}

fn word_of<T: Copy>(all: &[T], as_str: fn(T) -> &'static str, word: &str) -> Option<T> {
    all.iter().copied().find(|value| as_str(*value) == word)
}

/// A JSON object and where it stands, for the errors.
struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    fn new(path: &str, value: &'a Value) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self {
                path: path.to_owned(),
                map,
            }),
            _ => Err(SpecificationError::new(path, "expected a JSON object")),
        }
    }

    /// The value of a key; `null` counts as absent.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn text(&self, key: &str) -> Result<String> {
        match self.get(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(self.error(key, "expected a text")),
        }
    }

    fn required_text(&self, key: &str) -> Result<String> {
        match self.get(key) {
            None => Err(self.error(key, "missing")),
            Some(_) => self.text(key),
        }
    }

    fn path_of(&self, key: &str) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{}{dot}{key}", self.path)
    }

    fn error(&self, key: &str, why: &str) -> SpecificationError {
        SpecificationError::new(self.path_of(key), why)
    }

    fn unknown(&self, key: &str, word: &str) -> SpecificationError {
        self.error(key, &format!("unknown word {word:?}"))
    }
}
