//! Tests of the built `forebay`: real files, processes and signals.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test's helper functions may fail the test"
)]
#![expect(
    clippy::print_stdout,
    reason = "a failure shows the seed that repeats it"
)]

/// The clock set back and forward in the midst of a run.
mod clock;
/// Pipelines of several sources, and what happens to records that a destination refuses.
mod dead_letters;
/// Disks that are full or read-only, and then have room again.
mod disk;
/// Wrong input: the exit code, and what the message says.
mod errors;
/// Files that are replaced, truncated or not there.
mod files;
/// The guide's manifest and pipelines are right.
mod guide;
/// Plugins that hang: the process ends in time.
mod hang;
/// What `inspect` tells, without executing a file.
mod inspect;
/// Killed and stopped while lines flow.
mod kill;
/// What `list` shows.
mod list;
/// Killed while several sources and destinations, and a dead-letter queue, are at work.
mod many_kill;
/// What the `file` destination leaves: rotated, on a full disk, compressed, renamed.
mod output;
/// Builtin and loaded plugins give the same bytes.
mod parity;
/// Paths of a glob that can't be read.
mod passed_over;
/// The folder that `quickstart` makes.
mod quickstart;
/// The README's pipelines work as they are pasted.
mod readme;
/// Pipelines that fail and are tried again, and what is told of it.
mod recovery;
/// What is missing or comes again in an output.
mod repeats;
/// Files that are rotated: one, and many.
mod rotation;
/// Killed while files are rotated.
mod rotation_kill;
/// Runs from beginning to end, and those that follow a file.
mod run;
/// Values of secret parameters stay out of everything that is told.
mod secrets;
/// Stored positions: shown, and forgotten.
mod state;
mod support;
/// All that is wrong with pipeline files, without starting anything.
mod validate;
