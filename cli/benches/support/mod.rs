//! What the benches share: engines whose plugins are linked in or loaded, and pipelines over them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plugin_host::store::FileStore;
use plugin_host::{
    ConnectorConfig, Engine, Outcome, PipelineConfig, PluginService, Registry, RunOptions,
    ScanOptions,
};
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

/// A folder in memory, where there is one.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }
    .expect("a folder")
}

/// The example plugins, linked in and loaded from their files.
pub(crate) fn service(plugins: &Path) -> Arc<PluginService> {
    for name in ["discard", "file", "generator"] {
        let file = library_file(&format!("forebay_connector_{name}"));
        std::fs::copy(&file, plugins.join(file.file_name().expect("a name"))).expect("a copy");
    }
    let builtin = Registry::builtin([
        forebay_connector_discard::plugin(),
        forebay_connector_file::plugin(),
        forebay_connector_generator::plugin(),
    ]);
    let standalone = Registry::standalone(&[plugins.to_owned()], &ScanOptions::default());
    assert!(
        standalone.quarantined().is_empty(),
        "{:?}",
        standalone.quarantined()
    );
    Arc::new(PluginService::new(builtin, standalone))
}

/// The file of a library that was built beside this bench.
fn library_file(library: &str) -> PathBuf {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    let bench = std::env::current_exe().expect("a path");
    let folder = bench.parent().expect("a folder");
    folder.join(format!("{DLL_PREFIX}{library}{DLL_SUFFIX}"))
}

/// A connector with its plugin's name and settings.
pub(crate) fn connector(id: &str, plugin: &str, settings: &[(&str, &str)]) -> ConnectorConfig {
    let config = ConnectorConfig::new(id, plugin).expect("a plugin's name");
    let settings = settings.iter();
    settings.fold(config, |config, &(parameter, value)| {
        config.with(parameter, value)
    })
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time of the whole process.
    pub(crate) cpu: Duration,
}

/// Measures what `work` takes.
pub(crate) fn measure(work: impl FnOnce()) -> Cost {
    let (begun, before) = (Instant::now(), cpu_time());
    work();
    Cost {
        wall: begun.elapsed(),
        cpu: cpu_time() - before,
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Runs a pipeline to its end, with a position store of its own in memory.
pub(crate) fn run(
    service: &Arc<PluginService>,
    source: ConnectorConfig,
    destination: ConnectorConfig,
) -> Cost {
    let state = folder();
    let store = FileStore::open(state.path()).expect("a store");
    let engine = Engine::new(Arc::clone(service), Arc::new(store)).expect("an engine");
    let config = PipelineConfig::new("bench", source).to(destination);
    measure(|| {
        let pipeline = engine
            .start(&config, RunOptions::default())
            .expect("a pipeline");
        let outcome = pipeline.wait();
        assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    })
}
