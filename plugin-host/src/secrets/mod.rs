//! The values of secret settings, and what plugins say without them.
//!
//! A plugin has to be told its secrets, and what it says may quote them. So every text that it gives
//! the host, of an error or a log record, goes through its [`Secrets`] before anything else sees it.
//! They are those of the plugin, not of an instance: a thread of its own logs for all of them.
//!
//! What is recognised is the value as it was handed over, trimmed, as `{:?}` and JSON write it,
//! percent-encoded in whatever way, and each entry of a list. Nothing here looks at records, at
//! positions, or at what a plugin writes past the host.

mod instance;
mod search;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use plugin_api::ffi::PluginError;
use plugin_api::{Error, Parameter, ParameterType, list_entries};

pub(crate) use instance::InstanceSecrets;
use search::Search;

use crate::ffi::secrets_of_builtins;
use crate::parameters::find;

/// Fewest bytes of a text that is looked for. A shorter one stands in words and numbers everywhere:
/// what is left would be hard to read, and the marks would tell where it stands.
const SHORTEST: usize = 4;
/// Values that are remembered after the last instance that had them: a thread of the plugin may
/// outlive its instance. Bounded, as a host may run for ever and change its passwords (I5).
const REMEMBERED: usize = 256;
/// Most bytes of these values. What searches for them takes some 50 times as many.
const REMEMBERED_BYTES: usize = 64 * 1024;

/// A text with a mark, `[secret NAME]`, in the place of each value of a secret setting that a plugin
/// which is linked in was handed.
///
/// What plugin files say comes through the library, and without secrets. A builtin's log records and
/// panic messages go to the program's own logger and panic hook, as its own do; a program that doesn't
/// vouch for its builtins has these pass each text through here. Waits for nothing, and copies nothing
/// where no secret is.
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    for secrets in secrets_of_builtins() {
        if let Cow::Owned(marked) = secrets.redact(&shown, usize::MAX) {
            shown = Cow::Owned(marked);
        }
    }
    shown
}

/// The secrets of one plugin.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Those handed over last stand last.
    known: Mutex<Vec<Arc<Secret>>>,
    /// `None` while there is nothing to look for.
    search: RwLock<Option<Arc<Search>>>,
}

/// A value that no text may show. It is known as long as an instance holds it.
struct Secret {
    /// Name of the setting.
    name: String,
    value: String,
}

impl Secrets {
    /// At most so many bytes of a text, with a mark in the place of each secret.
    pub(crate) fn redact<'a>(&self, text: &'a str, most: usize) -> Cow<'a, str> {
        let search = self.search.read().unwrap_or_else(PoisonError::into_inner);
        let search = search.as_ref().map(Arc::clone);
        match search {
            Some(search) => search.redact(text, most),
            None => Cow::Borrowed(&text[..text.floor_char_boundary(most)]),
        }
    }

    /// Copies a plugin's error, bounded and without secrets (I6).
    pub(crate) fn copy_error(&self, error: &PluginError) -> Error {
        Error::from_plugin_through(error, |text, most| self.redact(text, most).into_owned())
    }

    /// Takes in those of the settings that are secret. What comes back keeps them known.
    fn learn(
        &self,
        parameters: &BTreeMap<String, Parameter>,
        settings: &BTreeMap<String, String>,
    ) -> Vec<Arc<Secret>> {
        let secret = settings.iter().filter(|(name, value)| {
            let found = find(name.trim(), parameters);
            found.is_some_and(|(_, parameter)| !is_public(parameter, value))
        });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = false;
        let mut held = Vec::new();
        for (name, value) in secret {
            let mut old = known.iter();
            let old = old.position(|old| old.name == name.trim() && old.value == *value);
            is_new |= old.is_none();
            let secret = match old {
                Some(old) => known.remove(old),
                None => Arc::new(Secret {
                    name: name.trim().to_owned(),
                    value: value.clone(),
                }),
            };
            known.push(Arc::clone(&secret));
            held.push(secret);
        }
        if is_new {
            forget(&mut known);
            let search = Search::new(known.iter().flat_map(|secret| secret.texts()));
            let mut current = self.search.write().unwrap_or_else(PoisonError::into_inner);
            *current = search.map(Arc::new);
        }
        held
    }
}

/// Drops the oldest of those that no instance holds, where there are too many.
fn forget(known: &mut Vec<Arc<Secret>>) {
    let (mut values, mut bytes) = (0, 0);
    let is_kept = |secret: &Arc<Secret>| {
        if Arc::strong_count(secret) > 1 {
            return true;
        }
        values += 1;
        bytes += secret.value.len();
        values <= REMEMBERED && bytes <= REMEMBERED_BYTES
    };
    let newest_first = known.drain(..).rev();
    let kept: Vec<_> = newest_first.filter(is_kept).collect();
    known.extend(kept.into_iter().rev());
}

impl Secret {
    /// The texts to look for, each with the setting's name.
    fn texts(&self) -> impl Iterator<Item = (String, String)> {
        let entries = list_entries(&self.value).map(|entry| entry.trim().to_owned());
        let values = [self.value.clone(), self.value.trim().to_owned()];
        let texts = values.into_iter().chain(entries);
        let texts = texts.filter(|text| text.trim().len() >= SHORTEST);
        let texts = texts.flat_map(|text| [inside(&format!("{text:?}")), json(&text), text]);
        texts.map(|text| (text, self.name.clone()))
    }
}

/// Whether a value may be shown: the specification shows the default, and of a bool there are two
/// values, which are words.
fn is_public(parameter: &Parameter, value: &str) -> bool {
    let is_default = value.trim() == parameter.default.trim();
    !parameter.secret || is_default || parameter.kind == ParameterType::Bool
}

fn json(text: &str) -> String {
    inside(&serde_json::Value::from(text).to_string())
}

/// What stands between the quotes.
fn inside(quoted: &str) -> String {
    quoted[1..quoted.len() - 1].to_owned()
}
