//! What the tests across crates share: where the built plugin files are, folders to put them in,
//! faults to put into them, programs that scan such folders in a process of their own, the
//! acceptance suite, and the parts of the soak test.
//!
//! Everything here panics where something fails: it is for tests, which end there.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that fails"
)]

pub mod acceptance;
mod files;
mod folder;
mod library;
mod random;
mod scan;
pub mod soak;
mod variant;

pub use files::{artifact_folder, plugin_file};
pub use folder::Folder;
pub use library::{Library, SegmentField};
pub use random::Random;
pub use scan::{Death, Refused, Report, Scan};
pub use variant::Variant;
