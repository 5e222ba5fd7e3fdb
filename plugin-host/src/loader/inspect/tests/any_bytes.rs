//! Any byte string gives an answer: the same thousands of broken files in every run.

use super::*;

#[test]
fn any_bytes_give_an_answer() {
    let full = SampleElf {
        rpath: Some("/opt/a"),
        defined: vec!["X_1", "X_2"],
        ..SampleElf::plugin()
    };
    let file = full.build();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut codes = std::collections::BTreeMap::new();
    let mut note = |bytes: &[u8]| {
        let code = code(bytes);
        let seen = see(bytes, "");
        assert_eq!(seen.refusal.is_none(), code == "ok");
        *codes.entry(code).or_insert(0) += 1;
    };
    // Every byte of the headers and tables with the values that break things, ...
    let marker_at = file.windows(8).position(|w| w == b"\x7fFOREBAY").unwrap();
    let table_at = u64::from_le_bytes(file[40..48].try_into().unwrap()) as usize;
    for at in (0..marker_at).chain(table_at..file.len()) {
        for value in [0, 1, 0x7f, 0x80, 0xff, file[at] ^ 1] {
            note(&patched(&file, at, &[value]));
        }
    }
    // ... then several places at once, with a cut now and then.
    for _ in 0..20_000 {
        let mut bytes = file.clone();
        for _ in 0..1 + random.below(8) {
            let at = random.below(bytes.len());
            let width = 1 + random.below(8).min(bytes.len() - at - 1);
            let value = random.next() >> random.below(64);
            bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        }
        if random.below(4) == 0 {
            bytes.truncate(random.below(bytes.len()));
        }
        note(&bytes);
    }
    // A real file is large: changed in place, and back.
    let mut own = own_executable();
    for _ in 0..1000 {
        let end = own.len();
        let places = [
            random.below(4096),
            random.below(end),
            end - 1 - random.below(4096),
        ];
        let before = places.map(|at| std::mem::replace(&mut own[at], random.next() as u8));
        note(&own);
        for (at, byte) in places.into_iter().zip(before).rev() {
            own[at] = byte;
        }
    }
    // The cases reached every part of the code, not only its first check.
    for reached in [
        "ok",
        "load.truncated",
        "load.damaged",
        "load.not_library",
        "load.wrong_bitness",
        "load.foreign_cpu",
        "load.foreign_platform",
        "load.no_marker",
        "load.marker_damaged",
        "load.newer_format",
        "load.run_path",
        "load.needed_path",
    ] {
        assert!(codes.contains_key(reached), "{reached} in {codes:?}");
    }
}

/// Xorshift: the same cases in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}
