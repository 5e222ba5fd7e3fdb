//! `forebay inspect`: what can be told about plugins without executing their files.
//!
//! Finds what was asked for and turns it into a page or JSON. A file is looked at, never opened by
//! the dynamic loader; a builtin is code of this program already.

mod page;

use std::path::{Path, PathBuf};

use plugin_api::Specification;
use plugin_host::loader::{Examined, LoadError, Marker, examine};
use plugin_host::registry::{
    ENDINGS, NameError, VersionRequest, compare_versions, examine_folders,
};
use plugin_host::{Blueprint, LookupError, PluginKind, PluginName, nearest, specification};
use serde_json::{Value, json};

use crate::args::Global;
use crate::output::{self, Exit, Failure, Form};
use crate::plugins;

/// What is told of one plugin.
#[derive(Debug)]
struct Subject {
    /// The full name; nothing where the file doesn't say it.
    name: Option<String>,
    kind: PluginKind,
    /// The file; nothing for a builtin.
    path: Option<PathBuf>,
    specification: Option<Specification>,
    build: Option<Build>,
    /// SHA-256 of the file.
    hash: Option<String>,
    needed: Vec<String>,
    run_paths: Vec<String>,
    glibc: Option<String>,
    refusals: Vec<LoadError>,
}

/// How it was built. What is `None` for a builtin is this program's.
#[derive(Debug)]
struct Build {
    package: String,
    version: String,
    api: String,
    rustc: String,
    of_file: Option<BuildOfFile>,
}

#[derive(Debug)]
struct BuildOfFile {
    abi: String,
    abi_stable: String,
    target: String,
    panic: String,
}

/// Tells about the file, or about every plugin with the name.
///
/// # Errors
///
/// Returns that the name is none, or that nothing has it.
pub(crate) fn run(global: &Global, asked: &Path) -> Result<Exit, Failure> {
    let subjects = if is_file(asked) {
        vec![of_file(examine(asked, &plugins::options(global)))]
    } else {
        named(global, &asked.to_string_lossy())?
    };
    match global.form {
        Form::Human => output::print(&page::pages(&subjects))?,
        Form::Json => output::print_json(&document(&subjects))?,
    }
    // One that can be used is enough.
    if subjects.iter().any(|subject| subject.refusals.is_empty()) {
        Ok(Exit::Ok)
    } else {
        Ok(Exit::Environment)
    }
}

