//! What was opened before, by this scan or by those before it.
//!
//! Nothing is unloaded, so a file whose bytes were opened once needs no second image: neither one
//! that is still there, nor one that was away for a while or has moved. Nor does one that was
//! refused after it was opened: the same bytes stay in memory, and would be refused again.

use std::path::Path;
use std::sync::Arc;

use super::Blueprint;
use crate::loader::{LoadError, Looked, Stage};

/// What was opened, found at present or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Opened {
    ready: Vec<Arc<Blueprint>>,
    refused: Vec<Refused>,
}

/// A file that was refused after its code was mapped.
#[derive(Debug, Clone)]
struct Refused {
    package: String,
    hash: String,
    error: LoadError,
}

impl Opened {
    /// What came of these bytes when they were opened.
    pub(super) fn find(
        &mut self,
        path: &Path,
        looked: &Looked,
    ) -> Option<Result<Arc<Blueprint>, LoadError>> {
        let marker = &looked.inspection.marker;
        let mut ready = self.ready.iter_mut();
        let same = ready.find(|plugin| {
            *plugin.specification() == marker.specification && plugin.loaded.is_of(looked)
        });
        if let Some(plugin) = same {
            if plugin.path() != Some(path) {
                let mut moved = Blueprint::clone(plugin);
                moved.path = Some(path.to_owned());
                *plugin = Arc::new(moved);
            }
            return Some(Ok(Arc::clone(plugin)));
        }
        let mut refused = self.refused.iter();
        // Hashing takes longer than all the rest, and is seldom needed.
        let same = refused.find(|it| it.package == marker.package && it.hash == looked.hash());
        same.map(|refused| Err(refused.error.clone()))
    }

    pub(super) fn keep(&mut self, plugin: &Arc<Blueprint>) {
        self.ready.push(Arc::clone(plugin));
    }

    /// Keeps an error if it came of the file's code. What the dynamic loader refuses may be
    /// mended elsewhere, and nothing of it stays in memory; what took too long may not the next time.
    pub(super) fn keep_refused(&mut self, looked: &Looked, error: &LoadError) {
        if error.stage() > Stage::Open {
            self.refused.push(Refused {
                package: looked.inspection.marker.package.clone(),
                hash: looked.hash(),
                error: error.clone(),
            });
        }
    }
}
