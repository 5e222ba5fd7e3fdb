//! The figures of docs/performance.md: arms in alternation, with an A/A control, in one run.
//!
//!     cargo bench --package forebay --bench ratios
//!     cargo bench --package forebay --bench ratios -- lines
//!
//! The second form runs only the scenarios whose title has that text in it.
//!
//! `generate`: generator to discard with 100 B that differ in every record, builtin twice (the
//! control) and loaded. `lines`: file to file of 5 million lines of about 100 B in memory, with key,
//! position and metadata on every record, against the best hand-written loop that has no plugin
//! system. The unit is records per second of CPU, user and system time of the whole process.
#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use support::{Cost, connector, folder, measure, run, service};

const PAIRS: usize = 15;
const GENERATED: u64 = 20_000_000;
const LINES: u64 = 5_000_000;

fn main() {
    let plugins = folder();
    let service = service(plugins.path());
    println!(
        "{PAIRS} rounds, the arms in turn; medians, and the spread from the 10th to the 90th percentile\n"
    );

    let generate = |kind: &str, batch: &str| {
        let count = GENERATED.to_string();
        let source = [("recordCount", &*count), ("sdk.batch.size", batch)];
        run(
            &service,
            connector("source", &format!("{kind}:generator"), &source),
            connector("destination", &format!("{kind}:discard"), &[]),
        )
    };
    for batch in ["256", "1024"] {
        alternate(
            &format!("generate, batch {batch}"),
            GENERATED,
            &mut [
                ("builtin", &mut || generate("builtin", batch)),
                ("builtin again", &mut || generate("builtin", batch)),
                ("loaded", &mut || generate("standalone", batch)),
            ],
        );
    }

    let files = folder();
    let (input, output) = (files.path().join("in.txt"), files.path().join("out.txt"));
    write_lines(&input);
    let lines = |kind: &str| {
        remove(&output);
        let (from, to) = (path(&input), path(&output));
        let cost = run(
            &service,
            connector(
                "source",
                &format!("{kind}:file"),
                &[("path", &from), ("follow", "false")],
            ),
            connector(
                "destination",
                &format!("{kind}:file"),
                &[("path", &to), ("sdk.record.format", "raw")],
            ),
        );
        assert_same(&input, &output);
        cost
    };
    alternate(
        "lines",
        LINES,
        &mut [
            ("hand-written loop", &mut || {
                remove(&output);
                let cost = measure(|| copy_by_hand(&input, &output));
                assert_same(&input, &output);
                cost
            }),
            ("hand-written loop again", &mut || {
                remove(&output);
                measure(|| copy_by_hand(&input, &output))
            }),
            ("builtin", &mut || lines("builtin")),
            ("loaded", &mut || lines("standalone")),
        ],
    );
}

type Arm<'a> = (&'a str, &'a mut dyn FnMut() -> Cost);

/// Runs the arms in turn and prints each one's rate, and its ratio to the first arm of the round.
fn alternate(title: &str, records: u64, arms: &mut [Arm<'_>]) {
    // Cargo adds `--bench`.
    let wanted = std::env::args().skip(1).find(|text| !text.starts_with('-'));
    if wanted.is_some_and(|text| !title.contains(&text)) {
        return;
    }
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); arms.len()];
    let mut walls: Vec<Vec<f64>> = vec![Vec::new(); arms.len()];
    for round in 0..=PAIRS {
        for (i, (_, arm)) in arms.iter_mut().enumerate() {
            let cost = arm();
            // The first round warms up.
            if round > 0 {
                rates[i].push(records as f64 / cost.cpu.as_secs_f64() / 1e6);
                walls[i].push(records as f64 / cost.wall.as_secs_f64() / 1e6);
            }
        }
    }
    println!("{title}");
    println!(
        "  {:24} {:>22} {:>12} {:>22}",
        "", "M records per CPU second", "M/s wall", "ratio to the first"
    );
    for (i, (name, _)) in arms.iter().enumerate() {
        let ratios = rates[i]
            .iter()
            .zip(&rates[0])
            .map(|(own, first)| own / first)
            .collect();
        println!(
            "  {name:24} {:>24} {:>12.1} {:>22}",
            spread(rates[i].clone(), 1),
            percentile(&mut walls[i].clone(), 50),
            spread(ratios, 3),
        );
    }
    println!();
}

fn spread(mut values: Vec<f64>, digits: usize) -> String {
    let [low, middle, high] = [10, 50, 90].map(|p| percentile(&mut values, p));
    format!("{middle:.digits$} ({low:.digits$}-{high:.digits$})")
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * percent / 100]
}

/// Lines of 60 to 140 bytes, 100 on average.
fn write_lines(path: &Path) {
    let mut file = BufWriter::new(File::create(path).expect("the input"));
    let filler = [b'.'; 140];
    for number in 0..LINES {
        let length = usize::try_from(60 + (number.wrapping_mul(2_654_435_761) >> 7) % 81);
        let length = length.expect("at most 140");
        write!(file, "{number:010} ").expect("a line");
        file.write_all(&filler[..length - 12]).expect("a line");
        file.write_all(b"\n").expect("a line");
    }
    file.flush().expect("the input");
}

/// The best loop known that has no plugin system: it looks at every line on its way.
fn copy_by_hand(input: &Path, output: &Path) {
    let mut reader = BufReader::with_capacity(256 << 10, File::open(input).expect("the input"));
    let mut writer = BufWriter::with_capacity(256 << 10, File::create(output).expect("the output"));
    let mut lines = 0_u64;
    loop {
        let block = reader.fill_buf().expect("a block");
        if block.is_empty() {
            break;
        }
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', block) {
            writer.write_all(&block[begin..=end]).expect("a line");
            begin = end + 1;
            lines += 1;
        }
        writer.write_all(&block[begin..]).expect("a part of a line");
        let consumed = block.len();
        reader.consume(consumed);
    }
    writer.flush().expect("the output");
    assert_eq!(lines, LINES);
}

fn assert_same(input: &Path, output: &Path) {
    let read = |path| std::fs::read(path).expect("a file");
    assert!(read(input) == read(output), "the copy differs");
}

fn remove(path: &Path) {
    if path.exists() {
        std::fs::remove_file(path).expect("the old output is gone");
    }
}

fn path(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
