//! Reads structured data into an owned tree.

use super::error::Fault;
use super::keys::Keys;
use super::token::{Stop, Token, Tokens};
use super::{MAX_DEPTH, Map, StructuredError, Value};

/// Room that is made before entries are there: enough for most maps, harmless if a count lies.
const RESERVED: usize = 16;

/// Reads structured data into a tree.
///
/// Memory grows with what is really there, never with a count that the bytes only claim.
///
/// # Errors
/// The first rule of [`structured`](crate::structured) data that the bytes break.
pub fn decode(bytes: &[u8]) -> Result<Map, StructuredError> {
    let mut tokens = Tokens::new(bytes);
    outermost(&mut tokens).map_err(|Stop| tokens.error())
}

fn outermost(tokens: &mut Tokens<'_>) -> Result<Map, Stop> {
    let count = tokens.outermost_map()?;
    let map = map(tokens, count, MAX_DEPTH)?;
    tokens.end()?;
    Ok(map)
}

/// Reads the entries of a map; `levels` is how many levels there may be, this one included.
fn map(tokens: &mut Tokens<'_>, count: usize, levels: usize) -> Result<Map, Stop> {
    let levels = tokens.deeper(levels)?;
    let mut map = Map::with_capacity(count.min(RESERVED));
    let mut keys = Keys::new();
    for _ in 0..count {
        let at = tokens.at();
        let key = tokens.key()?;
        if !keys.insert(key) {
            return Err(tokens.stop(Fault::DuplicateKey { at }));
        }
        let key = text(tokens, key, at)?;
        map.push_new(key, value(tokens, levels)?);
    }
    Ok(map)
}

fn value(tokens: &mut Tokens<'_>, levels: usize) -> Result<Value, Stop> {
    let at = tokens.at();
    Ok(match tokens.next()? {
        Token::Null => Value::Null,
        Token::Bool(value) => Value::Bool(value),
        Token::Int(number) => Value::Int(number),
        Token::UInt(number) => Value::UInt(number),
        Token::Float(number) => Value::Float(number),
        Token::Text(bytes) => Value::String(text(tokens, bytes, at)?),
        Token::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Token::Timestamp(instant) => Value::Timestamp(instant),
        Token::Array(count) => Value::Array(array(tokens, count, levels)?),
        Token::Map(count) => Value::Map(map(tokens, count, levels)?),
    })
}

fn array(tokens: &mut Tokens<'_>, count: usize, levels: usize) -> Result<Vec<Value>, Stop> {
    let levels = tokens.deeper(levels)?;
    let mut items = Vec::with_capacity(count.min(RESERVED));
    for _ in 0..count {
        items.push(value(tokens, levels)?);
    }
    Ok(items)
}

fn text(tokens: &mut Tokens<'_>, bytes: &[u8], at: usize) -> Result<String, Stop> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(tokens.stop(Fault::InvalidText { at })),
    }
}
