//! The words of `forebay run`, with their help.

use std::path::PathBuf;

use clap::Args;
use plugin_host::RunOptions;

use super::line::Flags;
use super::recovery::RecoveryFlags;

/// Run pipelines until they are stopped or all their sources have ended
///
/// Nothing starts unless all files are right; what is wrong with any of them is told at once, with
/// file, line and column.
///
/// The first Ctrl-C or SIGTERM stops gracefully: what was read is delivered, and the positions are
/// stored. A second one breaks off; the next run then repeats some records.
///
/// Started again, a pipeline goes on behind the position that is stored in the state folder.
///
/// A pipeline that has failed by something that another try may mend, such as a full disk, is tried
/// again: after up to a second, then after longer and longer waits of at most 10 minutes, without end.
/// Any other failure is its end, and with `--until-end` every one is. The other pipelines go on.
///
/// On a terminal each pipeline has a live line with records, records a second, bytes, unanswered
/// records and errors, or with the try that it waits for. A summary follows at the end, on standard
/// error; with `--json` it is a document on standard output.
#[derive(Debug, Args)]
#[command(after_long_help = "\
With --json, one document at the end:
  {\"pipelines\": [{\"id\", \"status\", \"records\", \"bytes\", \"deadLetters\", \"errors\", \"retries\",
                  \"seconds\", \"error\"}]}
`status` is ended, stopped, forced (stopped by a second signal), failed or skipped, and `error`
null or {\"code\", \"message\", \"help\", \"file\", \"line\", \"column\"}, the last three null where no
text of a pipeline file is to blame. `errors` has those that a further try has mended, too. Bytes are
those of whole records: positions, keys and metadata count, too.

A pipeline.yaml to begin with, which copies the lines of in.txt:
  version: \"2.2\"
  pipelines:
    - id: copy-lines
      connectors:
        - {id: lines, type: source, plugin: file, settings: {path: in.txt, follow: false}}
        - id: copy
          type: destination
          plugin: file
          settings: {path: out.txt, sdk.record.format: raw}

Beside its connectors a pipeline may have
  dead-letter-queue: {plugin: file, settings: {path: refused.txt}, window-size: 100,
                      window-nack-threshold: 10}
  pump: split
The first is a destination for records that another one refuses: of any 100 it takes 10, and one more
ends the pipeline; with window-size 0 it takes all. Without it the first refusal is the end. `split`
has a thread for each connector, so that they work at the same time; `fused`, the default, is one for
all, with less work for each record. A pipeline of several sources is always split.

Examples:
  forebay run pipeline.yaml
  forebay --plugins /opt/plugins --state /var/lib/forebay run a.yaml b.yaml
  forebay run --until-end backfill.yaml
  forebay run --until-end --retries 5 backfill.yaml")]
pub(crate) struct Run {
    /// Pipeline files: YAML in Conduit's format 2.2; `forebay run --help` shows one
    #[arg(value_name = "PIPELINE.yaml", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// End where the data ends now, instead of waiting for more
    ///
    /// For sources that go on for ever, such as one that follows a file.
    #[arg(long)]
    until_end: bool,

    #[command(flatten)]
    recovery: RecoveryFlags,

    #[command(flatten)]
    pub(super) flags: Flags,
}

impl Run {
    /// Refuses values that are well formed and contradict each other.
    pub(super) fn check(&self) -> Result<(), clap::Error> {
        self.recovery.check()
    }

    /// How the pipelines are run.
    pub(crate) fn options(&self) -> RunOptions {
        RunOptions {
            until_end: self.until_end,
            recovery: self.recovery.recovery(self.until_end),
        }
    }
}
