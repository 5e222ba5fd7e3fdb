//! A disk that becomes full or read-only while the output or the stored positions are on it: the run waits,
//! and goes on by itself when there is room.
//!
//! The disk is a small file system in a user namespace; where none can be mounted, the tests say so and
//! pass.

use crate::kill::copy_lines;
use crate::output::{copy_to, with_small_disk};
use crate::repeats::{check_jumps, jumps, numbers};

const LINES: u64 = 40_000;

/// Runs the pipeline from `in.txt` to `output`, with further settings and flags, and meanwhile a script,
/// which may `await` what is told. In the end each line is there, in order but for what tries have
/// repeated. Returns what was told, and how often a try went back; `None` where nothing can be mounted.
fn goes_on(
    output: &str,
    settings: &[(&str, &str)],
    flags: &str,
    meanwhile: &str,
) -> Option<(String, usize)> {
    let place = copy_lines(LINES);
    copy_to(&place, "builtin:file", output, settings);
    let script = format!(
        r#"
        "$FOREBAY" run pipeline.yaml {flags} --retry-min-delay 1ms --retry-max-delay 50ms 2> run.err &
        runs() {{ kill -0 $! || {{ cat run.err; exit 1; }}; }}
        await() {{ until grep -q "$1" run.err; do runs; done; }}
        {meanwhile}
        wait $! || {{ cat run.err; exit 1; }}
        cp {output} copy.txt
    "#
    );
    if !with_small_disk(&place, &script) {
        return None;
    }
    let told = String::from_utf8(place.read("run.err")).unwrap();
    let tries = told.matches(" follows in ").count();
    let (numbers, fragments) = numbers(&place.read("copy.txt"));
    assert_eq!(fragments, 0, "{told}");
    let jumps = jumps(numbers, LINES, |_| true);
    check_jumps(&jumps, tries as u64, output);
    Some((told, jumps.len()))
}

#[test]
fn positions_and_output_on_one_full_disk_go_on_when_there_is_room() {
    let meanwhile = "
        await 'try 2 follows'
        mount -o remount,size=64m disk";
    goes_on("disk/out.txt", &[], "--state disk/state", meanwhile);
}

#[test]
fn positions_on_a_full_disk_are_stored_again_when_there_is_room() {
    // So slow that there are many windows, one of which is the first that finds no room.
    let slow = [("sdk.rate.perSecond", "20000"), ("sdk.rate.burst", "500")];
    let meanwhile = r#"
        until [ -s out.txt ]; do runs; done
        cat /dev/zero > disk/fills 2> full.err || true
        await "can't rewrite .*No space left"
        rm disk/fills"#;
    if let Some((told, _)) = goes_on("out.txt", &slow, "--state disk/state", meanwhile) {
        assert!(told.contains("can't commit to `disk/state"), "{told}");
    }
}

#[test]
fn an_output_that_is_full_and_then_read_only_is_written_to_again_without_repeats() {
    // It is refused as long as the file is open.
    let meanwhile = "
        await 'try 2 follows'
        until mount -o remount,ro disk 2> refused.err; do runs; done
        await 'Read-only file system'
        mount -o remount,rw,size=64m disk";
    if let Some((told, repeats)) = goes_on("disk/out.txt", &[], "", meanwhile) {
        assert!(told.contains("No space left"), "{told}");
        assert_eq!(repeats, 0, "{told}");
    }
}
