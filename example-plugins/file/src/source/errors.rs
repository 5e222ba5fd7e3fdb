//! What the source says where it can't go on.

use std::io;

use plugin_api::{Error, ErrorKind, Result};

use super::Lines;

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

    pub(super) fn error(&self, what: &str, error: &io::Error) -> Error {
        failed(&self.path, what, error)
    }
}

pub(super) fn failed(path: &str, what: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Retry, format!("`{path}` {what}: {error}")).with_code("file.io")
}
