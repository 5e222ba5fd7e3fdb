//! What the byte forms of entries are made of: a form's number, texts, and how they are read back.
//!
//! Knows no entry. Keeping the bytes whole is the store's work, so there is no checksum.

/// Why bytes aren't an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FormError {
    /// The form is newer than the newest that this host knows.
    Newer {
        /// The form that was found.
        found: u8,
        /// The newest one that is read.
        known: u8,
    },
    /// No host ever wrote this.
    Malformed(&'static str),
}

const CUT: FormError = FormError::Malformed("an entry that is cut off");

/// What follows the number of the only form that there has been so far.
pub(super) fn take_form(bytes: &[u8], known: u8) -> Result<&[u8], FormError> {
    match *bytes {
        [found, ref rest @ ..] if found == known => Ok(rest),
        [found, ..] if found > known => Err(FormError::Newer { found, known }),
        _ => Err(FormError::Malformed("an entry without a form number")),
    }
}

/// Appends a length, or how many follow: 8 bytes, little endian.
pub(super) fn put_number(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend_from_slice(&(number as u64).to_le_bytes());
}

/// Reads such a number, and what follows it.
pub(super) fn take_number(bytes: &[u8]) -> Result<(usize, &[u8]), FormError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(CUT)?;
    let number = usize::try_from(u64::from_le_bytes(*number)).map_err(|_| CUT)?;
    Ok((number, rest))
}

/// Appends a text behind its length.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// Reads such a text, and what follows it.
pub(super) fn take_text(bytes: &[u8]) -> Result<(&str, &[u8]), FormError> {
    let (length, rest) = take_number(bytes)?;
    let (text, rest) = rest.split_at_checked(length).ok_or(CUT)?;
    let text = str::from_utf8(text)
        .map_err(|_| FormError::Malformed("an entry whose text isn't UTF-8"))?;
    Ok((text, rest))
}

/// A hash, where an empty text stands for none.
pub(super) fn hash(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
