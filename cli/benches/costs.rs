//! What single things cost: a call, a record in a batch, a load, a line from file to file.
//!
//!     cargo bench --package forebay --bench costs
//!
//! Each is measured with plugins that are linked in and with the same ones loaded from files.
//! Criterion measures one arm after the other; ratios between arms come from the bench `ratios`.

mod support;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use plugin_host::{PluginService, Registry, ScanOptions};
use support::{connector, folder, run, service};

const KINDS: [&str; 2] = ["builtin", "standalone"];

/// CPU time for so many records from generator to discard, at most so many in a batch.
fn generate(service: &Arc<PluginService>, kind: &str, records: u64, batch: u64) -> Duration {
    let (records, batch) = (records.to_string(), batch.to_string());
    let source = [("recordCount", &*records), ("sdk.batch.size", &*batch)];
    run(
        service,
        connector("source", &format!("{kind}:generator"), &source),
        connector("destination", &format!("{kind}:discard"), &[]),
    )
    .cpu
}

/// A record in a batch of its own: one `read` and one `write`, each with its guard.
fn call(c: &mut Criterion) {
    let plugins = folder();
    let service = service(plugins.path());
    let mut group = c.benchmark_group("call");
    group.throughput(Throughput::Elements(2));
    for kind in KINDS {
        group.bench_function(kind, |b| {
            b.iter_custom(|records| generate(&service, kind, records, 1));
        });
    }
}

/// A record of 100 bytes with key and position in a batch of that size.
fn batch(c: &mut Criterion) {
    let plugins = folder();
    let service = service(plugins.path());
    let mut group = c.benchmark_group("batch");
    group.throughput(Throughput::Elements(1));
    for kind in KINDS {
        for size in [16, 256, 1024] {
            group.bench_function(BenchmarkId::new(kind, size), |b| {
                b.iter_custom(|records| generate(&service, kind, records, size));
            });
        }
    }
}

/// All stages of a load: look, image, dlopen, layout, specification. What is loaded stays, so there
/// are few iterations.
fn load(c: &mut Criterion) {
    let plugins = folder();
    let _copied = service(plugins.path());
    let mut group = c.benchmark_group("load");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group
        .warm_up_time(Duration::from_millis(20))
        .measurement_time(Duration::from_millis(100));
    group.throughput(Throughput::Elements(3));
    group.bench_function("three files", |b| {
        b.iter_custom(|iterations| {
            let begun = Instant::now();
            for _ in 0..iterations {
                let folders = [plugins.path().to_owned()];
                let registry = Registry::standalone(&folders, &ScanOptions::default());
                assert_eq!(registry.plugins().count(), 3);
            }
            begun.elapsed()
        });
    });
}

/// A line of 100 bytes from file to file.
fn pipeline(c: &mut Criterion) {
    const LINES: u64 = 200_000;
    let (plugins, files) = (folder(), folder());
    let service = service(plugins.path());
    let path = |name: &str| files.path().join(name).to_str().expect("UTF-8").to_owned();
    let mut text = String::new();
    for number in 0..LINES {
        writeln!(text, "{number:099}").expect("a line");
    }
    std::fs::write(path("in.txt"), text).expect("the input");
    let mut group = c.benchmark_group("pipeline");
    group
        .throughput(Throughput::Elements(LINES))
        .sample_size(20);
    for kind in KINDS {
        group.bench_function(BenchmarkId::new("lines", kind), |b| {
            b.iter_custom(|iterations| {
                let one = || {
                    std::fs::write(path("out.txt"), "").expect("the output");
                    let plugin = format!("{kind}:file");
                    let from = [("path", &*path("in.txt")), ("follow", "false")];
                    let to = [("path", &*path("out.txt")), ("sdk.record.format", "raw")];
                    run(
                        &service,
                        connector("in", &plugin, &from),
                        connector("out", &plugin, &to),
                    )
                    .wall
                };
                (0..iterations).map(|_| one()).sum()
            });
        });
    }
}

criterion_group!(benches, call, batch, load, pipeline);
criterion_main!(benches);
