//! The `file` destination: rotation under kills, a full disk, gzip and atomic files over several runs.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::kill::{check, copy_lines, line};
use crate::support::{Finished, Place, Random, wait_until};

/// The numbers of the files `out.txt.N`, which ascend without gaps.
fn numbers(place: &Place) -> Vec<u64> {
    let entries = fs::read_dir(place.path(".")).unwrap();
    let mut numbers: Vec<u64> = entries
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            Some(name.strip_prefix("out.txt.")?.parse().unwrap())
        })
        .collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
    numbers
}

/// What all files have, from the first one that was full to the one that grows.
fn all_output(place: &Place) -> Vec<u8> {
    let full = numbers(place).into_iter().flat_map(|number| {
        let name = format!("out.txt.{number}");
        place.read(&name)
    });
    full.chain(fs::read(place.path("out.txt")).unwrap_or_default())
        .collect()
}

/// Has the pipeline copy from `in.txt` to this path.
pub(crate) fn copy_to(place: &Place, plugin: &str, path: &str, settings: &[(&str, &str)]) {
    let common = [("path", path), ("sdk.record.format", "raw")];
    place.pipeline(
        (plugin, &[("path", "in.txt"), ("follow", "false")]),
        (plugin, &[&common, settings].concat()),
    );
}

fn destination(place: &Place, settings: &[(&str, &str)]) {
    copy_to(place, "standalone:file", "out.txt", settings);
}

fn run(place: &Place) -> Finished {
    place.run(&["run", "pipeline.yaml", "-q"])
}

#[test]
fn killed_while_files_rotate_nothing_is_lost_and_the_order_is_kept() {
    const LINES: u64 = 400_000;
    const KILLS: u64 = 20;
    // So small that most of the time a file is being renamed or begun.
    const MOST: u64 = 4096;
    let place = copy_lines(LINES);
    destination(&place, &[("maxBytes", &MOST.to_string())]);
    let mut random = Random::new();
    let mut flowing = 0;
    for _ in 0..KILLS {
        let before = numbers(&place).len() as u64;
        let next = place.path(&format!("out.txt.{}", before + 1 + random.below(150)));
        let mut running = place.start(&["run", "pipeline.yaml", "-q"]);
        wait_until(|| (running.ended().is_some() || next.exists()).then_some(()));
        running.signal(Signal::KILL);
        if running.finish().code.is_none() {
            flowing += 1;
        }
    }
    run(&place).expect_code(0);

    let copied = check(&all_output(&place));
    println!(
        "{flowing} of {KILLS} kills while files rotated, {} fragments, {} files",
        copied.fragments,
        numbers(&place).len()
    );
    assert_eq!(copied.lines, LINES);
    assert!(copied.fragments <= KILLS, "{} fragments", copied.fragments);
    assert!(flowing * 5 >= KILLS * 4, "only {flowing} of {KILLS} kills");
    for number in numbers(&place) {
        let file = place.read(&format!("out.txt.{number}"));
        assert!(file.ends_with(b"\n"), "{number} ends within a line");
        // The newline that a later run puts behind a fragment may come on top.
        assert!(file.len() as u64 <= MOST + 1, "{number} has {}", file.len());
    }
}

/// Runs a script where it may mount file systems, with a small one on `disk`; `false` where that isn't
/// permitted.
pub(crate) fn with_small_disk(place: &Place, script: &str) -> bool {
    fs::create_dir(place.path("disk")).unwrap();
    let in_namespace = |script: &str| {
        Command::new("unshare")
            .args(["-rm", "sh", "-euc", script])
            .current_dir(place.path("."))
            .env("FOREBAY", env!("CARGO_BIN_EXE_forebay"))
            .env_remove("FOREBAY_PLUGINS")
            .output()
    };
    let mount = "mount -t tmpfs -o size=256k none disk";
    match in_namespace(mount) {
        Ok(output) if output.status.success() => {}
        refused => {
            println!("skipped, as no file system can be mounted in a user namespace: {refused:?}");
            return false;
        }
    }
    let output = in_namespace(&format!("{mount}\n{script}")).unwrap();
    assert!(output.status.success(), "{output:?}");
    true
}

/// A disk that becomes full in the midst of a line. The first run fails, and the second one, with more
/// room, goes on.
#[track_caller]
fn fills_up_and_goes_on(settings: &[(&str, &str)], read: impl Fn(&Place, &str) -> Vec<u8>) {
    const LINES: u64 = 40_000;
    let place = copy_lines(LINES);
    // In the namespace other owners than the user's own can't be told apart, so no file is trusted.
    copy_to(&place, "builtin:file", "disk/out.txt", settings);
    let script = r#"
        status=0
        "$FOREBAY" run pipeline.yaml -q --retries 0 2> full.err || status=$?
        test $status = 1
        mkdir full && cp disk/out.txt* full
        mount -o remount,size=64m disk
        "$FOREBAY" run pipeline.yaml -q
        mkdir after && cp disk/out.txt* after
    "#;
    if !with_small_disk(&place, script) {
        return;
    }
    let told = fs::read_to_string(place.path("full.err")).unwrap();
    for part in [
        "disk/out.txt` can't be written",
        "No space left",
        "make room",
    ] {
        assert!(told.contains(part), "{part} is missing in: {told}");
    }
    let input = place.read("in.txt");
    let full = read(&place, "full");
    assert!(full.len() > 100_000 && full.ends_with(b"\n"));
    assert!(input.starts_with(&full), "a line is torn or missing");
    // What was written is acknowledged, and the rest is not there: nothing is repeated.
    assert!(input == read(&place, "after"), "the copy differs");
}

