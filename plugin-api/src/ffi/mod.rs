//! The boundary: the types that cross, and the glue that makes an author's traits plugin objects.
//!
//! Hosts use the re-exported types. Authors need nothing from here: `export_plugin!` does.
#![expect(
    unsafe_code,
    reason = "one of the folders that the unsafe policy confines it to"
)]

mod convert;
mod destination;
pub mod embed;
mod export;
mod guard;
mod instance;
mod log;
mod plugin;
mod settings;
mod source;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod testing;

pub use abi_stable::library::LibHeader;
pub use abi_stable::std_types::ROption;
pub use forebay_abi::*;

pub use destination::new_destination;
pub use export::{Export, NewDestination, NewSource, header, package_facts};
pub(crate) use guard::guarded;
pub use plugin::Plugin;
pub use source::new_source;
#[cfg(test)]
pub(crate) use testing::{TestBuffer, TestContext};
