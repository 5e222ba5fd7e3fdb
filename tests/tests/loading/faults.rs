//! The faults: what is wrong with each file, and what must be said about it.

use std::env::consts::{ARCH, OS};

use forebay_tests::{Folder, Library, plugin_file};
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH};
use plugin_api::ffi::marker::FORMAT;
use plugin_api::ffi::{ABI_STABLE_VERSION, ABI_VERSION};
use plugin_host::loader::Stage;
use serde_json::json;

use super::good;

/// A file with one fault, and what is expected of its error.
pub(crate) struct Fault {
    pub(crate) file: String,
    pub(crate) stage: Stage,
    pub(crate) code: &'static str,
    /// Texts that must be in what is said of it.
    pub(crate) says: Vec<String>,
    /// Texts that must be in the line that says how to mend it.
    pub(crate) helps: Vec<String>,
}

impl Fault {
    fn new(name: &str, stage: Stage, code: &'static str) -> Self {
        Self {
            file: format!("{name}.so"),
            stage,
            code,
            says: Vec::new(),
            helps: Vec::new(),
        }
    }

    /// Puts a file with the fault into the folder. A file that is good until it is opened is the
    /// same plugin as the good one, and goes into a folder of its own within.
    fn put(self, folder: &Folder, content: impl AsRef<[u8]>) -> Self {
        if self.is_opened() {
            std::fs::create_dir(folder.at(self.name())).unwrap();
            folder.put(&format!("{}/{}", self.name(), self.file), content);
        } else {
            folder.put(&self.file, content);
        }
        self
    }

    /// Makes the file longer, by a hole that takes no room.
    fn grown(self, folder: &Folder, length: u64) -> Self {
        let file = std::fs::File::options()
            .write(true)
            .open(folder.at(&self.file));
        file.unwrap().set_len(length).unwrap();
        self
    }

    /// Gives the file other rights.
    fn with_mode(self, folder: &Folder, mode: u32) -> Self {
        folder.set_mode(&self.file, mode);
        self
    }

    /// Whether the file is opened before the fault is seen.
    pub(crate) fn is_opened(&self) -> bool {
        self.stage >= Stage::Open
    }

    pub(crate) fn name(&self) -> &str {
        self.file.trim_end_matches(".so")
    }

    fn says<const N: usize>(mut self, texts: [&str; N]) -> Self {
        self.says = texts.map(str::to_owned).to_vec();
        self
    }

    fn helps<const N: usize>(mut self, texts: [&str; N]) -> Self {
        self.helps = texts.map(str::to_owned).to_vec();
        self
    }
}

