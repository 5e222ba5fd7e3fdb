//! The destination: one line a record.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use plugin_api::{Acks, Batch, Context, Destination, Error, ErrorKind, Parameters, Result};

/// Settings of the destination.
#[derive(Debug, Parameters)]
pub struct AppendConfig {
    /// File that records are appended to, one line each; it is made if it isn't there.
    path: PathBuf,
}

/// Appends records to a file.
///
/// A record is acknowledged when the system has it, so it survives the end of the process, however
/// that comes. It may not survive the end of the system: the output isn't synced before the position
/// of its records is stored, and that is. So after a power cut or a crash of the system, records that
/// were acknowledged may be missing at the end of the file, or the last ones may be damaged, and they
/// aren't read again.
#[derive(Debug)]
pub struct Append {
    path: PathBuf,
    file: File,
    text: Vec<u8>,
}

impl Destination for Append {
    type Config = AppendConfig;

    fn open(config: AppendConfig) -> Result<Self> {
        let path = config.path;
        let file = open_to_append(&path)
            .map_err(|error| failed(&path, "can't be opened to append", &error))?;
        Ok(Self {
            path,
            file,
            text: Vec::new(),
        })
    }

    fn write(&mut self, batch: &Batch, acks: &mut Acks, _: &Context) -> Result<()> {
        let written = batch.write_lines(&mut self.file, &mut self.text, acks);
        written.map_err(|error| failed(&self.path, "can't be written", &error))
    }
}

/// Opens the file and makes sure that what is appended begins a line: a run that was killed may have
/// left a part of one.
fn open_to_append(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    if file.metadata()?.is_file() && file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

fn failed(path: &Path, what: &str, error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Retry,
        format!("`{}` {what}: {error}", path.display()),
    )
    .with_code("file.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_and_gets_its_newline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        for (before, after) in [
            ("", "new\n"),
            ("old\n", "old\nnew\n"),
            ("par", "par\nnew\n"),
        ] {
            std::fs::write(&path, before).unwrap();
            open_to_append(&path).unwrap().write_all(b"new\n").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
        }
    }

    #[test]
    fn a_missing_file_is_made_and_a_missing_folder_is_not() {
        let folder = tempfile::tempdir().unwrap();
        open_to_append(&folder.path().join("out")).unwrap();
        assert!(folder.path().join("out").is_file());
        assert!(open_to_append(&folder.path().join("none/out")).is_err());
        assert!(open_to_append(folder.path()).is_err());
    }
}
