//! `forebay quickstart`: from nothing to data that flows.
//!
//! Makes a folder, lets the caller run the pipeline in it, and compares what came out with what
//! went in. How the folder comes about is in `folder`.

mod folder;

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use serde_json::json;

use crate::output::{self, Exit, Failure, Form};
use crate::progress::exact;
use folder::{COPY, DATA, LICENCE, PIPELINE, PLUGINS, STATE};

/// Makes `folder`, enters it and runs its pipeline with `run(pipeline, plugins, state)`.
///
/// Entered because the paths in the pipeline file are relative: what the user does next in the
/// folder is what happened here.
///
/// # Errors
///
/// Returns why the folder can't be made, or what is wrong with the copy.
pub(crate) fn run(
    folder: &Path,
    form: Form,
    run: impl FnOnce(&Path, &Path, &Path) -> Exit,
) -> Result<Exit, Failure> {
    let executable = env::current_exe()
        .context("can't find the running executable")
        .map_err(|error| Failure::new(Exit::Environment, "quickstart.executable", error))?;
    let plugins = folder::find_plugins(&executable)?;
    let files = folder::make(folder, &plugins)?;
    env::set_current_dir(folder)
        .with_context(|| format!("can't enter `{}`", folder.display()))
        .map_err(|error| Failure::new(Exit::Environment, "quickstart.folder", error))?;
    let exit = run(Path::new(PIPELINE), Path::new(PLUGINS), Path::new(STATE));
    if exit != Exit::Ok {
        return Ok(exit);
    }
    let copied = fs::read(COPY)
        .with_context(|| format!("can't read `{}`", folder.join(COPY).display()))
        .map_err(|error| Failure::new(Exit::RunFailed, "quickstart.no_copy", error))?;
    let copied = Copied::of(&copied, folder::DATA_BYTES)?;
    match form {
        Form::Human => output::print(&story(folder, &files, copied, &executable))?,
        Form::Json => output::print_json(&json!({
            "folder": folder.display().to_string(),
            "plugins": files,
            "pipeline": PIPELINE,
            "data": DATA,
            "copy": COPY,
            "lines": copied.lines,
            "complete": copied.complete,
        }))?,
    }
    Ok(Exit::Ok)
}

/// What flowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copied {
    lines: usize,
    /// The copy is the data, byte for byte; else a beginning of it.
    complete: bool,
}

impl Copied {
    /// Compares the copy with the data. A run that was stopped leaves a beginning.
    fn of(copy: &[u8], data: &[u8]) -> Result<Self, Failure> {
        let lines = count_lines(copy);
        if !data.starts_with(copy) {
            let same = copy.iter().zip(data).take_while(|(a, b)| a == b).count();
            let line = count_lines(&copy[..same]) + 1;
            return Err(Failure::new(
                Exit::RunFailed,
                "quickstart.copy_differs",
                anyhow!("`{COPY}` differs from `{DATA}` in line {line}"),
            )
            .with_help("this is a defect of Forebay or of the disk; please report it"));
        }
        Ok(Self {
            lines,
            complete: copy.len() == data.len(),
        })
    }
}

fn count_lines(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte == b'\n').count()
}

/// What was made, what flowed, and what to try next.
fn story(folder: &Path, plugins: &[String], copied: Copied, executable: &Path) -> String {
    let lines = match copied.lines {
        1 => "1 line".into(),
        lines => format!("{} lines", exact(lines as u64)),
    };
    let flowed = if copied.complete {
        "flowed here, byte for byte the same"
    } else {
        "flowed here before it was stopped; the next run copies the rest"
    };
    let plugins = plugins.join(", ");
    let enter = format!("cd {}", quoted(&folder.display().to_string()));
    let list = format!("{} list", command(executable));
    let run = format!("{} run {PIPELINE}", command(executable));
    let append = format!("echo 'one more line' >> {DATA}");
    let width = [&enter, &list, &run, &append]
        .map(String::len)
        .into_iter()
        .max();
    let width = width.unwrap_or(0);
    format!(
        "\
Made {}:
  {PLUGINS:15}  {plugins}
  {DATA:15}  the list of all Unicode characters (see {LICENCE})
  {PIPELINE:15}  from {DATA} through two plugins to {COPY}
  {COPY:15}  {lines} {flowed}

To go on:
  {enter}
  {list:width$}  # every plugin, builtin and from ./plugins
  {append}
  {run:width$}  # copies what is new, and no line twice
",
        folder.display()
    )
}

/// How the user can call this executable from any folder.
fn command(executable: &Path) -> String {
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|folder| Some(folder.as_path()) == executable.parent()) {
        "forebay".into()
    } else {
        quoted(&executable.display().to_string())
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:\\".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_whole_a_beginning_or_wrong() {
        let copied = |copy: &[u8]| Copied::of(copy, b"a\nb\nc\n");
        let whole = copied(b"a\nb\nc\n").unwrap();
        assert_eq!((whole.lines, whole.complete), (3, true));
        let beginning = copied(b"a\nb\n").unwrap();
        assert_eq!((beginning.lines, beginning.complete), (2, false));
        assert!(!copied(b"").unwrap().complete);
        for wrong in [&b"a\nx\nc\n"[..], b"a\nb\nb\n", b"a\nb\nc\nc\n"] {
            let failure = copied(wrong).unwrap_err();
            assert_eq!(failure.exit(), Exit::RunFailed);
        }
        let text = copied(b"a\nx\n").unwrap_err().to_string();
        assert!(text.contains("in line 2"), "{text}");
    }

    #[test]
    fn the_story_names_folder_lines_and_commands() {
        let copied = |lines, complete| Copied { lines, complete };
        let executable = Path::new("/opt/for bay/forebay");
        let text = story(
            Path::new("q"),
            &["libx.so".into()],
            copied(34_924, true),
            executable,
        );
        for part in [
            "Made q:",
            "libx.so",
            "  34,924 lines flowed here, byte for byte the same\n",
            "  cd q\n",
            "  '/opt/for bay/forebay' run pipeline.yaml  #",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let text = story(Path::new("q"), &[], copied(1, false), executable);
        assert!(text.contains("  1 line flowed here before"), "{text}");
    }

    #[test]
    fn words_are_quoted_for_the_shell_where_needed() {
        assert_eq!(quoted("./a-b_1.txt"), "./a-b_1.txt");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $x"), r"'it'\''s $x'");
    }
}
