//! JSON strings: of text, with the escapes that JSON asks for, and of bytes, as base64.

use std::str::Utf8Error;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Appends a JSON string of text that isn't known to be UTF-8 yet.
///
/// On an error a part may have been appended; so too in [`write_name`].
#[inline]
pub(crate) fn write_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Utf8Error> {
    write_between(b"\"", text, b"\"", out)
}

/// Appends the name of an object's member, between the `{` or `,` before it and its colon.
#[inline]
pub(crate) fn write_name(before: u8, name: &[u8], out: &mut Vec<u8>) -> Result<(), Utf8Error> {
    write_between(&[before, b'"'], name, b"\":", out)
}

/// Appends text between parts of fixed length, quotes included: few bytes at a time cost most.
///
/// Most text is ASCII without anything to escape; one pass finds that out and makes the check of
/// UTF-8 needless.
#[inline]
fn write_between<const B: usize, const A: usize>(
    before: &[u8; B],
    text: &[u8],
    after: &[u8; A],
    out: &mut Vec<u8>,
) -> Result<(), Utf8Error> {
    out.extend_from_slice(before);
    if any(text, |word| escapes(word) | word & HIGH_BITS) {
        write_escaped(std::str::from_utf8(text)?, out);
    } else {
        out.extend_from_slice(text);
    }
    out.extend_from_slice(after);
    Ok(())
}

/// Appends a JSON string of text.
#[inline]
pub(crate) fn write_str(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if any(text.as_bytes(), escapes) {
        write_escaped(text, out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

/// Appends a JSON string of bytes.
pub(crate) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]);
    debug_assert_eq!(written, Ok(out.len() - start));
    out.push(b'"');
}

/// Appends text with its escapes.
fn write_escaped(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some((at, byte)) = first_escape(rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                const DIGITS: [u8; 16] = *b"0123456789abcdef";
                let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', DIGITS[high], DIGITS[low]]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.extend_from_slice(rest);
}

/// Finds the first byte that JSON wants escaped.
fn first_escape(bytes: &[u8]) -> Option<(usize, u8)> {
    let (words, _) = bytes.as_chunks::<8>();
    let clean = words
        .iter()
        .take_while(|word| escapes(u64::from_le_bytes(**word)) == 0)
        .count();
    let start = clean * 8;
    let at = bytes[start..]
        .iter()
        .position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')?;
    Some((start + at, bytes[start + at]))
}

const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Not 0 if one of eight bytes must be escaped.
#[inline]
const fn escapes(word: u64) -> u64 {
    // Subtracting n from each byte sets the high bit of those below n. A borrow may set that of
    // the byte above, but only if there was one below n.
    const fn below(word: u64, n: u8) -> u64 {
        word.wrapping_sub(u64::from_ne_bytes([n; 8])) & !word
    }
    let control = below(word, b' ');
    let quote = below(word ^ u64::from_ne_bytes([b'"'; 8]), 1);
    let backslash = below(word ^ u64::from_ne_bytes([b'\\'; 8]), 1);
    (control | quote | backslash) & HIGH_BITS
}

/// Whether `find` gives anything but 0 for eight of the bytes.
#[inline]
fn any(bytes: &[u8], find: impl Fn(u64) -> u64) -> bool {
    let found = |word: &[u8; 8]| find(u64::from_le_bytes(*word)) != 0;
    if let Some(last) = bytes.last_chunk::<8>() {
        // The last word may overlap the one before it, which is cheaper than fewer bytes.
        let (words, _) = bytes.as_chunks::<8>();
        return words.iter().any(found) || found(last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return find(u64::from(first) | u64::from(last) << 32) != 0;
    }
    match *bytes {
        [] => false,
        [first, ..] => {
            let (middle, last) = (bytes[bytes.len() / 2], bytes[bytes.len() - 1]);
            found(&[first, middle, last, last, last, last, last, last])
        }
    }
}
