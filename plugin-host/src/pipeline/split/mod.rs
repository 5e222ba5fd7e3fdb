//! The split driver: a thread for each source and each destination, with short queues between them.
//!
//! ```text
//!   Line (source 0) --- batches, shared by all destinations ---> Writer (destination 0)
//!   Line (source 1) --------------------------------------------> Writer (destination 1)
//!        ^                                                           |
//!        +------------- Board: answers, refusals, failures ----------+
//! ```
//!
//! Each line is as on its own: its order, its windows, its acks. A destination takes the batches of all
//! lines in the order in which they come, and numbers their records by itself. The pipeline's own thread
//! waits for all of them.

mod batch;
mod board;
mod outlet;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Sender, bounded, select};

use super::destination::Destination;
use super::error::PipelineError;
use super::halt::Halt;
use super::line::{Line, LineParts};
use super::run::Run;
use super::status::Outcome;
use board::Board;
use outlet::{Split, UNDER_WAY};
use writer::Writer;

/// How a thread of the pipeline has ended; of a destination's it says nothing more.
type Ended = Result<Option<Outcome>, Halt>;

/// Runs the lines until each has come to its end, and the destinations until they have answered.
pub(super) fn drive(
    run: &Arc<Run>,
    lines: Vec<LineParts>,
    destinations: Vec<Destination>,
) -> Result<Outcome, Halt> {
    let contexts = lines.iter().map(|line| Arc::clone(line.source.context()));
    let writers = destinations.iter();
    let writers = writers.map(|it| Arc::clone(it.session.context()));
    let board = Arc::new(Board::new(contexts, writers));
    let threads = lines.len() + destinations.len();
    let (ended, all_ended) = bounded(threads);
    let started = start(run, &board, lines, destinations, &ended);
    drop(ended);
    if let Err(error) = started {
        // Those that were started end.
        board.fail(Halt::from(PipelineError::Thread(error)));
    }
    let mut has_stopped = false;
    let mut is_forced = false;
    loop {
        let ended: Ended = select! {
            // Closed when every thread has ended.
            recv(all_ended) -> ended => match ended {
                Ok(ended) => ended,
                Err(_) => break,
            },
            recv(run.abandonment()) -> _ => {
                // Whoever waits in a plugin's call returns, and finds its session torn down.
                run.cancel_all();
                return Err(Halt::Abandoned);
            }
        };
        match ended {
            Ok(outcome) => has_stopped |= matches!(outcome, Some(Outcome::Stopped)),
            Err(Halt::Abandoned) => {
                run.cancel_all();
                return Err(Halt::Abandoned);
            }
            Err(Halt::Forced) => is_forced = true,
            // The other lines come to their ends, as after a stop.
            Err(halt) => {
                board.note_failure(halt);
                board.end();
            }
        }
    }
    if let Some(error) = board.take_failure() {
        return Err(Halt::Failed(error));
    }
    if is_forced {
        return Err(Halt::Forced);
    }
    Ok(match has_stopped {
        true => Outcome::Stopped,
        false => Outcome::Ended,
    })
}

fn start(
    run: &Arc<Run>,
    board: &Arc<Board>,
    lines: Vec<LineParts>,
    destinations: Vec<Destination>,
    ended: &Sender<Ended>,
) -> std::io::Result<()> {
    let mut queues = Vec::new();
    for (number, destination) in destinations.into_iter().enumerate() {
        // One more than are under way: what was held back is written once nothing more is read.
        let (give, queue) = bounded(lines.len() * (UNDER_WAY + 1));
        queues.push(give);
        let mut writer = Writer {
            run: Arc::clone(run),
            board: Arc::clone(board),
            number,
            destination,
            queue,
            begun: Instant::now(),
            last: None,
            given: vec![0; lines.len()],
            has_left: false,
        };
        let connector = writer.destination.connector();
        spawn(connector, board, ended, move |board| match writer.serve() {
            Ok(()) => Ok(None),
            Err(Halt::Failed(error)) => {
                board.fail(Halt::Failed(error));
                Err(Halt::Elsewhere)
            }
            Err(halt) => Err(halt),
        })?;
    }
    for (number, parts) in lines.into_iter().enumerate() {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "buffers are made for a u32 of records"
        )]
        let records = parts.buffer.capacity() as u32;
        let outlet = Split::new(
            Arc::clone(run),
            Arc::clone(board),
            number,
            queues.clone(),
            records,
        );
        let connector = parts.source.connector();
        let mut line = Line::new(parts, outlet);
        spawn(connector, board, ended, move |_| line.drive().map(Some))?;
    }
    Ok(())
}

/// Starts a thread that tells how it has ended.
fn spawn(
    connector: &str,
    board: &Arc<Board>,
    ended: &Sender<Ended>,
    body: impl FnOnce(&Board) -> Ended + Send + 'static,
) -> std::io::Result<()> {
    let (board, ended) = (Arc::clone(board), ended.clone());
    // No thread's name has a NUL.
    let name = format!("forebay-{}", connector.replace('\0', "?"));
    let thread = thread::Builder::new().name(name).spawn(move || {
        // A panic here is a mistake of ours.
        let outcome = catch_unwind(AssertUnwindSafe(|| body(&board)));
        let outcome = outcome.unwrap_or_else(|_| {
            let error = PipelineError::Internal("a thread of the pipeline has panicked".to_owned());
            board.fail(Halt::from(error));
            Err(Halt::Elsewhere)
        });
        // Fails when the run was taken over.
        ended.send(outcome).ok();
    });
    thread.map(|_| ())
}
