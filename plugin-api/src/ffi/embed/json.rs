//! JSON text written by constant evaluation.
//!
//! Owns how text becomes a JSON string and how bytes are put in place; knows nothing of markers.
//! Constant evaluation takes about a microsecond for a call and two for a turn of a loop, and
//! every author pays it at every build. So the inner loops call nothing and take eight bytes a
//! turn.

/// Bytes written so far. With `N` 0 nothing is kept and only the length counts.
pub(super) struct Output<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Output<N> {
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn into_bytes(self) -> [u8; N] {
        self.bytes
    }

    /// Leaves room for bytes that are known later.
    pub(super) const fn skip(&mut self, count: usize) {
        self.len += count;
    }

    /// Writes text as it is.
    pub(super) const fn raw(&mut self, text: &str) {
        self.put(text.as_bytes());
    }

    /// Writes text as the inside of a JSON string; the quotes around it are the caller's.
    pub(super) const fn escaped(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        loop {
            let plain = plain_len(rest);
            if plain == rest.len() {
                return self.put(rest);
            }
            let (plain, from_special) = rest.split_at(plain);
            self.put(plain);
            let [special, tail @ ..] = from_special else {
                return;
            };
            self.escape(*special);
            rest = tail;
        }
    }

    const fn escape(&mut self, byte: u8) {
        const HEX: [u8; 16] = *b"0123456789abcdef";
        match byte {
            b'"' => self.raw("\\\""),
            b'\\' => self.raw("\\\\"),
            b'\n' => self.raw("\\n"),
            b'\r' => self.raw("\\r"),
            b'\t' => self.raw("\\t"),
            _ => {
                self.raw("\\u00");
                self.put(&[HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]);
            }
        }
    }

    const fn put(&mut self, bytes: &[u8]) {
        if N > 0 {
            let (_, free) = self.bytes.split_at_mut(self.len);
            let (place, _) = free.split_at_mut(bytes.len());
            place.copy_from_slice(bytes);
        }
        self.len += bytes.len();
    }
}

/// How many bytes from the start need no escape.
const fn plain_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let [a, b, c, d, e, f, g, h, tail @ ..] = rest {
        if SPECIAL[*a as usize]
            || SPECIAL[*b as usize]
            || SPECIAL[*c as usize]
            || SPECIAL[*d as usize]
            || SPECIAL[*e as usize]
            || SPECIAL[*f as usize]
            || SPECIAL[*g as usize]
            || SPECIAL[*h as usize]
        {
            break;
        }
        rest = tail;
    }
    while let [byte, tail @ ..] = rest {
        if SPECIAL[*byte as usize] {
            break;
        }
        rest = tail;
    }
    bytes.len() - rest.len()
}

/// The bytes that JSON has escaped in a string.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    let mut control = 0;
    while control < 0x20 {
        special[control] = true;
        control += 1;
    }
    special
};
