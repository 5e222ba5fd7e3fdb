//! What the dynamic loader would follow into nothing: each rule of `loader/inspect/elf` refuses a
//! good file with one entry changed.

use forebay_tests::{Library, SegmentField};
use object::elf::*;
use plugin_host::loader::{Stage, inspect};

use super::good;

/// Some address that no library has, and that no sum with it gets around.
const NOWHERE: u64 = 0x7000_0000;

/// Checks that a file is refused as damaged, with each of these texts.
#[track_caller]
fn refused<const N: usize>(file: &Library, says: [&str; N]) {
    let error = inspect(file.bytes(), "plugin")
        .map(|_| "accepted")
        .unwrap_err();
    assert_eq!(error.code(), "load.damaged", "{error}");
    assert_eq!(error.stage(), Stage::Look);
    let message = error.to_string();
    for text in says {
        assert!(message.contains(text), "no {text:?} in {message:?}");
    }
}

#[test]
fn loadable_segments() {
    use SegmentField::{Address, Align, FileSize, Flags, Offset};
    let with = |nth, field, value| good().with_segment(PT_LOAD, nth, field, value);
    let (second, ..) = good().segment(PT_LOAD, 1);
    refused(&with(1, Align, 3), ["aligned to 3"]);
    refused(&with(1, Align, 16), ["aligned to 16"]);
    refused(&with(1, Align, 0), ["aligned to 0"]);
    refused(&with(1, Address, second + 1), ["another place of its page"]);
    refused(&with(1, Offset, 1), ["another place of its page"]);
    refused(&with(1, Flags, 1), ["can't be read"]);
    refused(&with(1, Address, second & 0xfff), ["out of order"]);
    let (last, ..) = good().segment(PT_LOAD, 3);
    refused(&with(3, Address, last & 0xfff | 1 << 63), ["out of order"]);
    let behind = good().bytes().len() as u64 + 0x10_0000;
    let empty =
        with(3, FileSize, 0).with_segment(PT_LOAD, 3, Offset, (behind & !0xfff) | (last & 0xfff));
    refused(&empty, ["begins behind the file"]);
    // The linker's other tables tell that these aren't what it has written.
    refused(&with(1, Flags, 4), ["where no code is"]);
    refused(&with(3, Flags, 4), ["outside of what can be written to"]);
    let (offset, ..) = good().segment_in_file(PT_LOAD, 3);
    refused(
        &with(3, Offset, offset + 0x1000),
        ["section", "not loaded as it says"],
    );
}

#[test]
fn segments_within_the_loaded_ones() {
    use SegmentField::{Address, Align, Kind, MemorySize, Offset};
    let with = |kind, field, value| good().with_segment(kind, 0, field, value);
    let (relro, ..) = good().segment(PT_GNU_RELRO, 0);
    let (threads, ..) = good().segment(PT_TLS, 0);
    refused(
        &with(PT_DYNAMIC, Offset, 64),
        ["the dynamic section", "not what is loaded"],
    );
    refused(
        &with(PT_DYNAMIC, MemorySize, NOWHERE),
        ["the dynamic section"],
    );
    let read_only = good().with_segment(PT_LOAD, 2, SegmentField::Flags, 4);
    refused(&read_only, ["dynamic section can't be written to"]);
    refused(&with(PT_PHDR, Address, NOWHERE), ["the segment table"]);
    refused(&with(PT_NOTE, Address, NOWHERE), ["a note"]);
    refused(&with(PT_NOTE, MemorySize, NOWHERE), ["a note"]);
    refused(
        &with(PT_GNU_EH_FRAME, Address, NOWHERE),
        ["the table for unwinding"],
    );
    refused(
        &with(PT_TLS, MemorySize, 1),
        ["thread variables take 1 bytes"],
    );
    refused(
        &with(PT_TLS, MemorySize, 1 << 40),
        ["thread variables take"],
    );
    refused(
        &with(PT_TLS, Align, 0),
        ["thread variables are aligned to 0"],
    );
    refused(
        &with(PT_TLS, Align, 24),
        ["thread variables are aligned to 24"],
    );
    refused(
        &with(PT_TLS, Align, 1 << 40),
        ["thread variables are aligned"],
    );
    refused(
        &with(PT_TLS, Address, threads + 8),
        ["are not loaded there"],
    );
    refused(&with(PT_GNU_RELRO, Address, 0), ["to be protected at 0x0"]);
    refused(&with(PT_GNU_RELRO, Address, NOWHERE), ["to be protected"]);
    refused(
        &with(PT_GNU_RELRO, MemorySize, u64::MAX - relro),
        ["to be protected"],
    );
    // What is protected ends with a page, which the segment need not fill.
    let (data, size) = good().segment(PT_LOAD, 3);
    let end = (data + size).next_multiple_of(0x1000);
    let up_to = |end| {
        with(PT_GNU_RELRO, Address, data).with_segment(PT_GNU_RELRO, 0, MemorySize, end - data)
    };
    inspect(up_to(end).bytes(), "plugin").unwrap();
    refused(&up_to(end + 1), ["to be protected"]);
    refused(
        &with(PT_NOTE, Kind, u64::from(PT_TLS.0)),
        ["2 segments of thread variables"],
    );
    refused(
        &with(PT_NOTE, Kind, u64::from(PT_DYNAMIC.0)),
        ["2 dynamic sections"],
    );
}

