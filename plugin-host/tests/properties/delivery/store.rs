//! A store in memory that fails when its script says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use plugin_host::store::{Active, PositionStore, StoreError, StoreKey, Stored};

use super::case::Place;
use super::source::number_of;
use super::world::{Entry, World};

pub(super) struct ScriptedStore {
    world: Arc<World>,
    positions: Mutex<BTreeMap<StoreKey, Stored>>,
    active: Mutex<BTreeMap<StoreKey, Active>>,
}

impl ScriptedStore {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self {
            world,
            positions: Mutex::default(),
            active: Mutex::default(),
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refusal() -> StoreError {
    StoreError::Io {
        path: "memory".into(),
        doing: "commit to",
        source: std::io::Error::other("full"),
    }
}

impl PositionStore for ScriptedStore {
    fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        Ok(lock(&self.positions).get(key).cloned())
    }

    fn commit(&self, entries: &[(StoreKey, Stored)]) -> Result<(), StoreError> {
        self.world.step();
        if self.world.case.slow_commits {
            self.world.dawdle();
        }
        if self.world.fault(Place::Commit).is_some() {
            return Err(refusal());
        }
        let ok = self.world.fault(Place::CommitKept).is_none();
        for (key, stored) in entries {
            let source = key.connector.strip_prefix('s');
            let source = source.and_then(|it| it.parse().ok()).unwrap();
            let number = number_of(&stored.position);
            lock(&self.positions).insert(key.clone(), stored.clone());
            self.world.note(Entry::Stored { source, number, ok });
        }
        if ok { Ok(()) } else { Err(refusal()) }
    }

    fn list(&self) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
        Ok(lock(&self.positions).clone().into_iter().collect())
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        Ok(lock(&self.positions).remove(key).is_some())
    }

    fn active(&self, key: &StoreKey) -> Result<Option<Active>, StoreError> {
        Ok(lock(&self.active).get(key).cloned())
    }

    fn activate(&self, key: &StoreKey, active: &Active) -> Result<(), StoreError> {
        lock(&self.active).insert(key.clone(), active.clone());
        Ok(())
    }

    fn actives(&self) -> Result<Vec<(StoreKey, Active)>, StoreError> {
        Ok(lock(&self.active).clone().into_iter().collect())
    }

    fn forget(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let settings = lock(&self.active).remove(key).is_some();
        Ok(lock(&self.positions).remove(key).is_some() || settings)
    }
}