/// A file is named with its ending or with a folder, as no plugin's name has either by custom.
fn is_file(asked: &Path) -> bool {
    asked.components().count() > 1
        || asked.is_absolute()
        || asked
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// Every plugin that the name may mean, the one that is preferred first.
fn named(global: &Global, text: &str) -> Result<Vec<Subject>, Failure> {
    let name: PluginName = text
        .parse()
        .map_err(|error: NameError| not_found(error, text))?;
    let mut found = Vec::new();
    if name.kind() != PluginKind::Builtin {
        let (folders, options) = plugins::folders(global)?;
        let files = examine_folders(&folders, &options);
        found.extend(files.into_iter().map(of_file));
    }
    let builtin = plugins::builtin();
    found.extend(builtin.plugins().map(|plugin| of_builtin(plugin)));
    let meant = meant(&name, &found);
    let is_kind = |kind| name.kind() == PluginKind::Any || name.kind() == kind;
    found.retain(|it| is_kind(it.kind) && it.called() == Some(name.name()));
    // What can't be used last, standalone before builtin, the newest first; then as it was found,
    // which is the order of the folders.
    found.sort_by(|a, b| {
        let rank = |it: &Subject| (!it.refusals.is_empty(), it.kind == PluginKind::Builtin);
        rank(a)
            .cmp(&rank(b))
            .then_with(|| compare_versions(b.version(), a.version()))
    });
    let is_meant = |subject: &Subject| match name.version() {
        VersionRequest::Latest => true,
        exact => exact.names(subject.version()),
    };
    if !found.iter().any(is_meant) {
        let (ready, refused): (Vec<_>, Vec<_>) =
            found.iter().partition(|it| it.refusals.is_empty());
        let ready = ready.into_iter().map(Subject::version);
        let refused = refused.into_iter().map(Subject::version);
        let error = LookupError::not_found(&name, ready, refused, meant);
        return Err(not_found(error, text));
    }
    found.retain(is_meant);
    Ok(found)
}

/// The plugin whose name is nearest to the one that was asked for.
fn meant(name: &PluginName, all: &[Subject]) -> Option<String> {
    let meant = nearest(name.name(), all.iter().filter_map(Subject::called))?;
    let subject = all.iter().find(|it| it.called() == Some(meant))?;
    Some(format!("{}:{meant}", subject.kind))
}

fn not_found(error: impl Into<LookupError>, text: &str) -> Failure {
    let error = error.into();
    let help = format!(
        "{}; a file is named with its folder: `./{text}`",
        error.help()
    );
    Failure::new(Exit::Usage, error.code(), error).with_help(help)
}

impl Subject {
    fn called(&self) -> Option<&str> {
        self.specification.as_ref().map(|it| &*it.name)
    }

    fn version(&self) -> &str {
        self.specification.as_ref().map_or("", |it| &it.version)
    }
}

fn of_file(file: Examined) -> Subject {
    let name = file.marker.as_ref().and_then(|marker| {
        let Specification { name, version, .. } = &marker.specification;
        PluginName::explicit(PluginKind::Standalone, name, version).ok()
    });
    let (build, specification) = file
        .marker
        .map(|marker| {
            let specification = marker.specification.clone();
            (build_of_file(marker), specification)
        })
        .unzip();
    Subject {
        name: name.map(|name| name.to_string()),
        kind: PluginKind::Standalone,
        path: Some(file.path),
        specification,
        build,
        hash: file.hash,
        needed: file.needed,
        run_paths: file.run_paths,
        glibc: file.glibc.map(|version| version.to_string()),
        refusals: file.refusals,
    }
}

fn build_of_file(marker: Marker) -> Build {
    Build {
        package: marker.package,
        version: marker.version,
        api: marker.api,
        rustc: marker.rustc,
        of_file: Some(BuildOfFile {
            abi: marker.abi.to_string(),
            abi_stable: marker.abi_stable.to_string(),
            target: marker.target,
            panic: marker.panic,
        }),
    }
}

fn of_builtin(plugin: &Blueprint) -> Subject {
    let build = plugin.build();
    Subject {
        name: Some(plugin.name().to_string()),
        kind: PluginKind::Builtin,
        path: None,
        specification: Some(plugin.specification().clone()),
        build: Some(Build {
            package: build.package,
            version: build.version,
            api: build.api,
            rustc: build.rustc,
            of_file: None,
        }),
        hash: None,
        needed: Vec::new(),
        run_paths: Vec::new(),
        glibc: None,
        refusals: Vec::new(),
    }
}

/// `{"plugins": [{"name", "kind", "path", "refusals", "specification", "build", "hash", "needed",
/// "runPaths", "glibc"}]}`
fn document(subjects: &[Subject]) -> Value {
    let plugins: Vec<_> = subjects
        .iter()
        .map(|subject| {
            let refusals: Vec<_> = subject.refusals.iter().map(refusal).collect();
            json!({
                "name": subject.name,
                "kind": subject.kind.as_str(),
                "path": subject.path.as_ref().map(|path| path.display().to_string()),
                "refusals": refusals,
                "specification": subject.specification.as_ref().map(specification::to_json),
                "build": subject.build.as_ref().map(build_json),
                "hash": subject.hash,
                "needed": subject.needed,
                "runPaths": subject.run_paths,
                "glibc": subject.glibc,
            })
        })
        .collect();
    json!({ "plugins": plugins })
}

fn refusal(error: &LoadError) -> Value {
    json!({
        "code": error.code(),
        "stage": error.stage().as_str(),
        "message": error.to_string(),
        "help": error.help(),
    })
}

fn build_json(build: &Build) -> Value {
    let of_file = build.of_file.as_ref();
    json!({
        "package": build.package,
        "version": build.version,
        "api": build.api,
        "rustc": build.rustc,
        "abi": of_file.map(|it| &it.abi),
        "abiStable": of_file.map(|it| &it.abi_stable),
        "target": of_file.map(|it| &it.target),
        "panic": of_file.map(|it| &it.panic),
    })
}