#[test]
fn dynamic_entries() {
    let with = |tag, value| good().with_entry(tag, value);
    for tag in [DT_RELA, DT_RELASZ, DT_RELAENT] {
        refused(
            &good().without_entry(tag),
            ["only a part of where its relocations are"],
        );
    }
    for tag in [DT_JMPREL, DT_PLTRELSZ, DT_PLTREL] {
        refused(
            &good().without_entry(tag),
            ["only a part of where its relocations of calls"],
        );
    }
    refused(
        &good().without_entry(DT_SYMTAB),
        ["only a part of where its symbols are"],
    );
    let without = good().without_entry(DT_SYMTAB).without_entry(DT_SYMENT);
    refused(&without, ["no symbols"]);
    refused(&good().without_entry(DT_STRTAB), ["dynamic strings"]);
    refused(&with(DT_RELAENT, 16), ["16 bytes, not 24"]);
    refused(&with(DT_SYMENT, 16), ["symbols have another size"]);
    refused(&with(DT_PLTREL, DT_REL.0 as u64), ["of an unknown kind"]);
    refused(&with(DT_RELASZ, 25), ["relocations end within an entry"]);
    refused(
        &with(DT_RELA, NOWHERE),
        ["its relocations at", "are not loaded"],
    );
    refused(
        &with(DT_RELASZ, 24 << 40),
        ["its relocations at", "are not loaded"],
    );
    refused(
        &with(DT_JMPREL, NOWHERE),
        ["its relocations of calls at", "are not loaded"],
    );
    refused(
        &with(DT_PLTRELSZ, 24 << 40),
        ["its relocations of calls at", "are not loaded"],
    );
    refused(&with(DT_STRTAB, NOWHERE), ["dynamic strings"]);
    refused(&with(DT_STRSZ, 1 << 40), ["dynamic strings"]);
    refused(
        &with(DT_STRSZ, good().entry(DT_STRSZ) - 1),
        ["dynamic strings don't end"],
    );
    refused(&with(DT_PLTGOT, NOWHERE), ["its table of calls"]);
    refused(
        &with(DT_PLTGOT, good().entry(DT_INIT)),
        ["its table of calls", "can't be written"],
    );
    refused(&with(DT_SYMTAB, NOWHERE), ["its symbols are not loaded"]);
    refused(&with(DT_VERSYM, NOWHERE), ["is not loaded"]);
    refused(&with(DT_VERNEED, NOWHERE), ["is not loaded"]);
    refused(
        &with(DT_GNU_HASH, NOWHERE),
        ["GNU hash table leads nowhere"],
    );
    let with_tag = |tag, value| good().with_entry(DT_FLAGS, value).with_tag(DT_FLAGS, tag);
    refused(&with_tag(DT_TEXTREL, 0), ["change its code"]);
    refused(&with_tag(DT_SONAME, 1 << 40), ["no name at offset"]);
    refused(
        &with_tag(DT_RELR, 0),
        ["only a part of where its relative relocations"],
    );
    refused(&with_tag(DT_HASH, NOWHERE), ["is not loaded"]);
}

