//! What the source is told.

use std::path::PathBuf;

use plugin_api::Parameters;

/// Settings of the source.
#[derive(Debug, Parameters)]
pub struct LinesConfig {
    /// File that is read, one record a line, or a glob of files: a path with `*`, `?` or `[`.
    pub(super) path: PathBuf,
    /// Whether to wait for further lines, and for the file itself, instead of ending where the file
    /// ends. A last line without a newline waits for it; a run that ends where the data ends at
    /// present takes it as it is once the file was not written to for a second. A file that is
    /// rotated, by renaming or by copying and truncating it, is read to its end, and then the one that
    /// has its name now.
    #[parameter(default = true)]
    pub(super) follow: bool,
    /// Where files begin that are there when the source runs for the first time: at their beginning, or
    /// at their end, so that only what is new is read. Files that come later begin at their beginning.
    #[parameter(default = "beginning", inclusion = ["beginning", "end"])]
    pub(super) start_at: String,
    /// Longest that a line may be without its newline, in bytes, at most 32 MiB. A longer one goes to the
    /// pipeline's dead-letter queue, as a record with so many of its bytes, and the source goes on behind
    /// it; without such a queue the pipeline fails, and the next run begins with that line again.
    #[parameter(default = 33_554_432, greater_than = 0, less_than = 33_554_433)]
    pub(super) max_line_bytes: usize,
    /// Folder in which the source keeps where the files of a glob stand, if there are more than 16; it is
    /// made when it is needed. The stored position names a file in there: they belong together. A source
    /// that begins without a position removes what sources of the same `path` have left there, unless
    /// they run: two of one path need a folder each.
    #[parameter(default = ".forebay-places")]
    pub(super) places_folder: PathBuf,
}
