//! Gzip: members that each can be read by itself.
//!
//! Owns the form of a member, and how the last whole one is found again. A gzip file may have any number
//! of members one behind the other, so what a run appends to the file of another one is valid, and so is
//! what a killed run leaves, once the part of a member at its end is cut off: no stream is ever left open.
//! Each member says in a field of its header where it begins and how long it is. Nothing is decompressed here.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use memchr::memmem;

/// How each member begins: gzip (1f 8b), deflate, with extra fields, no time, no level, an unknown system;
/// 20 bytes of extra fields, and of these the one with the identifier `FB`, of 16 bytes.
const MARK: [u8; 16] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 20, 0, b'F', b'B', 16, 0,
];
/// Behind the mark: where the member begins in its file, and its length, each of 8 bytes.
const HEADER: usize = MARK.len() + 16;
/// Checksum and length of what was compressed, the latter modulo 2^32.
const TRAILER: usize = 8;
/// Measured on UnicodeData.txt: as small as level 6, which is gzip's, in half the time. Level 2 is twice
/// as fast again, and an eighth larger.
const LEVEL: u32 = 4;

/// Makes members.
#[derive(Debug)]
pub(super) struct Members {
    encoder: DeflateEncoder<Vec<u8>>,
    member: Vec<u8>,
}

impl Members {
    pub(super) fn new() -> Self {
        Self {
            encoder: DeflateEncoder::new(Vec::new(), Compression::new(LEVEL)),
            member: Vec::new(),
        }
    }

    /// Compresses a text. The member still has to be told its place.
    pub(super) fn make(&mut self, text: &[u8]) -> io::Result<Member<'_>> {
        let mut member = std::mem::take(&mut self.member);
        member.clear();
        member.extend_from_slice(&MARK);
        member.resize(HEADER, 0);
        // What it had instead is empty, as nothing was written since.
        self.encoder.reset(member)?;
        self.encoder.write_all(text)?;
        self.member = self.encoder.reset(Vec::new())?;
        let mut crc = Crc::new();
        crc.update(text);
        self.member.extend_from_slice(&crc.sum().to_le_bytes());
        self.member.extend_from_slice(&crc.amount().to_le_bytes());
        Ok(Member(&mut self.member))
    }
}

/// A member that can be written as soon as it knows where.
pub(super) struct Member<'a>(&'a mut Vec<u8>);

impl<'a> Member<'a> {
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The bytes of the member for this place of its file.
    pub(super) fn at(self, place: u64) -> &'a [u8] {
        let length = self.len();
        let said = &mut self.0[MARK.len()..HEADER];
        said[..8].copy_from_slice(&place.to_le_bytes());
        said[8..].copy_from_slice(&length.to_le_bytes());
        self.0
    }
}

/// Most bytes of text in a member, so that it fits into a file of this size also where nothing of it can
/// be compressed.
pub(super) fn text_that_fits(file: u64) -> u64 {
    file.saturating_sub(file / 128 + 128)
}

/// What is at the end of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Whole members reach up to here; behind it is at most a part of one.
    Whole(u64),
    /// Something that no member begins with.
    Foreign,
}

/// Finds the last whole member of a file with this length.
pub(super) fn tail(file: &mut File, length: u64) -> io::Result<Tail> {
    if let Some(tail) = head(file, length)? {
        return Ok(tail);
    }
    let Some((place, said)) = last_mark(file, length)? else {
        return Ok(Tail::Foreign);
    };
    let Some(end) = place.checked_add(said).filter(|_| said >= SHORTEST) else {
        return Ok(Tail::Foreign);
    };
    if end > length {
        return Ok(Tail::Whole(place));
    }
    Ok(match is_part(file, end, length)? {
        true => Tail::Whole(end),
        false => Tail::Foreign,
    })
}

const SHORTEST: u64 = (HEADER + TRAILER) as u64;

/// Looks at the beginning of the file, so that not all of a large file of another form is searched;
/// `None` where it begins with a member.
fn head(file: &mut File, length: u64) -> io::Result<Option<Tail>> {
    let mut first = Vec::new();
    read_range(file, 0, HEADER as u64, &mut first)?;
    if said_length(&first, 0).is_some() {
        return Ok(None);
    }
    let part = is_part(file, 0, length)?;
    Ok(Some(if part { Tail::Whole(0) } else { Tail::Foreign }))
}

/// Place and length of the last member that begins in the file with a whole header.
fn last_mark(file: &mut File, length: u64) -> io::Result<Option<(u64, u64)>> {
    /// Bytes that are looked at together: as a rule the last member begins in the first block.
    const BLOCK: u64 = 1 << 20;
    let mut block = Vec::new();
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        // A header that begins in this block may end in the one behind it.
        let stop = length.min(end + HEADER as u64 - 1);
        read_range(file, start, stop, &mut block)?;
        for at in memmem::rfind_iter(&block, &MARK) {
            let place = start + at as u64;
            if let Some(said) = said_length(&block[at..], place) {
                return Ok(Some((place, said)));
            }
        }
        end = start;
    }
    Ok(None)
}

