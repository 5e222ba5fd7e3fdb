//! Standard error, shared by messages, log lines and the live lines of running pipelines.
//!
//! The live lines are the last ones on the terminal; whatever else is written goes above them.
//! They leave nothing behind, no hidden cursor and no changed mode, so that a process may end at
//! any moment.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::printable;

static LIVE: Mutex<Live> = Mutex::new(Live { lines: Vec::new() });

/// Most live lines at a time; redrawing is only right while they fit on the screen.
const LIVE_LINES_MAX: usize = 10;

/// Whether standard error is a terminal that can redraw lines in place.
pub(crate) fn live_lines_work() -> bool {
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    // The old console of Windows would show the control sequences.
    let old_console = cfg!(windows) && env::var_os("WT_SESSION").is_none();
    io::stderr().is_terminal() && !dumb && !old_console
}

/// Writes lines, above the live lines if there are any. Each call is written in one go.
pub(crate) fn write_lines(text: &str) {
    if text.is_empty() {
        return;
    }
    let live = lock();
    write(&live.above(&printable(text)));
}

/// Puts these lines in place of the live lines.
pub(crate) fn show_live(lines: Vec<String>) {
    let mut live = lock();
    let text = live.replace(lines);
    write(&text);
}

/// Removes the live lines.
pub(crate) fn clear_live() {
    show_live(Vec::new());
}

fn lock() -> MutexGuard<'static, Live> {
    // The lines are only text: a thread that panicked here has broken nothing.
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nobody is left to tell if standard error takes nothing.
fn write(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// The live lines on the screen; the cursor is at the start of the line below them.
struct Live {
    lines: Vec<String>,
}

impl Live {
    /// What writes `text` above the lines.
    fn above(&self, text: &str) -> String {
        let mut out = self.to_first();
        if !self.lines.is_empty() {
            out += "\x1b[J";
        }
        out += text;
        if !text.ends_with('\n') {
            out.push('\n');
        }
        out + &self.draw()
    }

    /// What turns the lines on the screen into `lines`.
    fn replace(&mut self, mut lines: Vec<String>) -> String {
        if lines.len() > LIVE_LINES_MAX {
            let hidden = lines.len() - (LIVE_LINES_MAX - 1);
            lines.truncate(LIVE_LINES_MAX - 1);
            lines.push(format!("and {hidden} more"));
        }
        let mut out = self.to_first();
        let fewer = lines.len() < self.lines.len();
        self.lines = lines;
        out += &self.draw();
        if fewer {
            out += "\x1b[J";
        }
        out
    }

    /// What moves the cursor to the first line.
    fn to_first(&self) -> String {
        match self.lines.len() {
            0 => String::new(),
            count => format!("\x1b[{count}A\r"),
        }
    }

    /// What draws the lines from the cursor on. The terminal cuts what is too wide: a line that
    /// wrapped would take two rows.
    fn draw(&self) -> String {
        if self.lines.is_empty() {
            return String::new();
        }
        let mut out = String::from("\x1b[?7l");
        for line in &self.lines {
            out += &printable(line);
            out += "\x1b[K\n";
        }
        out + "\x1b[?7h"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal of the given width that knows what is used here.
    struct Screen {
        width: usize,
        rows: Vec<String>,
        row: usize,
        column: usize,
        wraps: bool,
    }

    impl Screen {
        fn new(width: usize) -> Self {
            Self {
                width,
                rows: vec![String::new()],
                row: 0,
                column: 0,
                wraps: true,
            }
        }

        fn take(&mut self, mut text: &str) {
            while let Some(c) = text.chars().next() {
                if let Some(rest) = text.strip_prefix("\x1b[") {
                    let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                    let (arguments, command) = (&rest[..end], &rest[end..=end]);
                    match command {
                        "A" => self.row -= arguments.parse::<usize>().unwrap(),
                        "K" => self.rows[self.row].truncate(self.column),
                        "J" => {
                            self.rows[self.row].truncate(self.column);
                            self.rows.truncate(self.row + 1);
                        }
                        "l" | "h" => {
                            assert_eq!(arguments, "?7");
                            self.wraps = command == "h";
                        }
                        other => panic!("unknown command {other}"),
                    }
                    text = &rest[end + 1..];
                    continue;
                }
                match c {
                    '\r' => self.column = 0,
                    '\n' => self.line_feed(),
                    c => self.put(c),
                }
                text = &text[c.len_utf8()..];
            }
        }

        fn line_feed(&mut self) {
            self.row += 1;
            self.column = 0;
            if self.row == self.rows.len() {
                self.rows.push(String::new());
            }
        }

        fn put(&mut self, c: char) {
            if self.column == self.width {
                if !self.wraps {
                    return;
                }
                self.line_feed();
            }
            let row = &mut self.rows[self.row];
            if self.column < row.len() {
                row.replace_range(self.column..=self.column, &c.to_string());
            } else {
                row.push(c);
            }
            self.column += 1;
        }

        fn shows(&self, rows: &[&str]) {
            assert_eq!(self.rows, rows);
            assert!(self.wraps, "the terminal is left as it was found");
            assert_eq!((self.row, self.column), (rows.len() - 1, 0));
        }
    }

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn live_lines_are_redrawn_in_place() {
        let mut screen = Screen::new(20);
        let mut live = Live { lines: Vec::new() };
        screen.take("$ forebay\n");
        screen.take(&live.replace(lines(&["a 1000", "b 1"])));
        screen.shows(&["$ forebay", "a 1000", "b 1", ""]);
        screen.take(&live.replace(lines(&["a 5", "b 2"])));
        screen.shows(&["$ forebay", "a 5", "b 2", ""]);
        screen.take(&live.replace(lines(&["b 3"])));
        screen.shows(&["$ forebay", "b 3", ""]);
        screen.take(&live.replace(Vec::new()));
        screen.shows(&["$ forebay", ""]);
    }

    #[test]
    fn other_lines_go_above_the_live_ones() {
        let mut screen = Screen::new(20);
        let mut live = Live { lines: Vec::new() };
        screen.take(&live.above("first"));
        screen.take(&live.replace(lines(&["a long live line", "b"])));
        screen.take(&live.above("log 1\nlog 2\n"));
        screen.shows(&["first", "log 1", "log 2", "a long live line", "b", ""]);
        screen.take(&live.replace(Vec::new()));
        screen.shows(&["first", "log 1", "log 2", ""]);
    }

    #[test]
    fn a_line_wider_than_the_terminal_is_cut() {
        let mut screen = Screen::new(5);
        let mut live = Live { lines: Vec::new() };
        screen.take(&live.replace(lines(&["123456789", "b"])));
        screen.take(&live.replace(lines(&["abcdefghi", "c"])));
        screen.shows(&["abcde", "c", ""]);
    }

    #[test]
    fn more_lines_than_fit_are_counted() {
        let mut live = Live { lines: Vec::new() };
        let mut screen = Screen::new(20);
        screen.take(&live.replace((0..25).map(|n| format!("p{n}")).collect()));
        assert_eq!(screen.rows.len(), LIVE_LINES_MAX + 1);
        assert_eq!(screen.rows[LIVE_LINES_MAX - 1], "and 16 more");
    }
}
