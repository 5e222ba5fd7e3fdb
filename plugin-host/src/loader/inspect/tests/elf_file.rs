//! What an ELF library of this machine is accepted or refused for.

use serde_json::json;

use super::super::sample::{HEADER, SECTION, SEGMENT};
use super::*;

#[test]
fn a_plugin_is_accepted_with_its_facts() {
    let sample = SampleElf {
        runpath: Some("/opt/a:/opt/b:/opt/a"),
        ..SampleElf::plugin()
    };
    let inspection = inspect(&sample.build(), "anything").unwrap();
    assert_eq!(inspection.marker.package, "conn-a");
    assert_eq!(inspection.needed, ["libgcc_s.so.1", "libc.so.6"]);
    assert_eq!(
        inspection.run_paths,
        [PathBuf::from("/opt/a"), "/opt/b".into()]
    );
    assert_eq!(inspection.glibc.unwrap().to_string(), "2.17");
}

#[test]
fn bytes_at_any_address_are_viewed() {
    let file = SampleElf::plugin().build();
    for shift in 0..8 {
        let moved = [&vec![0; shift][..], &file].concat();
        assert_eq!(code(&moved[shift..]), "ok", "{shift}");
    }
}

#[test]
fn every_truncation_is_told_as_such() {
    let file = SampleElf::plugin().build();
    for length in 1..file.len() {
        let found = code(&file[..length]);
        assert_eq!(
            found,
            "load.truncated",
            "at {length} of {}: {}",
            file.len(),
            error(&file[..length])
        );
    }
    let cut = &file[..file.len() - 1];
    let expected = format!(
        "the file is truncated: the section table ends at byte {}, the file has {}",
        file.len(),
        cut.len()
    );
    assert_eq!(error(cut), expected);
}

#[test]
fn a_real_file_is_whole_only_at_its_full_length() {
    let file = own_executable();
    let small = 1..512;
    let large = (0..400).map(|i| i * (file.len() - 1) / 400 + 1);
    let last = file.len() - 64..file.len();
    for length in small.chain(large).chain(last) {
        assert_eq!(code(&file[..length]), "load.truncated", "{length}");
    }
    // Whole, a position-independent program looks like a library in all but one flag.
    assert_eq!(error(&file), "expected a shared library, found a program");
}

#[test]
fn content_past_the_end_of_the_file_is_found_though_the_tables_are_inside() {
    let file = SampleElf::plugin().build();
    let past = (file.len() as u64 + 1).to_le_bytes();
    let segment_size = patched(&file, HEADER + 32, &past);
    assert!(
        error(&segment_size).contains("segment 0 ends at byte"),
        "{}",
        error(&segment_size)
    );
    let huge = patched(&file, HEADER + SEGMENT + 8, &u64::MAX.to_le_bytes());
    assert_eq!(code(&huge), "load.truncated");
    let table = u64::from_le_bytes(file[40..48].try_into().unwrap()) as usize;
    let section = patched(&file, table + SECTION + 24, &past);
    assert!(
        error(&section).contains("section 1 ends at byte"),
        "{}",
        error(&section)
    );
    let memory = patched(&file, HEADER + 40, &1_u64.to_le_bytes());
    assert_eq!(
        error(&memory),
        "the file is damaged: segment 0 is larger in the file than in memory"
    );
}

#[test]
fn other_elf_files_are_no_libraries() {
    let file = SampleElf::plugin().build();
    let of_type = |kind: u16| error(&patched(&file, 16, &kind.to_le_bytes()));
    assert_eq!(
        of_type(1),
        "expected a shared library, found an object file that isn't linked (.o)"
    );
    assert_eq!(of_type(2), "expected a shared library, found a program");
    assert_eq!(of_type(4), "expected a shared library, found a core dump");
    assert_eq!(of_type(9), "the file is damaged: unknown ELF type 9");
    let no_dynamic = patched(&file, HEADER + SEGMENT, &[4]);
    assert!(
        error(&no_dynamic).contains("can't be linked dynamically"),
        "{}",
        error(&no_dynamic)
    );
    let program = SampleElf {
        flags_1: 0x0800_0000,
        ..SampleElf::plugin()
    };
    assert_eq!(
        error(&program.build()),
        "expected a shared library, found a program"
    );
}

