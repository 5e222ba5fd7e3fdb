//! What the source says where it can't go on.

use std::io;

use plugin_api::{Error, ErrorKind, Result};

use super::Lines;
use super::unread::LONGEST;

impl Lines {
    /// Opening a pipe would wait for whoever writes to it, and there is no place to go on from.
    pub(super) fn check_kind(&self) -> Result<()> {
        let one = self.files.one_path();
        if one.is_some_and(|path| path.metadata().is_ok_and(|found| !found.is_file())) {
            let text = format!("`{}` is no regular file, name one", self.path);
            return Err(Error::new(ErrorKind::Fatal, text).with_code("file.not_regular"));
        }
        Ok(())
    }

    pub(super) fn not_there(&self) -> Error {
        let text = format!("`{}` isn't there; make it, or mend `path`", self.path);
        Error::new(ErrorKind::Fatal, text).with_code("file.not_found")
    }

    /// Refuses a line. Once there are dead letters, this is where it becomes one.
    pub(super) fn too_long(&self) -> Error {
        let (line, offset) = match &self.at {
            Some(at) => (at.stand().line + 1, at.offset()),
            None => (1, 0),
        };
        let text = format!(
            "line {line} of `{}`, at byte {offset}, is longer than the {} bytes of `maxLineBytes`{}",
            self.path,
            self.config.max_line_bytes,
            if self.config.max_line_bytes < LONGEST {
                "; allow more, or take the line out"
            } else {
                ", the most there can be"
            }
        );
        Error::new(ErrorKind::Fatal, text).with_code("file.line_too_long")
    }

    pub(super) fn error(&self, what: &str, error: &io::Error) -> Error {
        failed(&self.path, what, error)
    }
}

pub(super) fn failed(path: &str, what: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Retry, format!("`{path}` {what}: {error}")).with_code("file.io")
}