/// Puts a file with every fault into the folder.
pub(crate) fn put_all(folder: &Folder) -> Vec<Fault> {
    [
        kind(folder),
        machine(folder),
        marker(folder),
        built_differently(folder),
        needs(folder),
        abi(folder),
        specification(folder),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn look(name: &str, code: &'static str) -> Fault {
    Fault::new(name, Stage::Look, code)
}

fn open(name: &str, code: &'static str) -> Fault {
    Fault::new(name, Stage::Open, code)
}

/// Files that are no libraries.
fn kind(to: &Folder) -> Vec<Fault> {
    std::fs::create_dir(to.at("directory.so")).unwrap();
    std::os::unix::fs::symlink("nothing/lib.so", to.at("link-to-nothing.so")).unwrap();
    let half = good().bytes().len() / 2;
    vec![
        Fault::new("directory", Stage::Trust, "load.not_regular_file")
            .says(["a directory"])
            .helps(["the library itself"]),
        Fault::new("open-to-all", Stage::Trust, "load.world_writable")
            .put(to, good())
            .with_mode(to, 0o666)
            .says(["0666", "0644", &*to.at("open-to-all.so").to_string_lossy()])
            .helps(["`chmod go-w ", "open-to-all.so`"]),
        Fault::new("link-to-nothing", Stage::Trust, "load.dangling_link")
            .says(["leads to", &*to.at("nothing/lib.so").to_string_lossy()])
            .helps(["remove the link"]),
        look("empty", "load.empty")
            .put(to, "")
            .says(["an empty file"])
            .helps(["copy or download"]),
        look("text", "load.not_library")
            .put(to, "port: 8080\n")
            .says(["a text file"])
            .helps(["cdylib"]),
        look("script", "load.not_library")
            .put(to, "#!/bin/sh\nexit 0\n")
            .says(["a script"])
            .helps(["cdylib"]),
        look("large", "load.too_large")
            .put(to, good())
            .grown(to, (1 << 30) + 1)
            .says(["1073741825 bytes", "1073741824"])
            .helps(["strip"]),
        // Only its first block is read.
        look("zeros", "load.not_library")
            .put(to, [])
            .grown(to, 1 << 40)
            .says(["a file of zeros"])
            .helps(["cdylib"]),
        look("half", "load.truncated")
            .put(to, good().cut(half))
            .says(["truncated", &half.to_string()])
            .helps(["copy or download"]),
        look("class", "load.damaged")
            .put(to, good().with_unknown_class())
            .says(["class 9"])
            .helps(["copy or download", "the linker"]),
    ]
}

/// Libraries for other machines.
fn machine(to: &Folder) -> Vec<Fault> {
    let foreign = if ARCH == "aarch64" {
        "x86_64"
    } else {
        "aarch64"
    };
    let here = format!("{ARCH}-{OS}");
    vec![
        look("bits", "load.wrong_bitness")
            .put(to, good().for_32_bit())
            .says(["32-bit library for x86", &format!("64-bit {ARCH}")])
            .helps([&here]),
        look("cpu", "load.foreign_cpu")
            .put(to, good().for_foreign_cpu())
            .says([foreign, ARCH])
            .helps([&here]),
        look("system", "load.foreign_platform")
            .put(to, good().for_freebsd())
            .says(["freebsd", OS])
            .helps([&here]),
        look("windows", "load.foreign_platform")
            .put(to, b"MZ\x90\0")
            .says(["windows", OS])
            .helps([&here]),
    ]
}

/// Markers that can't be read.
fn marker(to: &Folder) -> Vec<Fault> {
    let twice = Library::read(&plugin_file("forebay-fixture-two-plugins"));
    let file = "libforebay_fixture_";
    vec![
        look("libc", "load.no_marker")
            .put(to, libc())
            .says([".forebay"])
            .helps(["export_plugin!"]),
        look("no-marker", "load.no_marker")
            .put(to, good().without_marker())
            .says([".forebay"])
            .helps(["export_plugin!"]),
        look("checksum", "load.marker_damaged")
            .put(to, good().with_wrong_checksum())
            .says(["checksum"])
            .helps(["as the linker wrote it"]),
        look("no-json", "load.marker_damaged")
            .put(to, good().with_marker_content(b"{"))
            .says(["no JSON"])
            .helps(["as the linker wrote it"]),
        look("field", "load.marker_field")
            .put(to, good().with_marker_field("symbol", 7))
            .says(["`symbol`", "expected a text"])
            .helps(["plugin-api of this host"]),
        look("old-format", "load.prerelease_abi")
            .put(to, good().with_marker_format(0))
            .says(["format 0", &format!("reads {FORMAT}")])
            .helps(["rebuild", "forebay-plugin-api"]),
        look("new-format", "load.newer_format")
            .put(to, good().with_marker_format(FORMAT + 1))
            .says([
                &format!("format {}", FORMAT + 1),
                &format!("reads {FORMAT}"),
            ])
            .helps(["update the host"]),
        look("two-plugins", "load.two_plugins")
            .put(to, twice)
            .says(["`forebay-fixture-source`", "`forebay-fixture-two-plugins`"])
            .helps([file, "rename"]),
    ]
}

/// Plugins that say of themselves that they were built for something else.
fn built_differently(to: &Folder) -> Vec<Fault> {
    let new = |name, field: &str, value: &str, code| {
        let file = good().with_marker_field(field, value);
        look(name, code).put(to, file)
    };
    let musl = format!("{ARCH}-unknown-linux-musl");
    vec![
        new("target", "target", &musl, "load.foreign_target")
            .says([&musl, &format!("{ARCH}-linux-gnu")])
            .helps(["--target"]),
        new("abi", "abi", "2.3.4", "load.abi_major")
            .says(["ABI 2.3.4", &format!("speaks {ABI_VERSION}")])
            .helps(["for ABI 1"]),
        new("abi-stable", "abi_stable", "0.12.1", "load.abi_stable")
            .says(["abi_stable 0.12.1", &format!("uses {ABI_STABLE_VERSION}")])
            .helps([ABI_STABLE_VERSION]),
        new("panic", "panic", "abort", "load.panic_abort")
            .says(["panic=abort", "panic=unwind"])
            .helps(["panic = \"unwind\"", "Cargo.toml"]),
    ]
}

/// Libraries that ask the dynamic loader for something that isn't there or can't be trusted.
fn needs(to: &Folder) -> Vec<Fault> {
    let with = |tag, text| good().with_dynamic(tag, text);
    vec![
        look("glibc", "load.newer_glibc")
            .put(to, good().with_needed_glibc("GLIBC_2.99"))
            .says(["needs glibc 2.99", "this machine has 2."])
            .helps(["or older"]),
        look("runpath", "load.run_path")
            .put(to, with(DT_RUNPATH, "plugins/lib"))
            .says(["RUNPATH", "`plugins/lib`"])
            .helps(["--remove-rpath"]),
        look("rpath", "load.run_path")
            .put(to, with(DT_RPATH, "/lib:$ORIGIN/../lib"))
            .says(["RPATH", "`$ORIGIN/../lib`"])
            .helps(["--remove-rpath"]),
        Fault::new("runpath-for-all", Stage::Trust, "load.world_writable")
            .put(to, with(DT_RUNPATH, "/tmp/libraries"))
            .says(["the folder `/tmp`", "run path `/tmp/libraries`"])
            .helps(["--remove-rpath"]),
        look("needed-path", "load.needed_path")
            .put(to, with(DT_NEEDED, "./libnope.so"))
            .says(["`./libnope.so`"])
            .helps(["--replace-needed ./libnope.so libnope.so"]),
        open("library", "load.library_missing")
            .put(to, with(DT_NEEDED, "libforebay-nope.so.1"))
            .says(["`libforebay-nope.so.1`"])
            .helps(["install", "`libforebay-nope.so.1`"]),
        open("undefined", "load.open_failed")
            .put(to, good().with_renamed("memcpy", "memcpz"))
            .says(["undefined symbol", "memcpz"])
            .helps(["ldd -r"]),
    ]
}

/// Headers that aren't what the marker says.
fn abi(to: &Folder) -> Vec<Fault> {
    let new = |name, file: Library, code| Fault::new(name, Stage::Abi, code).put(to, file);
    let symbol = good().marker()["symbol"].as_str().unwrap().to_owned();
    // A header begins with 32 bytes of magic, then the two numbers of abi_stable's version.
    let numbers = [0_u32, 12].map(u32::to_ne_bytes).concat();
    vec![
        new(
            "symbol",
            good().with_marker_field("symbol", "nowhere"),
            "load.symbol_missing",
        )
        .says(["`nowhere`"])
        .helps(["strip"]),
        new(
            "magic",
            good().with_bytes_at(&symbol, 0, b"?"),
            "load.header_invalid",
        )
        .says(["magic"])
        .helps(["rebuild"]),
        new(
            "numbers",
            good().with_bytes_at(&symbol, 32, &numbers),
            "load.header_invalid",
        )
        .says(["abi_stable 0.12", "uses 0.11"])
        .helps(["rebuild"]),
        new(
            "package",
            good().with_marker_field("package", "another"),
            "load.module_differs",
        )
        .says([
            "`package`",
            "another in the marker",
            "forebay-fixture-source in the root",
        ])
        .helps(["different builds"]),
        new(
            "version",
            good().with_marker_field("version", "0.9.0"),
            "load.module_differs",
        )
        .says(["`version`", "0.9.0 in the marker", "0.1.0 in the root"])
        .helps(["different builds"]),
    ]
}

/// Plugins that can't be set up, or then say something else than their marker.
fn specification(to: &Folder) -> Vec<Fault> {
    let new =
        |name, file: Library, code| Fault::new(name, Stage::Specification, code).put(to, file);
    let second_root = |package: &str| Library::read(&plugin_file(package)).with_second_root();
    let lie = |marker: &mut serde_json::Value| {
        marker["specification"]["sourceParams"]["last"]["default"] = json!("12");
    };
    let misnamed = |marker: &mut serde_json::Value| {
        marker["specification"]["name"] = json!("two words");
    };
    // Of a specification that can mean nothing: its parameter `last`, edited.
    let invalid = |name, edit: fn(&mut serde_json::Value)| {
        let file = good().with_marker(|marker| edit(&mut marker["specification"]));
        new(name, file, "load.specification_invalid")
    };
    let panicking = second_root("forebay-fixture-panicking-root");
    let failing = second_root("forebay-fixture-failing-specifier");
    vec![
        new("root", panicking, "load.constructor_panicked")
            .says(["panicked"])
            .helps(["author"]),
        new("specifier", failing, "load.constructor_failed")
            .says(["no licence was found"])
            .helps(["author"]),
        new("lie", good().with_marker(lie), "load.specification_differs")
            .says([
                "`sourceParams.last.default`",
                "\"12\" in the marker",
                "\"3\" in the running",
            ])
            .helps(["different builds"]),
        new(
            "name",
            good().with_marker(misnamed),
            "load.specification_invalid",
        )
        .says(["`name`", "two words"])
        .helps(["Cargo.toml"]),
        invalid("semver", |spec| spec["version"] = json!("v1.2")).says([
            "`version`",
            "semantic version",
            "v1.2",
        ]),
        invalid("parameter", |spec| {
            let params = &mut spec["sourceParams"];
            params["tables.x*.key"] = params["last"].clone();
        })
        .says(["`sourceParams`", "\"tables.x*.key\"", "`*` alone"]),
        invalid("bound", |spec| {
            spec["sourceParams"]["last"]["validations"] =
                json!([{"type": "less-than", "value": "ten"}]);
        })
        .says(["`sourceParams.last.validations[0].value`", "\"ten\""]),
        invalid("regex", |spec| {
            spec["sourceParams"]["last"]["validations"] = json!([{"type": "regex", "value": "(3"}]);
        })
        .says(["`sourceParams.last.validations[0].value`", "unclosed group"]),
        invalid("default", |spec| {
            spec["sourceParams"]["last"]["default"] = json!("three");
        })
        .says(["`last`", "\"three\" value is not an integer"]),
    ]
}

/// The C library that this process uses: a good library that is no plugin.
fn libc() -> Vec<u8> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| line.ends_with("/libc.so.6"));
    let line = line.unwrap_or_else(|| panic!("no libc.so.6 in this process"));
    std::fs::read(&line[line.find('/').unwrap()..]).unwrap()
}