#[test]
fn a_library_without_marker_is_no_plugin() {
    for name in [".forebay2", ".foreba", "forebay", ".text"] {
        let sample = SampleElf {
            sections: vec![(name, marker::of_package("conn-a"))],
            ..SampleElf::plugin()
        };
        assert_eq!(code(&sample.build()), "load.no_marker", "{name}");
    }
    let file = SampleElf::plugin().build();
    // No section table at all: its offset, entry size, count and name index are 0.
    let stripped = patched(&patched(&file, 40, &[0; 8]), 58, &[0; 6]);
    assert_eq!(code(&stripped), "load.no_marker");
}

#[test]
fn markers_of_several_sections_count_together() {
    let sections = vec![
        (".forebay", marker::of_package("conn-a")),
        (".forebay", marker::of_package("conn-b")),
    ];
    let file = SampleElf {
        sections,
        ..SampleElf::plugin()
    }
    .build();
    assert_eq!(
        inspect(&file, "libconn_b").unwrap().marker.package,
        "conn-b"
    );
    assert_eq!(
        inspect(&file, "libconn").unwrap_err().code(),
        "load.two_plugins"
    );
}

#[test]
fn the_marker_is_judged_before_what_the_file_needs() {
    let both = SampleElf {
        runpath: Some("lib"),
        ..SampleElf::with_marker(marker::encode(b"{}"))
    };
    assert_eq!(code(&both.build()), "load.marker_field");
    assert_eq!(
        code(&with_field("target", json!("x86_64-pc-windows-msvc"))),
        "load.foreign_target"
    );
    assert_eq!(
        error(&with_field("abi", json!("2.1.0"))),
        format!("built for plugin ABI 2.1.0, this host speaks {ABI_VERSION}")
    );
    assert_eq!(code(&with_field("abi", json!("0.9.0"))), "load.abi_major");
    assert_eq!(code(&with_field("abi", json!("1.99.3"))), "ok");
    assert_eq!(
        error(&with_field("abi_stable", json!("0.12.0"))),
        format!("built with abi_stable 0.12.0, this host uses {ABI_STABLE_VERSION}")
    );
    assert_eq!(code(&with_field("abi_stable", json!("0.11.9"))), "ok");
    assert_eq!(
        code(&with_field("abi_stable", json!("1.11.3"))),
        "load.abi_stable"
    );
    assert_eq!(
        code(&with_field("panic", json!("abort"))),
        "load.panic_abort"
    );
}

#[test]
fn folders_that_anyone_may_fill_are_refused() {
    for (list, refused) in [
        ("lib", "lib"),
        ("/opt/a:", ""),
        (":/opt/a", ""),
        ("$ORIGIN", "$ORIGIN"),
        ("/opt/a:${ORIGIN}/../lib", "${ORIGIN}/../lib"),
        ("/opt/$LIB", "/opt/$LIB"),
        ("./x", "./x"),
    ] {
        let file = SampleElf {
            runpath: Some(list),
            ..SampleElf::plugin()
        }
        .build();
        assert_eq!(
            error(&file),
            format!("the RUNPATH entry `{refused}` is not an absolute folder")
        );
    }
    let file = SampleElf {
        rpath: Some("lib"),
        runpath: Some("/opt"),
        ..SampleElf::plugin()
    };
    assert_eq!(code(&file.build()), "load.run_path");
    assert_eq!(
        error(&file.build()),
        "the RPATH entry `lib` is not an absolute folder"
    );
    let empty = SampleElf {
        runpath: Some(""),
        ..SampleElf::plugin()
    }
    .build();
    assert_eq!(
        inspect(&empty, "x").unwrap().run_paths,
        Vec::<PathBuf>::new()
    );
}

