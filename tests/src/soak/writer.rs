//! Makes the input: files that grow at a steady rate and are rotated as logrotate does it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Arrivals, FILES, line};

/// Bytes at which a file is rotated.
const FULL: u64 = 2 << 20;

/// Rotated files that are kept of each.
const KEPT: usize = 5;

/// Writes lines to `0.log`, `1.log` and so on of a folder, and rotates them: `0.log` becomes
/// `0.log.1`, and so on up to the fifth. That one is removed, but not before all its lines have
/// arrived: what is gone can't be read any more.
#[derive(Debug)]
pub struct Writer {
    files: Vec<Growing>,
    rotations: u64,
    text: String,
}

#[derive(Debug)]
struct Growing {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Lines that were written, also to files that have been rotated or removed.
    lines: u64,
    /// How many lines there were when each rotated file was full, the newest first.
    rotated: Vec<u64>,
}

impl Writer {
    /// Makes the first files.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let growing = |file| {
            let path = folder.join(format!("{file}.log"));
            Growing {
                file: File::create_new(&path).unwrap(),
                path,
                bytes: 0,
                lines: 0,
                rotated: Vec::new(),
            }
        };
        Self {
            files: (0..FILES).map(growing).collect(),
            rotations: 0,
            text: String::new(),
        }
    }

    /// Appends so many lines to each file, at once. A file that is full is rotated, unless the oldest
    /// one that would go is still being read.
    pub fn write(&mut self, lines: u64, arrivals: &Arrivals) {
        for (number, growing) in self.files.iter_mut().enumerate() {
            self.text.clear();
            for _ in 0..lines {
                line::write(&mut self.text, number, growing.lines);
                growing.lines += 1;
            }
            growing.file.write_all(self.text.as_bytes()).unwrap();
            growing.bytes += self.text.len() as u64;
            if growing.bytes >= FULL && growing.may_rotate(arrivals.lines_of(number)) {
                growing.rotate();
                self.rotations += 1;
            }
        }
    }

    /// Lines that were written to all files.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.files.iter().map(|growing| growing.lines).sum()
    }

    /// How many files were rotated.
    #[must_use]
    pub fn rotations(&self) -> u64 {
        self.rotations
    }
}

impl Growing {
    fn rotated_path(&self, number: usize) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }

    fn may_rotate(&self, arrived: u64) -> bool {
        self.rotated.get(KEPT - 1).is_none_or(|end| *end <= arrived)
    }

    fn rotate(&mut self) {
        if self.rotated.len() == KEPT {
            self.rotated.pop();
            fs::remove_file(self.rotated_path(KEPT)).unwrap();
        }
        for number in (1..=self.rotated.len()).rev() {
            fs::rename(self.rotated_path(number), self.rotated_path(number + 1)).unwrap();
        }
        fs::rename(&self.path, self.rotated_path(1)).unwrap();
        self.rotated.insert(0, self.lines);
        self.file = File::create_new(&self.path).unwrap();
        self.bytes = 0;
    }
}
