//! What survives when the process is killed or asked to stop while lines flow from file to file.

use std::io::Write as _;

use crate::support::{Place, Random, length, wait_until};
use rustix::process::Signal;

/// Bytes of a line, its newline included.
pub(crate) const LINE: usize = 40;

/// Two windows: what may be repeated after a kill (I1).
pub(crate) const TWO_WINDOWS: u64 = 2 * 65_536;

/// A line that tells its number and whether it is whole.
pub(crate) fn line(number: u64) -> String {
    let line = format!(
        "{number:010} {:028x}\n",
        u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C) & ((1 << 112) - 1)
    );
    assert_eq!(line.len(), LINE);
    line
}

/// A place whose pipeline copies so many lines from `in.txt` to `out.txt`, by plugins from files.
pub(crate) fn copy_lines(lines: u64) -> Place {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    let mut input = std::io::BufWriter::new(std::fs::File::create(place.path("in.txt")).unwrap());
    for number in 0..lines {
        input.write_all(line(number).as_bytes()).unwrap();
    }
    input.flush().unwrap();
    place.pipeline(
        (
            "standalone:file",
            &[("path", "in.txt"), ("follow", "false")],
        ),
        (
            "standalone:file",
            &[("path", "out.txt"), ("sdk.record.format", "raw")],
        ),
    );
    place
}

/// Lines of the output, and what may be wrong with it: every line is a whole one or a fragment.
pub(crate) struct Copied {
    pub(crate) lines: u64,
    pub(crate) fragments: u64,
    /// How far each jump back goes.
    repeats: Vec<u64>,
}

/// Checks that no line is missing or garbled, and that lines are in order but for repeats.
#[track_caller]
pub(crate) fn check(output: &[u8]) -> Copied {
    let mut copied = Copied {
        lines: 0,
        fragments: 0,
        repeats: Vec::new(),
    };
    for found in output.split_inclusive(|byte| *byte == b'\n') {
        let number = found
            .get(..10)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let number = number.and_then(|digits| digits.parse::<u64>().ok());
        match number {
            Some(number) if found == line(number).as_bytes() => {
                assert!(number <= copied.lines, "line {} is missing", copied.lines);
                if number < copied.lines {
                    // A repeat begins here, or goes on.
                    let back = copied.lines - number;
                    match copied.repeats.last_mut() {
                        Some(last) if *last == back + 1 => *last = back,
                        _ => copied.repeats.push(back),
                    }
                } else {
                    copied.lines += 1;
                }
            }
            _ => {
                assert!(found.len() < LINE, "a line is garbled: {found:?}");
                copied.fragments += 1;
            }
        }
    }
    copied
}

/// Kills the copying so many times, each after a random number of lines, then lets it end.
fn kill_again_and_again(kills: u64, lines: u64) {
    let place = copy_lines(lines);
    let mut random = Random::new();
    let output = place.path("out.txt");
    let mut flowing = 0;
    let mut worst = 0;
    for _ in 0..kills {
        let before = length(&output);
        let growth = 1 + random.below(200_000 * LINE as u64);
        let mut running = place.start(&["run", "pipeline.yaml", "-q"]);
        let ended = wait_until(|| match running.ended() {
            Some(status) => Some(Some(status)),
            None => (length(&output) >= before + growth).then_some(None),
        });
        assert_eq!(
            ended, None,
            "the lines ended before the kills: make more of them"
        );
        running.signal(Signal::KILL);
        let finished = running.finish();
        let whole = lines * LINE as u64;
        if finished.code.is_none() && length(&output) > before && length(&output) < whole * 2 {
            flowing += 1;
        }
    }
    place.run(&["run", "pipeline.yaml", "-q"]).expect_code(0);

    // The jumps back are counted once each, from where the run before had come to.
    let copied = check(&place.read("out.txt"));
    for back in starts_of_repeats(&place.read("out.txt")) {
        worst = worst.max(back);
    }
    println!(
        "{flowing} of {kills} kills while lines flowed, {} fragments, at most {worst} lines repeated",
        copied.fragments
    );
    assert_eq!(copied.lines, lines);
    assert!(copied.fragments <= kills, "{} fragments", copied.fragments);
    assert!(
        worst <= TWO_WINDOWS,
        "{worst} lines repeated after one kill"
    );
    assert!(
        flowing * 5 >= kills * 4,
        "only {flowing} of {kills} kills came while lines flowed"
    );
}

/// How far back each run began from the farthest line before it.
fn starts_of_repeats(output: &[u8]) -> Vec<u64> {
    let mut starts = Vec::new();
    let (mut farthest, mut last) = (None, None::<u64>);
    for found in output.split_inclusive(|byte| *byte == b'\n') {
        if found.len() != LINE {
            continue;
        }
        let number = std::str::from_utf8(&found[..10])
            .unwrap()
            .parse::<u64>()
            .unwrap();
        if let (Some(last), Some(farthest)) = (last, farthest)
            && number <= last
        {
            starts.push(farthest + 1 - number);
        }
        last = Some(number);
        farthest = farthest.max(Some(number));
    }
    starts
}

#[test]
fn killed_50_times_nothing_is_lost_and_little_repeated() {
    kill_again_and_again(50, 8_000_000);
}

#[test]
fn stopped_again_and_again_nothing_is_lost_or_repeated() {
    const LINES: u64 = 1_500_000;
    let place = copy_lines(LINES);
    let mut random = Random::new();
    let output = place.path("out.txt");
    let mut stopped = 0;
    for _ in 0..8 {
        let before = length(&output);
        let growth = 1 + random.below(120_000 * LINE as u64);
        let mut running = place.start(&["run", "pipeline.yaml", "-q"]);
        let ended = wait_until(|| match running.ended() {
            Some(status) => Some(Some(status)),
            None => (length(&output) >= before + growth).then_some(None),
        });
        if ended.is_some() {
            break;
        }
        running.signal(Signal::TERM);
        running.finish().expect_code(0);
        stopped += 1;
    }
    assert!(stopped >= 2, "only {stopped} stops came while lines flowed");
    place.run(&["run", "pipeline.yaml", "-q"]).expect_code(0);
    assert!(
        place.read("out.txt") == place.read("in.txt"),
        "the copy differs"
    );
}