#[test]
fn symbols() {
    let table = good().entry(DT_SYMTAB);
    let hash = good().entry(DT_GNU_HASH);
    let buckets = u64::from(good().number(hash));
    let first = good().number(hash + 4);
    let words = u64::from(good().number(hash + 8));
    let bucket = hash + 16 + 8 * words;
    let chains = bucket + 4 * buckets;
    // The first of the symbols that can be found is the header of the plugin.
    let exported = table + 24 * u64::from(first);
    let with = |address, number: u32| good().with_content(address, &number.to_le_bytes());
    refused(
        &with(exported, 1 << 30),
        ["has its name behind the strings"],
    );
    let long = |address, number: u64| good().with_content(address, &number.to_le_bytes());
    refused(&long(exported + 8, NOWHERE), ["outside of the file"]);
    refused(&long(exported + 16, NOWHERE), ["outside of the file"]);
    // A function that is to be asked for the address, in data.
    let resolver = good().with_content(exported + 4, &[0x1a]);
    refused(&resolver, ["outside of the file"]);
    let of_thread = long(exported + 8, 1 << 20).with_content(exported + 4, &[0x16]);
    refused(&of_thread, ["outside of the file"]);
    let of_none = long(table + 8, 1);
    refused(&of_none, ["symbol 0, which stands for none"]);
    refused(&with(hash + 8, 3), ["a filter of 3 words"]);
    refused(&with(hash + 8, 0), ["a filter of 0 words"]);
    refused(&with(hash + 8, 1 << 31), ["GNU hash table leads nowhere"]);
    refused(&with(hash, u32::MAX), ["GNU hash table leads nowhere"]);
    refused(&with(bucket, u32::MAX), ["GNU hash table leads nowhere"]);
    refused(&with(bucket, first - 1), ["GNU hash table leads nowhere"]);
    // A chain without an end runs on through what follows it.
    assert!(good().number(chains) & 1 == 1);
}

#[test]
fn the_old_hash_table() {
    // Nobody reads the table for unwinding here, so it can be one.
    let (place, _) = good().segment(PT_GNU_EH_FRAME, 0);
    let with = |numbers: [u32; 5]| {
        let numbers = numbers.map(u32::to_le_bytes).concat();
        good()
            .with_entry(DT_FLAGS, place)
            .with_tag(DT_FLAGS, DT_HASH)
            .with_content(place, &numbers)
    };
    // Numbers of buckets and symbols, the bucket, the chain.
    refused(&with([1, 2, 0, 0, 0]), ["different symbols"]);
    refused(&with([1, 2, 1, 0, 1]), ["its hash table leads nowhere"]);
    refused(&with([1, 2, 9, 0, 0]), ["its hash table leads nowhere"]);
    refused(
        &with([u32::MAX, 2, 0, 0, 0]),
        ["its hash table leads nowhere"],
    );
}