#[test]
fn libraries_are_needed_by_name_only() {
    for name in ["/opt/libx.so", "../libx.so", "x/libx.so", "$ORIGIN"] {
        let file = SampleElf {
            needed: vec!["libgcc_s.so.1", "libc.so.6", name],
            ..SampleElf::plugin()
        }
        .build();
        assert_eq!(code(&file), "load.needed_path", "{name}");
    }
}

#[test]
fn a_newer_glibc_is_refused_only_where_libc_itself_must_have_it() {
    let with = |library, version| {
        let versions = vec![
            ("libx.so", vec!["X_1"]),
            (library, vec!["GLIBC_2.2.5", version]),
        ];
        SampleElf {
            needed: vec!["libx.so", library],
            versions,
            ..SampleElf::plugin()
        }
        .build()
    };
    let file = with("libc.so.6", "GLIBC_2.999");
    if cfg!(target_env = "gnu") {
        assert_eq!(code(&file), "load.newer_glibc");
        assert!(error(&file).starts_with("needs glibc 2.999, this machine has 2."));
    }
    // Which versions the libm of this machine has isn't known here; dlopen will tell.
    let file = inspect(&with("libm.so.6", "GLIBC_2.999"), "x").unwrap();
    assert_eq!(file.glibc.unwrap().to_string(), "2.999");
    assert_eq!(code(&with("libc.so.6", "GLIBC_PRIVATE")), "ok");
    // The flags of the version behind libx.so, its version, libc and GLIBC_2.2.5.
    let file = with("libc.so.6", "GLIBC_2.999");
    let elf = Elf::parse(&file).unwrap();
    let at = elf.value(object::elf::DT_VERNEED).unwrap() as usize + 4 * 16 + 4;
    let weak = patched(&file, at, &object::elf::VER_FLG_WEAK.0.to_le_bytes());
    let glibc = inspect(&weak, "x").unwrap().glibc;
    assert_eq!(glibc.unwrap().to_string(), "2.2.5");
}

#[test]
fn defined_versions_are_read() {
    let file = SampleElf {
        defined: vec!["libx.so", "X_1", "X_2"],
        ..SampleElf::plugin()
    }
    .build();
    let elf = Elf::parse(&file).unwrap();
    let versions = dynamic::defined_versions(&elf).unwrap();
    let names: Vec<_> = versions.iter().map(|version| version.name).collect();
    assert_eq!(names, ["libx.so", "X_1", "X_2"]);
}

#[test]
fn version_tables_that_share_their_ends_are_bounded() {
    // The versions of each of 30,000 libraries go on through those of all libraries behind it.
    let libraries = vec![("l", vec!["V"]); 30_000];
    let mut file = SampleElf {
        versions: libraries,
        ..SampleElf::plugin()
    }
    .build();
    let elf = Elf::parse(&file).unwrap();
    let at = elf.value(object::elf::DT_VERNEED).unwrap() as usize;
    for library in 0..29_999 {
        file[at + library * 32 + 28..][..4].copy_from_slice(&32_u32.to_le_bytes());
    }
    assert_eq!(
        error(&file),
        "the file is damaged: more than 32768 symbol versions"
    );
}

/// What checks the tables knows no linker better than those that have made these.
#[test]
fn the_libraries_of_this_process_can_be_followed() {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let paths = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]));
    let libraries: std::collections::BTreeSet<_> =
        paths.filter(|path| path.contains(".so")).collect();
    assert!(libraries.len() > 1, "{maps}");
    for path in libraries {
        let bytes = std::fs::read(path).unwrap();
        let elf = Elf::parse(&bytes).unwrap();
        elf.check_for_opening()
            .unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
