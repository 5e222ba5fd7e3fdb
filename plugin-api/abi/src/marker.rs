//! The marker: how a file says, without being executed, that it is a plugin.
//!
//! A plugin file carries a section that holds a header and a JSON object. This module owns the
//! header's numbers and its checksum; plugin and host both take them from here. It neither builds
//! nor reads a marker. Everything is `const`, as markers are built at compile time.
//!
//! | bytes | what |
//! |---|---|
//! | 0..16 | [`MAGIC`] |
//! | 16..20 | [`FORMAT`], little endian like the two that follow |
//! | 20..24 | length of the JSON in bytes |
//! | 24..28 | [`crc32`] of the JSON |
//! | 28.. | the JSON, in UTF-8 |
//!
//! A section may hold several markers in a row: a plugin that links another one carries both.

/// First bytes of every marker.
pub const MAGIC: [u8; 16] = *b"\x7fFOREBAY-PLUGIN\n";

/// Version of everything after [`MAGIC`].
pub const FORMAT: u32 = 1;

/// Length of the header: what comes before the JSON.
pub const HEADER_LEN: usize = MAGIC.len() + 3 * size_of::<u32>();

/// Name of the section in ELF and PE files.
pub const SECTION: &str = ".forebay";

/// Segment and name of the section in Mach-O files.
pub const SECTION_MACHO: (&str, &str) = ("__DATA", "__forebay");

const POLYNOMIAL: u32 = 0xEDB8_8320;

static TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index: u32 = 0;
    while index < 256 {
        let mut crc = index;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        table[index as usize] = crc;
        index += 1;
    }
    table
};

/// Computes the CRC-32 of IEEE 802.3, the one of gzip and PNG.
///
/// # Examples
///
/// ```
/// assert_eq!(forebay_abi::marker::crc32(b"123456789"), 0xCBF4_3926);
/// ```
#[must_use]
pub const fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0;
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        crc = (crc >> 8) ^ TABLE[((crc ^ *byte as u32) & 0xFF) as usize];
        rest = tail;
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_gives_the_published_values() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"a"), 0xE8B7_BE43);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(
            crc32(b"The quick brown fox jumps over the lazy dog"),
            0x414F_A339
        );
    }

    #[test]
    fn crc32_sees_every_flipped_bit() {
        let mut bytes = *b"{\"abi\":\"1.0.0\"}";
        let whole = crc32(&bytes);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(crc32(&bytes), whole, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn header_is_28_bytes_and_cannot_be_taken_for_text() {
        assert_eq!(HEADER_LEN, 28);
        assert!(MAGIC.starts_with(&[0x7F]) && MAGIC.ends_with(b"\n"));
    }
}
