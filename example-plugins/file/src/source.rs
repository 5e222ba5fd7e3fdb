//! The source: one record a line.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use plugin_api::{
    BatchWriter, Context, DecimalCounter, Error, ErrorKind, Field, FieldWriter, Parameters,
    Position, Progress, Result, Source,
};

/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// Longest line, in bytes.
const LONGEST: usize = 32 << 20;

/// Time between two looks at a file that has nothing new.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Settings of the source.
#[derive(Debug, Parameters)]
pub struct LinesConfig {
    /// File that is read, one record a line.
    path: PathBuf,
    /// Whether to wait for further lines, and for the file itself, instead of ending where the file
    /// ends.
    #[parameter(default = true)]
    follow: bool,
}

/// Reads the lines of a file.
///
/// A record has the line without its newline as payload, the line's number as key and the path as
/// metadata. A line is whole when its newline is there; the last one may also end with the file,
/// once nothing more is waited for.
#[derive(Debug)]
pub struct Lines {
    config: LinesConfig,
    path: String,
    /// None until the file is there.
    file: Option<File>,
    buffer: Buffer,
    at: Mark,
    /// Whether the position lies inside a line: the last one, which was handed out without its
    /// newline. Should that come now, the line is no longer by it.
    inside_line: bool,
    /// Ends of the lines that are being handed out.
    ends: Vec<usize>,
}

/// Behind which line and byte of the file a record ends.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    line: DecimalCounter,
    offset: DecimalCounter,
}

/// A position in its text: line and offset, as in `56:1234`. The line is the record's key.
impl Field for Mark {
    #[inline]
    fn write(&self, out: &mut FieldWriter<'_>) {
        self.line.write_with(out, b':');
        self.offset.write(out);
    }
}

impl Mark {
    fn new(line: u64, offset: u64) -> Self {
        Self {
            line: DecimalCounter::new(line),
            offset: DecimalCounter::new(offset),
        }
    }

    fn from_position(position: &Position) -> Result<Self> {
        let text = std::str::from_utf8(position.as_bytes()).ok();
        let parts = text.and_then(|text| text.split_once(':'));
        let mark = parts
            .and_then(|(line, offset)| Some(Self::new(line.parse().ok()?, offset.parse().ok()?)));
        mark.ok_or_else(|| {
            let text = format!("invalid position `{position}`, expected `LINE:OFFSET`");
            Error::new(ErrorKind::Fatal, text).with_code("position.invalid")
        })
    }

    /// Goes behind one line more, of this length.
    #[inline]
    fn pass(&mut self, length: usize) {
        self.line.add(1);
        self.offset.add(length as u64);
    }
}

impl Source for Lines {
    type Config = LinesConfig;

    fn open(config: LinesConfig, position: Option<&Position>) -> Result<Self> {
        let at = position
            .map(Mark::from_position)
            .transpose()?
            .unwrap_or(Mark::new(0, 0));
        let mut lines = Self {
            path: config.path.display().to_string(),
            config,
            file: None,
            buffer: Buffer::default(),
            at,
            inside_line: false,
            ends: Vec::new(),
        };
        lines.open_file()?;
        if lines.file.is_none() && !lines.config.follow {
            return Err(lines.not_there());
        }
        Ok(lines)
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        if self.file.is_none() {
            self.open_file()?;
        }
        if self.file.is_none() {
            return match self.wait_or_end(context) {
                Progress::End => Err(self.not_there()),
                waited => Ok(waited),
            };
        }
        while batch.has_room() {
            self.buffer.find_lines(batch.room(), &mut self.ends);
            if self.ends.is_empty() {
                if self.buffer.is_too_long() {
                    return Err(self.too_long());
                }
                if self.fill()? == 0 {
                    return self.at_end(batch, context);
                }
            } else {
                self.hand_out(batch);
            }
        }
        Ok(Progress::More)
    }
}

impl Lines {
    /// Reads more of the file; returns how much.
    fn fill(&mut self) -> Result<usize> {
        let Some(file) = &self.file else { return Ok(0) };
        let read = self.buffer.fill(file);
        let read = read.map_err(|error| self.error("can't be read", &error))?;
        if self.inside_line && read > 0 {
            self.inside_line = false;
            if self.buffer.unread().starts_with(b"\n") {
                self.buffer.take(1);
                self.at.offset.add(1);
            }
        }
        Ok(read)
    }

    /// Writes the lines that were found into the batch: their bytes at once, then a record each.
    fn hand_out(&mut self, batch: &mut BatchWriter) {
        let run = self.buffer.take(self.ends.last().copied().unwrap_or(0));
        let block = batch.share(run);
        let metadata = batch.share_metadata([("file.path", &*self.path)]);
        let mut begin = 0;
        for &end in &self.ends {
            self.at.pass(end - begin);
            let record = batch.create(&self.at);
            let key = record.position().slice(0..self.at.line.digits());
            record.shared(key, block.slice(begin..end - 1), metadata);
            begin = end;
        }
    }

