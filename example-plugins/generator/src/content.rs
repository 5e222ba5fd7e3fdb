//! The payload of a record: which form it has, and its bytes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use plugin_api::{DecimalCounter, Error, ErrorKind, RecordWriter, Result};

use crate::config::{Collection, Config};
use crate::fields::Fields;

/// Largest payload, in bytes. It is held in memory, and an allocation that fails ends the whole
/// process, so the plugin checks it itself, whatever the host has checked.
const LARGEST: usize = 32 << 20;

/// What a payload is to be, as the settings say; nothing is opened yet.
#[derive(Debug)]
pub(crate) enum Form {
    Raw(usize),
    Structured(Fields),
    File(PathBuf),
}

impl Form {
    /// The form of a collection's payloads, or of all where there are no collections.
    pub(crate) fn new(config: &Config, collection: Option<(&str, &Collection)>) -> Result<Self> {
        let (prefix, own) = match collection {
            Some((name, own)) => (format!("collections.{name}."), Some(own)),
            None => (String::new(), None),
        };
        let refuse =
            |name: &str, why: String| Err(Error::invalid_config(format!("{prefix}{name}"), why));
        let format = own.and_then(|own| own.format.as_ref());
        let path = own.and_then(|own| own.path.as_ref());
        match format.unwrap_or(&config.format).as_str() {
            "raw" => {
                let size = own.and_then(|own| own.size).unwrap_or(config.size);
                if size > LARGEST {
                    return refuse(
                        "format.size",
                        format!("{size} bytes are more than {LARGEST}"),
                    );
                }
                Ok(Self::Raw(size))
            }
            "structured" => {
                let options = own.map(|own| &own.options).filter(|own| !own.is_empty());
                let options = options.unwrap_or(&config.options);
                if !options.is_empty() {
                    return Ok(Self::Structured(Fields::new(options)));
                }
                let fields = Fields::parse(&config.fields);
                fields
                    .map(Self::Structured)
                    .or_else(|why| refuse("format.options", why))
            }
            _ => match path.or(config.path.as_ref()) {
                Some(path) => Ok(Self::File(path.clone())),
                None => refuse(
                    "format.options.path",
                    "a payload of the type `file` needs one".into(),
                ),
            },
        }
    }
}

/// What a record's payload is made of.
#[derive(Debug)]
pub(crate) enum Content {
    Raw(Vec<u8>),
    Structured(Fields),
    File(Vec<u8>),
}

impl Content {
    pub(crate) fn open(form: Form) -> Result<Self> {
        Ok(match form {
            Form::Raw(size) => Self::Raw((b' '..=b'~').cycle().take(size).collect()),
            Form::Structured(fields) => Self::Structured(fields),
            Form::File(path) => Self::File(read(&path)?),
        })
    }

    /// Writes what the data is once the record with this number has happened.
    pub(crate) fn after<'w>(&self, number: u64, record: RecordWriter<'w>) -> RecordWriter<'w> {
        match self {
            Self::Raw(pattern) => record.payload(&*stamped(number, pattern)),
            Self::Structured(fields) => record.payload_map(|map| fields.write(number, map)),
            Self::File(content) => record.payload(&**content),
        }
    }

    /// Writes what the data was before: what it is after the record with this number.
    pub(crate) fn before<'w>(&self, number: u64, record: RecordWriter<'w>) -> RecordWriter<'w> {
        match self {
            Self::Raw(pattern) => record.before(&*stamped(number, pattern)),
            Self::Structured(fields) => record.before_map(|map| fields.write(number, map)),
            Self::File(content) => record.before(&**content),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let file = File::open(path).and_then(|file| {
        // One more than is taken, to see that there is more.
        file.take(LARGEST as u64 + 1).read_to_end(&mut content)
    });
    let failed = |why: String| Error::new(ErrorKind::Fatal, format!("`{}` {why}", path.display()));
    match file {
        Err(error) => Err(failed(format!("can't be read: {error}"))),
        Ok(_) if content.len() > LARGEST => Err(failed(format!("has more than {LARGEST} bytes"))),
        Ok(_) => Ok(content),
    }
}

/// The number in sixteen digits, and then the pattern up to its length: what the loop of raw creates
/// writes in place. That loop has this code for itself; with further callers the compiler would make
/// calls of it, which costs the loop a fifth.
fn stamped(number: u64, pattern: &[u8]) -> Vec<u8> {
    let digits = DecimalCounter::new(number).last_sixteen();
    match pattern.get(16..) {
        Some(rest) => [&digits, rest].concat(),
        None => digits[16 - pattern.len()..].to_vec(),
    }
}
