//! A long run of `forebay`: files that grow and are rotated are copied, and the process is measured.
//!
//! [`Writer`] makes the lines, [`Arrivals`] checks each that comes out, [`Sample`] is what the process
//! uses at one time, and [`Curve`] draws the samples and says whether memory grows. The program
//! `forebay-soak` puts them together.

mod arrivals;
mod curve;
mod line;
mod sample;
mod writer;

pub use arrivals::Arrivals;
pub use curve::Curve;
pub use sample::Sample;
pub use writer::Writer;

/// Files that grow at the same time.
pub const FILES: usize = 4;