/// The length that a header says, where it is one: it also says this place.
fn said_length(header: &[u8], place: u64) -> Option<u64> {
    let said = header.get(..HEADER)?.strip_prefix(&MARK)?;
    let (said_place, said_length) = said.split_first_chunk::<8>()?;
    let said_length = said_length.first_chunk::<8>()?;
    (u64::from_le_bytes(*said_place) == place).then(|| u64::from_le_bytes(*said_length))
}

/// Whether what lies there is the beginning of a header, or what the system leaves where it was cut off
/// before it had written the data: zeros.
fn is_part(file: &mut File, start: u64, end: u64) -> io::Result<bool> {
    /// Longer rests aren't read.
    const LONGEST: u64 = 64 << 20;
    if end - start > LONGEST {
        return Ok(false);
    }
    let mut rest = Vec::new();
    read_range(file, start, end, &mut rest)?;
    let expected = [&MARK[..], &start.to_le_bytes()].concat();
    let known = expected.len().min(rest.len());
    let begins = rest.len() < HEADER && rest[..known] == expected[..known];
    Ok(begins || rest.iter().all(|&byte| byte == 0))
}

fn read_range(file: &mut File, start: u64, end: u64, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    file.seek(SeekFrom::Start(start))?;
    file.take(end - start).read_to_end(into)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use flate2::read::MultiGzDecoder;

    use super::*;

    fn append(members: &mut Members, file: &mut Vec<u8>, text: &[u8]) {
        let place = file.len() as u64;
        file.extend_from_slice(members.make(text).unwrap().at(place));
    }

    /// A file of three members, and where each ends.
    fn three() -> (Vec<u8>, [usize; 4]) {
        let mut members = Members::new();
        let mut file = Vec::new();
        let ends = ["one\n", "two\nthree\n", "four\n"].map(|text| {
            append(&mut members, &mut file, text.as_bytes());
            file.len()
        });
        (file, [0, ends[0], ends[1], ends[2]])
    }

    fn tail_of(bytes: &[u8]) -> Tail {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        tail(&mut file, bytes.len() as u64).unwrap()
    }

    #[test]
    fn members_are_one_gzip_file() {
        let mut text = String::new();
        MultiGzDecoder::new(&*three().0)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "one\ntwo\nthree\nfour\n");
    }

    #[test]
    fn a_cut_file_ends_with_its_last_whole_member() {
        let (file, ends) = three();
        for length in 0..=file.len() {
            let whole = ends.iter().rfind(|end| **end <= length).unwrap();
            let expected = Tail::Whole(*whole as u64);
            assert_eq!(tail_of(&file[..length]), expected, "{length}");
        }
    }

    #[test]
    fn zeros_behind_a_member_are_no_data() {
        let (file, ends) = three();
        for whole in ends {
            let zeros = [&file[..whole], &[0; 100]].concat();
            assert_eq!(tail_of(&zeros), Tail::Whole(whole as u64));
        }
    }

    #[test]
    fn a_file_of_others_is_foreign() {
        let (file, ends) = three();
        for wrong in [
            b"some lines\n".to_vec(),
            vec![b'x'; 1000],
            [b"x", &*file].concat(),
            [&*file, b"a line"].concat(),
            [&*file, &vec![b'x'; 3 << 20]].concat(),
            // Members at other places than they say.
            file[ends[1]..].to_vec(),
        ] {
            assert_eq!(tail_of(&wrong), Tail::Foreign);
        }
    }

    #[test]
    fn the_last_member_is_found_across_blocks_and_marks_in_its_data() {
        let mut members = Members::new();
        let mut file = Vec::new();
        append(&mut members, &mut file, b"first");
        let last = file.len();
        // Bytes that can't be compressed lie in the member as they are, a mark among them.
        let mut text = noise(3 << 20);
        text[2 << 20..][..MARK.len()].copy_from_slice(&MARK);
        append(&mut members, &mut file, &text);
        assert!(memmem::rfind(&file, &MARK).unwrap() > last);
        assert_eq!(tail_of(&file), Tail::Whole(file.len() as u64));
        for length in [file.len() - 1, last + (1 << 20) + 5, last + HEADER] {
            assert_eq!(tail_of(&file[..length]), Tail::Whole(last as u64));
        }
    }

    #[test]
    fn noise_fits_into_the_file_that_it_is_cut_for() {
        let mut members = Members::new();
        for most in [200_u64, 1000, 70_000, 1 << 20] {
            let text = noise(usize::try_from(text_that_fits(most)).unwrap());
            assert!(members.make(&text).unwrap().len() <= most, "{most}");
        }
        assert_eq!(text_that_fits(10), 0);
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_le_bytes()[7]
        })
        .take(length)
        .collect()
    }
}
