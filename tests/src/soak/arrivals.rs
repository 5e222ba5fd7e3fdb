//! Reads the output as it grows, and checks that every line comes exactly once and in its order.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::PathBuf;

use super::{FILES, line};

/// The lines that have come out: the file `out.txt` of a folder, and those that were full before it.
///
/// Files that are full and checked are removed, so that hours of output need no room.
#[derive(Debug)]
pub struct Arrivals {
    folder: PathBuf,
    /// Number that the file which is read now gets when it is full.
    number: u64,
    file: Option<File>,
    /// What was read of a line whose end isn't there yet.
    rest: Vec<u8>,
    /// Next line of each file of the input.
    next: [u64; FILES],
}

impl Arrivals {
    /// Nothing has come yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            number: 1,
            file: None,
            rest: Vec::new(),
            next: [0; FILES],
        }
    }

    /// Lines of this file of the input.
    #[must_use]
    pub fn lines_of(&self, file: usize) -> u64 {
        self.next[file]
    }

    /// Lines of all files.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.next.iter().sum()
    }

    /// Full files that were checked and removed.
    #[must_use]
    pub fn full_files(&self) -> u64 {
        self.number - 1
    }

    /// Whether the output ends with a whole line.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.rest.is_empty()
    }

    /// Checks what is new.
    ///
    /// # Errors
    ///
    /// A line is missing, comes twice or isn't whole.
    pub fn check(&mut self) -> Result<(), String> {
        loop {
            let full = self.folder.join(format!("out.txt.{}", self.number));
            // Once it has its number nothing is written to it any more.
            let is_full = full.exists();
            if self.file.is_none() {
                let path = match is_full {
                    true => full.clone(),
                    false => self.folder.join("out.txt"),
                };
                let Ok(file) = File::open(path) else {
                    return Ok(());
                };
                if !is_full && full.exists() {
                    // It may be the one behind the full one.
                    continue;
                }
                self.file = Some(file);
            }
            self.check_file()?;
            if !is_full {
                return Ok(());
            }
            if !self.is_whole() {
                return Err(format!("{} ends within a line", full.display()));
            }
            fs::remove_file(&full).unwrap();
            self.file = None;
            self.number += 1;
        }
    }

    /// Checks the rest of the file that is open.
    fn check_file(&mut self) -> Result<(), String> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let mut block = vec![0; 1 << 20];
        loop {
            let length = file.read(&mut block).unwrap();
            if length == 0 {
                self.file = Some(file);
                return Ok(());
            }
            let mut text = std::mem::take(&mut self.rest);
            text.extend_from_slice(&block[..length]);
            for found in text.split_inclusive(|byte| *byte == b'\n') {
                match found.strip_suffix(b"\n") {
                    Some(found) => self.check_line(found)?,
                    None => self.rest = found.to_vec(),
                }
            }
        }
    }

    fn check_line(&mut self, found: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(found);
        let line = line::read(&text).filter(|(file, _)| *file < FILES);
        let (file, number) = line.ok_or_else(|| format!("a line isn't whole: {text}"))?;
        let expected = &mut self.next[file];
        if number != *expected {
            let what = match number < *expected {
                true => "comes again",
                false => "comes too early",
            };
            return Err(format!(
                "line {number} of {file}.log {what}: {expected} follows"
            ));
        }
        *expected += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: impl IntoIterator<Item = (usize, u64)>) -> String {
        let mut text = String::new();
        for (file, number) in lines {
            line::write(&mut text, file, number);
        }
        text
    }

    fn arrivals(folder: &tempfile::TempDir) -> Arrivals {
        Arrivals::new(folder.path().to_owned())
    }

    #[test]
    fn lines_are_followed_over_full_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
        let mut arrivals = arrivals(&folder);
        arrivals.check().unwrap();
        let first = text([(0, 0), (1, 0), (0, 1)]);
        write("out.txt", &first[..first.len() - 5]);
        arrivals.check().unwrap();
        assert_eq!((arrivals.lines(), arrivals.is_whole()), (2, false));
        write("out.txt", &first);
        fs::rename(path("out.txt"), path("out.txt.1")).unwrap();
        write("out.txt.2", &text([(3, 0)]));
        write("out.txt", &text([(3, 1)]));
        arrivals.check().unwrap();
        assert_eq!((arrivals.lines(), arrivals.full_files()), (5, 2));
        assert_eq!((arrivals.lines_of(0), arrivals.lines_of(3)), (2, 2));
        assert!(!path("out.txt.2").exists());
    }

    #[test]
    fn what_is_missing_twice_or_torn_is_told() {
        for (text, told) in [
            (text([(0, 0), (0, 2)]), "line 2 of 0.log comes too early"),
            (text([(0, 0), (0, 0)]), "line 0 of 0.log comes again"),
            (text([(0, 0)]).replacen(' ', "  ", 1), "isn't whole"),
            (text([(9, 0)]), "isn't whole"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("out.txt"), text).unwrap();
            let error = arrivals(&folder).check().unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