#[test]
fn versions() {
    let indexes = good().entry(DT_VERSYM);
    let needs = good().entry(DT_VERNEED);
    let number = |address, number: u32| good().with_content(address, &number.to_le_bytes());
    refused(
        &good().without_entry(DT_VERSYM),
        ["its versions belong to no symbols"],
    );
    refused(
        &good().without_entry(DT_VERNEED),
        ["versions that it doesn't tell"],
    );
    let unknown = good().with_content(indexes + 2, &[0xff, 0x7f]);
    refused(&unknown, ["symbol 1 has a version that it doesn't tell"]);
    refused(&good().with_content(needs, &[2, 0]), ["of form 2"]);
    // Of a library, the name, the first version, the next library.
    refused(&number(needs + 4, 1 << 30), ["no name at offset"]);
    let other = good().number(needs + 4) + 1;
    refused(&number(needs + 4, other), ["which it doesn't need"]);
    refused(&number(needs + 8, 1 << 30), ["no entry at byte"]);
    refused(&number(needs + 12, 1 << 30), ["no entry at byte"]);
    // Of its first version, the name and the next one.
    let version = needs + u64::from(good().number(needs + 8));
    refused(&number(version + 8, 1 << 30), ["no name at offset"]);
    refused(&number(version + 12, 1 << 30), ["no entry at byte"]);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn relocations() {
    let table = good().entry(DT_RELA);
    let relative = good().entry(DT_RELACOUNT);
    let calls = good().entry(DT_JMPREL);
    let code = good().entry(DT_INIT);
    let (dynamic, ..) = good().segment(PT_DYNAMIC, 0);
    let at = |at: u64, number: u64| good().with_content(at, &number.to_le_bytes());
    // Of the first, which is relative: place, kind and symbol, addend.
    refused(&at(table, NOWHERE), ["outside of what can be written to"]);
    refused(&at(table, code), ["outside of what can be written to"]);
    refused(
        &at(table, u64::MAX - 3),
        ["outside of what can be written to"],
    );
    refused(
        &at(table, dynamic + 8),
        ["changes what relocations are made by"],
    );
    refused(&at(table + 16, NOWHERE), ["relocation 0", "leads nowhere"]);
    let kind = |kind: RelocationType, symbol: u64| symbol << 32 | u64::from(kind.0);
    refused(
        &at(table + 8, kind(R_X86_64_RELATIVE, 1)),
        ["relocation 0", "leads nowhere"],
    );
    refused(
        &at(table + 8, kind(R_X86_64_64, 1)),
        ["counted as relative and isn't"],
    );
    refused(
        &at(table + 8, kind(RelocationType(200), 0)),
        ["unknown kind 200"],
    );
    refused(
        &good().with_entry(DT_RELACOUNT, relative + 1),
        ["counted as relative and isn't"],
    );
    // Of the first that isn't relative.
    let of_symbol = table + 24 * relative;
    let symbol = |symbol| at(of_symbol + 8, kind(R_X86_64_GLOB_DAT, symbol));
    refused(&symbol(1 << 20), ["leads nowhere"]);
    refused(&symbol(0), ["leads nowhere"]);
    let place = u64::from(good().number(of_symbol));
    let odd = at(of_symbol, place + 1)
        .with_content(of_symbol + 8, &kind(R_X86_64_GLOB_DAT, 1).to_le_bytes());
    refused(&odd, ["parts of two words"]);
    refused(&at(of_symbol + 24, place), ["two relocations change"]);
    refused(
        &at(of_symbol + 8, kind(R_X86_64_COPY, 1)),
        ["unknown kind 5"],
    );
    refused(
        &at(of_symbol + 8, kind(R_X86_64_DTPMOD64, 1)),
        ["leads nowhere"],
    );
    let resolver = at(of_symbol + 8, kind(R_X86_64_IRELATIVE, 0));
    refused(
        &resolver.with_content(of_symbol + 16, &table.to_le_bytes()),
        ["leads nowhere"],
    );
    refused(&at(calls, NOWHERE), ["outside of what can be written to"]);
    refused(
        &at(calls + 8, kind(R_X86_64_JUMP_SLOT, 1 << 20)),
        ["leads nowhere"],
    );
}

#[test]
#[cfg(target_arch = "x86_64")]
fn relocations_of_thread_variables() {
    let relocation = good().entry(DT_RELA) + 24 * good().entry(DT_RELACOUNT);
    let (_, block) = good().segment(PT_TLS, 0);
    let first = good().number(good().entry(DT_GNU_HASH) + 4);
    let variable = good().entry(DT_SYMTAB) + 24 * u64::from(first);
    // The first symbol that can be found, as a variable 8 bytes into the block.
    let with = |symbol: u32, addend: u64| {
        let info = u64::from(symbol) << 32 | u64::from(R_X86_64_TPOFF64.0);
        good()
            .with_content(variable + 4, &[0x16])
            .with_content(variable + 8, &8_u64.to_le_bytes())
            .with_content(variable + 16, &0_u64.to_le_bytes())
            .with_content(relocation + 8, &info.to_le_bytes())
            .with_content(relocation + 16, &addend.to_le_bytes())
    };
    let sound = [
        (0, 0),
        (0, block),
        (first, 8_u64.wrapping_neg()),
        (first, block - 8),
    ];
    for (symbol, addend) in sound {
        inspect(with(symbol, addend).bytes(), "plugin").unwrap();
    }
    let wild = [
        (0, block + 1),
        (0, u64::MAX),
        (first, block - 7),
        (first, 9_u64.wrapping_neg()),
    ];
    for (symbol, addend) in wild {
        refused(&with(symbol, addend), ["relocation", "leads nowhere"]);
    }
    // What has a place in each thread has no address.
    let address = u64::from(first) << 32 | u64::from(R_X86_64_GLOB_DAT.0);
    let address = with(first, 0).with_content(relocation + 8, &address.to_le_bytes());
    refused(&address, ["leads nowhere"]);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn packed_relocations() {
    let (list, _) = good().segment(PT_GNU_EH_FRAME, 0);
    let (data, _) = good().segment(PT_LOAD, 3);
    let (dynamic, _) = good().segment(PT_DYNAMIC, 0);
    let place = data.next_multiple_of(8);
    let with = |place: u64, value: u64| {
        let tags = [(DT_FLAGS, DT_RELR, list), (DT_FLAGS_1, DT_RELRSZ, 8)];
        let tags = tags.into_iter().chain([(DT_RELACOUNT, DT_RELRENT, 8)]);
        let file = tags.fold(good(), |file, (tag, other, value)| {
            file.with_entry(tag, value).with_tag(tag, other)
        });
        file.with_content(data.next_multiple_of(8), &value.to_le_bytes())
            .with_content(list, &place.to_le_bytes())
    };
    inspect(with(place, data).bytes(), "plugin").unwrap();
    refused(
        &with(place, NOWHERE),
        ["packed relocation", "leads nowhere"],
    );
    refused(&with(NOWHERE, data), ["outside of what can be written to"]);
    refused(
        &with(dynamic, data),
        ["changes what relocations are made by"],
    );
}

#[test]
#[cfg(target_arch = "x86_64")]
fn starts_and_ends() {
    let with = |tag, value| good().with_entry(tag, value);
    for tag in [DT_INIT, DT_FINI] {
        refused(&with(tag, NOWHERE), ["where no code is"]);
        refused(&with(tag, good().entry(DT_STRTAB)), ["where no code is"]);
        // Nor is there any where the tables may be executed, as in a file of two segments.
        let executable = with(tag, good().entry(DT_STRTAB));
        let executable = executable.with_segment(PT_LOAD, 0, SegmentField::Flags, 5);
        refused(&executable, ["where no code is"]);
    }
    for (array, size) in [
        (DT_INIT_ARRAY, DT_INIT_ARRAYSZ),
        (DT_FINI_ARRAY, DT_FINI_ARRAYSZ),
    ] {
        refused(&with(array, NOWHERE), ["its constructors at"]);
        refused(&with(size, 7), ["its constructors at"]);
        refused(&with(size, 1 << 40), ["its constructors at"]);
        refused(
            &good().without_entry(array),
            ["only a part of where its constructors"],
        );
        refused(
            &good().without_entry(size),
            ["only a part of where its constructors"],
        );
    }
    // What no relocation fills in is called as address 0.
    let got = good().entry(DT_PLTGOT);
    refused(&with(DT_INIT_ARRAY, got), ["leads to no code"]);
    // The relocation of the first function, led into data.
    let array = good().entry(DT_INIT_ARRAY);
    let table = good().entry(DT_RELA);
    let of_array = (0..good().entry(DT_RELACOUNT))
        .map(|index| table + 24 * index)
        .find(|&at| u64::from(good().number(at)) == array)
        .unwrap();
    let led_astray = good().with_content(of_array + 16, &table.to_le_bytes());
    refused(&led_astray, ["constructor ", "leads to no code"]);
}

#[test]
fn what_the_linker_says_twice_must_be_the_same() {
    let says = ["is not what its dynamic section leads to"];
    let with = |tag, value| good().with_entry(tag, value);
    // Fewer relocations than there are: each of them would be sound.
    refused(&with(DT_RELASZ, good().entry(DT_RELASZ) - 24), says);
    refused(&with(DT_PLTRELSZ, good().entry(DT_PLTRELSZ) - 24), says);
    refused(
        &with(DT_INIT_ARRAYSZ, good().entry(DT_INIT_ARRAYSZ) - 8),
        says,
    );
    refused(&good().without_entry(DT_GNU_HASH), says);
    // More than there are: the next array's first function, and the first relocation of a call.
    let says = ["is not that of its sections"];
    refused(&with(DT_RELASZ, good().entry(DT_RELASZ) + 24), says);
    let arrays = [
        (DT_INIT_ARRAY, DT_INIT_ARRAYSZ),
        (DT_FINI_ARRAY, DT_FINI_ARRAYSZ),
    ];
    let first = arrays
        .into_iter()
        .min_by_key(|&(array, _)| good().entry(array));
    let (_, size) = first.unwrap();
    refused(&with(size, good().entry(size) + 8), says);
    let says = ["is not what its dynamic section leads to"];
    let without = good()
        .without_entry(DT_INIT_ARRAY)
        .without_entry(DT_INIT_ARRAYSZ);
    refused(&without, says);
}