    /// The file has no further bytes at present.
    fn at_end(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        if !batch.is_empty() {
            return Ok(Progress::More);
        }
        self.check_length()?;
        let progress = self.wait_or_end(context);
        if progress == Progress::End && !self.buffer.unread().is_empty() {
            // Nobody waits for its newline any more.
            let rest = self.buffer.unread().len();
            self.at.pass(rest);
            batch
                .create(&self.at)
                .key(&self.at.line)
                .payload(self.buffer.take(rest))
                .metadata([("file.path", &*self.path)]);
        }
        Ok(progress)
    }

    /// Waits for more, unless the end of the file is the end of the data.
    fn wait_or_end(&self, context: &Context) -> Progress {
        if !self.config.follow || context.until_end() {
            return Progress::End;
        }
        let _why = context.wait(LOOK_AGAIN);
        Progress::Idle
    }

    /// Opens the file behind the position, if it is there.
    fn open_file(&mut self) -> Result<()> {
        // Opening a pipe would wait for whoever writes to it, and there is no place to go on from.
        if fs::metadata(&self.config.path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let text = format!("`{}` is no regular file, name one", self.path);
            return Err(Error::new(ErrorKind::Fatal, text).with_code("file.not_regular"));
        }
        let mut file = match File::open(&self.config.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.error("can't be opened", &error)),
        };
        self.inside_line = go_behind(&mut file, self.at.offset.get())
            .map_err(|error| self.error("can't be read", &error))?;
        self.file = Some(file);
        self.check_length()
    }

    /// Whether the file still is as long as what was read of it.
    fn check_length(&self) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let metadata = file
            .metadata()
            .map_err(|error| self.error("can't be read", &error))?;
        if metadata.is_dir() {
            let error = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(self.error("can't be read", &error));
        }
        // The start of a line that waits for its newline was read, too.
        let read = self.at.offset.get() + self.buffer.unread().len() as u64;
        if metadata.is_file() && metadata.len() < read {
            let text = format!(
                "`{}` has {} bytes, fewer than the {read} that were read already: it was truncated \
                 or replaced; give the pipeline another id to read it from its beginning",
                self.path,
                metadata.len(),
            );
            return Err(Error::new(ErrorKind::Fatal, text).with_code("file.truncated"));
        }
        Ok(())
    }

    fn not_there(&self) -> Error {
        let error = io::Error::from(io::ErrorKind::NotFound);
        self.error("can't be opened", &error)
            .with_code("file.not_found")
    }

    fn too_long(&self) -> Error {
        let text = format!(
            "line {} of `{}`, at byte {}, is longer than {} MiB",
            self.at.line.get() + 1,
            self.path,
            self.at.offset.get(),
            LONGEST >> 20
        );
        Error::new(ErrorKind::Fatal, text).with_code("file.line_too_long")
    }

    fn error(&self, what: &str, error: &io::Error) -> Error {
        Error::new(ErrorKind::Retry, format!("`{}` {what}: {error}", self.path))
            .with_code("file.io")
    }
}

/// Goes to the offset; tells whether it lies inside a line.
fn go_behind(file: &mut (impl Read + Seek), offset: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if let Some(before) = offset.checked_sub(1) {
        file.seek(SeekFrom::Start(before))?;
        // A file that is shorter now is noticed by its length.
        let _read = file.read(&mut last)?;
    }
    file.seek(SeekFrom::Start(offset))?;
    Ok(last != *b"\n")
}

/// Bytes that were read and not handed out yet.
#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes behind `start` that have no newline.
    scanned: usize,
}

impl Buffer {
    fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Finds at most so many lines, together no longer than one may be so that the batch takes them;
    /// `ends` gets where each ends, counted from the first.
    fn find_lines(&mut self, most: usize, ends: &mut Vec<usize>) {
        ends.clear();
        let unread = &self.bytes[self.start..self.end];
        let newlines = memchr::memchr_iter(b'\n', &unread[self.scanned..]);
        ends.extend(
            newlines
                .take(most)
                .map(|newline| self.scanned + newline + 1)
                .take_while(|&end| end <= LONGEST + 1),
        );
        if ends.is_empty() {
            self.scanned = unread.len();
        }
    }

    /// Hands so many bytes out.
    fn take(&mut self, length: usize) -> &[u8] {
        let taken = &self.bytes[self.start..][..length];
        self.start += length;
        self.scanned = 0;
        taken
    }

    /// Reads more; returns how much.
    fn fill(&mut self, mut from: impl Read) -> io::Result<usize> {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.bytes.len() - self.end < BLOCK / 2 {
            self.bytes.resize((self.end + BLOCK).next_power_of_two(), 0);
        }
        loop {
            match from.read(&mut self.bytes[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    let read = read?;
                    self.end += read;
                    return Ok(read);
                }
            }
        }
    }

