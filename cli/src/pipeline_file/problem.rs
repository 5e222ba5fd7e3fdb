//! What is wrong with a pipeline file, and where.
//!
//! Owns the form of such a message and the list they are gathered in; decides nothing about files.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A position in a pipeline file. Line and column count characters from 1; both are 0 where the
/// whole file is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<Path>,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    /// Names the file as a whole.
    pub(super) fn whole(file: &Arc<Path>) -> Self {
        Self::at(file, 0, 0)
    }

    /// None where the whole file is meant.
    pub(crate) fn line(&self) -> Option<usize> {
        (self.line > 0).then_some(self.line)
    }

    /// None where the whole file is meant.
    pub(crate) fn column(&self) -> Option<usize> {
        (self.line > 0).then_some(self.column)
    }

    pub(crate) fn at(file: &Arc<Path>, line: usize, column: usize) -> Self {
        Self {
            file: Arc::clone(file),
            line,
            column,
        }
    }
}

/// `file:line:column`, or only `file` where the whole file is meant.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        Ok(())
    }
}

/// One thing wrong with a pipeline file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    /// Stable identifier, such as `pipeline.unknown_field`.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// How to mend it; one line.
    pub(crate) help: String,
}

/// `file:line:column: message`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Gathers what is wrong, so that all of it is told at once.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

impl Report {
    /// Notes something that keeps the pipelines from running.
    pub(super) fn problem(
        &mut self,
        place: &Place,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(new(place, code, message, help));
    }

    /// Notes something that the user should know of; the pipelines run all the same.
    pub(super) fn warning(
        &mut self,
        place: &Place,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.warnings.push(new(place, code, message, help));
    }

    /// Moves everything of `other`, which is about one file, to the end, in the file's order.
    pub(super) fn append(&mut self, mut other: Self) {
        let position = |problem: &Problem| (problem.place.line, problem.place.column);
        other.problems.sort_by_key(position);
        other.warnings.sort_by_key(position);
        // What stands behind an anchor is read again for each alias.
        other.problems.dedup();
        other.warnings.dedup();
        self.problems.append(&mut other.problems);
        self.warnings.append(&mut other.warnings);
    }
}

fn new(
    place: &Place,
    code: &'static str,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Problem {
    Problem {
        place: place.clone(),
        code,
        message: message.into(),
        help: help.into(),
    }
}
