//! Where the positions of sources, and the last active settings of connectors, live between runs.
//!
//! A pipeline commits the position up to which every destination has confirmed, and only then
//! tells the source (I1), so what a store answers `Ok` to must survive a power cut. A store knows
//! nothing of records, windows or acks, and never reads a position: to it they are bytes. The
//! committer of a pipeline writes to it; opening a pipeline reads from it.
//!
//! Last active settings are those that a connector's plugin last went by. A start compares with them
//! to tell the plugin of a connector that is new or has changed, and deleting hands them over.
//!
//! [`FileStore`] keeps them in one file of this machine. The trait is here, with one implementor,
//! because hosts that share their state will keep it elsewhere; nothing above this folder may
//! depend on how it is kept.

mod active;
mod database;
mod error;
mod file;
mod folder;
mod form;
mod reopen;
mod stored;
#[cfg(test)]
mod tests;

pub use active::Active;
pub use error::StoreError;
pub use file::FileStore;
pub use stored::Stored;

/// Which connector a position or last active settings belong to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey {
    /// Identity of the pipeline.
    pub pipeline: String,
    /// Identity of the connector in it.
    pub connector: String,
}

impl StoreKey {
    /// Names the connector `connector` of `pipeline`.
    pub fn new(pipeline: impl Into<String>, connector: impl Into<String>) -> Self {
        Self {
            pipeline: pipeline.into(),
            connector: connector.into(),
        }
    }
}

/// Keeps positions and last active settings; every call may come from any thread and blocks until it is done.
///
/// An error never stands for "no position" or "no settings": a caller that gets one must not start a
/// source from its beginning, nor take a connector for a new one.
pub trait PositionStore: Send + Sync {
    /// Reads what was last committed for `key`; `None` if nothing ever was.
    ///
    /// # Errors
    /// What the store can't read is a [`StoreError`], whatever the reason.
    fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError>;

    /// Replaces the positions of all `entries` in one step: all of them or none.
    ///
    /// When it returns `Ok` they survive the loss of power.
    ///
    /// # Errors
    /// After a [`StoreError`] none is replaced as far as a caller may assume, so none may be
    /// acknowledged; a store may refuse everything from then on until it is opened again.
    fn commit(&self, entries: &[(StoreKey, Stored)]) -> Result<(), StoreError>;

    /// Reads all positions, in the order of the keys.
    ///
    /// # Errors
    /// One entry that can't be read is an error of the whole.
    fn list(&self) -> Result<Vec<(StoreKey, Stored)>, StoreError>;

    /// Forgets one position, as durably as [`commit`](Self::commit); tells whether there was one.
    /// The connector's last active settings stay.
    ///
    /// # Errors
    /// After a [`StoreError`] the position must be taken as still there.
    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError>;

    /// Reads the last active settings of a connector; `None` if it never had any.
    ///
    /// # Errors
    /// What the store can't read is a [`StoreError`], whatever the reason.
    fn active(&self, key: &StoreKey) -> Result<Option<Active>, StoreError>;

    /// Replaces the last active settings of a connector, as durably as [`commit`](Self::commit).
    ///
    /// # Errors
    /// After a [`StoreError`] either those before or these are there.
    fn activate(&self, key: &StoreKey, active: &Active) -> Result<(), StoreError>;

    /// Reads all last active settings, in the order of the keys.
    ///
    /// # Errors
    /// One entry that can't be read is an error of the whole.
    fn actives(&self) -> Result<Vec<(StoreKey, Active)>, StoreError>;

    /// Forgets position and last active settings of a connector in one step, as durably as
    /// [`commit`](Self::commit); tells whether there was either.
    ///
    /// # Errors
    /// After a [`StoreError`] both must be taken as still there.
    fn forget(&self, key: &StoreKey) -> Result<bool, StoreError>;
}