fn plain(place: &Place, folder: &str) -> Vec<u8> {
    place.read(&format!("{folder}/out.txt"))
}

fn unzipped(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).unwrap();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

#[test]
fn a_full_disk_tears_no_line_and_the_next_run_goes_on() {
    fills_up_and_goes_on(&[], plain);
}

#[test]
fn a_full_disk_tears_no_line_with_sync() {
    fills_up_and_goes_on(&[("sync", "data")], plain);
}

#[test]
fn a_full_disk_tears_no_gzip() {
    fills_up_and_goes_on(&[("compression", "gzip")], |place, folder| {
        unzipped(&place.path(folder).join("out.txt"))
    });
}

#[test]
fn a_full_disk_tears_no_line_with_rotation() {
    fills_up_and_goes_on(&[("maxBytes", "100000")], |place, folder| {
        let full = (1..).map(|number| place.path(&format!("{folder}/out.txt.{number}")));
        let full = full.take_while(|path| path.exists());
        let files = full.chain([place.path(&format!("{folder}/out.txt"))]);
        files.flat_map(|path| fs::read(path).unwrap()).collect()
    });
}

#[test]
fn gzip_is_valid_after_kills() {
    const LINES: u64 = 300_000;
    const KILLS: u64 = 6;
    let place = copy_lines(LINES);
    destination(&place, &[("compression", "gzip")]);
    let mut random = Random::new();
    for _ in 0..KILLS {
        let length = || fs::metadata(place.path("out.txt")).map_or(0, |file| file.len());
        let enough = length() + 1 + random.below(500_000);
        let mut running = place.start(&["run", "pipeline.yaml", "-q"]);
        wait_until(|| (running.ended().is_some() || length() >= enough).then_some(()));
        running.signal(Signal::KILL);
        running.finish();
    }
    run(&place).expect_code(0);
    let copied = check(&unzipped(&place.path("out.txt")));
    assert_eq!(copied.lines, LINES);
    assert_eq!(copied.fragments, 0);
}

/// The lines of all files, in the form that these settings ask for.
fn lines_of(place: &Place, is_gzip: bool) -> Vec<u8> {
    let full = numbers(place).into_iter();
    let full = full.map(|number| place.path(&format!("out.txt.{number}")));
    let files = full.chain([place.path("out.txt")]);
    files
        .flat_map(|file| match is_gzip {
            true => unzipped(&file),
            false => fs::read(file).unwrap(),
        })
        .collect()
}

#[test]
fn each_setting_and_all_together_copy_all_lines_once() {
    const LINES: u64 = 30_011;
    const MOST: u64 = 100_000;
    let most = MOST.to_string();
    let all = [
        ("sync", "data"),
        ("maxBytes", &*most),
        ("compression", "gzip"),
        ("atomic", "true"),
    ];
    for settings in all.chunks(1).chain([&all[..]]) {
        let place = copy_lines(LINES);
        destination(&place, settings);
        // The second run goes on in the file of the first one, with few more lines.
        for lines in [LINES, LINES + 3] {
            place.write("in.txt", (0..lines).map(line).collect::<String>());
            run(&place).expect_code(0);
        }
        let copied = lines_of(&place, settings.contains(&("compression", "gzip")));
        assert!(copied == place.read("in.txt"), "with {settings:?}");
        let rotates = settings.contains(&("maxBytes", &*most));
        assert_eq!(numbers(&place).len() > 3, rotates, "with {settings:?}");
        for number in numbers(&place) {
            let length = place.read(&format!("out.txt.{number}")).len() as u64;
            assert!(length <= MOST, "{number} has {length}, with {settings:?}");
        }
    }
}

#[test]
fn a_pipe_gets_the_lines_and_can_be_neither_synced_nor_rotated() {
    let place = copy_lines(3);
    copy_to(&place, "builtin:file", "/dev/stdout", &[]);
    let finished = run(&place).expect_code(0);
    assert_eq!(finished.stdout.as_bytes(), place.read("in.txt"));
    for (name, value, instead) in [("sync", "data", "none"), ("maxBytes", "9", "0")] {
        copy_to(&place, "builtin:file", "/dev/stdout", &[(name, value)]);
        let finished = run(&place).expect_code(2);
        assert_eq!(finished.stdout, "");
        let expected = format!("parameter `{name}`: expected `{instead}`: `/dev/stdout` is no");
        assert!(finished.stderr.contains(&expected), "{finished:?}");
    }
}