    /// Whether the first line is longer than one may be; asked when none was found.
    fn is_too_long(&self) -> bool {
        self.unread().len() > LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a text that comes in pieces of this size, at most so many lines at once.
    fn split(text: &[u8], piece: usize, most: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut buffer = Buffer::default();
        let mut ends = Vec::new();
        let mut lines = Vec::new();
        let mut rest = text;
        loop {
            buffer.find_lines(most, &mut ends);
            assert!(ends.len() <= most);
            let run = buffer.take(ends.last().copied().unwrap_or(0)).to_vec();
            let mut begin = 0;
            for &end in &ends {
                lines.push(run[begin..end - 1].to_vec());
                begin = end;
            }
            if ends.is_empty() {
                let length = piece.min(rest.len());
                if buffer.fill(&rest[..length]).unwrap() == 0 {
                    return (lines, buffer.unread().to_vec());
                }
                rest = &rest[length..];
            }
        }
    }

    #[test]
    fn lines_are_whole_whatever_the_pieces() {
        let text = b"one\n\ntwo\r\n\x00\xff\nthe last";
        for piece in 1..=text.len() + 1 {
            for most in 1..6 {
                let (lines, rest) = split(text, piece, most);
                assert_eq!(
                    lines,
                    [&b"one"[..], b"", b"two\r", b"\x00\xff"],
                    "{piece} {most}"
                );
                assert_eq!(rest, b"the last");
            }
        }
    }

    #[test]
    fn a_line_longer_than_a_block_is_whole() {
        let long = vec![b'x'; 3 * BLOCK];
        let mut text = long.clone();
        text.push(b'\n');
        let (lines, rest) = split(&text, BLOCK / 3, 10);
        assert!(lines == [long] && rest.is_empty());
    }

    #[test]
    fn the_longest_line_is_taken_and_a_longer_one_is_not() {
        for (length, taken) in [(LONGEST, true), (LONGEST + 1, false)] {
            let mut text = vec![b'x'; length];
            text.push(b'\n');
            let mut buffer = Buffer::default();
            let mut rest = &text[..];
            while buffer.fill(&mut rest).unwrap() > 0 {}
            let mut ends = Vec::new();
            buffer.find_lines(1, &mut ends);
            assert_eq!(!ends.is_empty(), taken, "{length}");
            assert!(taken || buffer.is_too_long());
        }
    }

    #[test]
    fn a_run_of_lines_is_no_longer_than_a_line_may_be() {
        let mut line = vec![b'x'; (1 << 20) - 1];
        line.push(b'\n');
        let text = line.repeat((2 * LONGEST) >> 20);
        let mut buffer = Buffer::default();
        let mut rest = &text[..];
        while buffer.fill(&mut rest).unwrap() > 0 {}
        let mut ends = Vec::new();
        buffer.find_lines(1000, &mut ends);
        assert_eq!(ends.last(), Some(&LONGEST));
    }

    #[test]
    fn a_file_cut_inside_the_line_that_waits_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in");
        fs::write(&path, "abc\npart").unwrap();
        let config = LinesConfig {
            path: path.clone(),
            follow: true,
        };
        let mut lines = Lines::open(config, None).unwrap();
        lines.fill().unwrap();
        lines.buffer.take(4);
        lines.at.pass(4);
        lines.check_length().unwrap();
        fs::write(&path, "abc\n").unwrap();
        assert_eq!(lines.check_length().unwrap_err().code(), "file.truncated");
    }

    #[test]
    fn a_newline_that_comes_late_makes_no_further_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in");
        for (text, offset, rest, behind) in [
            ("one\ntwo\nthree\n", 7, &b"three\n"[..], 8),
            ("one\ntwo\n", 4, b"two\n", 4),
            ("one\ntwo\n", 5, b"wo\n", 5),
        ] {
            fs::write(&path, text).unwrap();
            let config = LinesConfig {
                path: path.clone(),
                follow: true,
            };
            let position = Position::from(format!("2:{offset}"));
            let mut lines = Lines::open(config, Some(&position)).unwrap();
            lines.fill().unwrap();
            assert_eq!(lines.buffer.unread(), rest);
            assert_eq!(lines.at.offset.get(), behind);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_without_opening_it() {
        let config = LinesConfig {
            path: "/dev/null".into(),
            follow: true,
        };
        assert_eq!(
            Lines::open(config, None).unwrap_err().code(),
            "file.not_regular"
        );
    }

    #[test]
    fn positions_are_read_back_and_others_refused() {
        let mark = Mark::from_position(&Position::from("56:1234")).unwrap();
        assert_eq!(mark, Mark::new(56, 1234));
        for wrong in ["", "12", "12:", ":1", "a:1", "1:a", "-1:1", "1:2:3"] {
            let error = Mark::from_position(&Position::from(wrong)).unwrap_err();
            assert_eq!(error.code(), "position.invalid");
            assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
        }
    }
}
