//! What is stored of one connector, and how it is shown: never with a value of a setting.

use std::collections::BTreeMap;

use plugin_host::store::{Active, FileStore, PositionStore, StoreError, StoreKey, Stored};
use serde_json::{Value, json};

/// Most characters of a position in the table.
const SHOWN: usize = 60;

/// What is stored of a connector: a position, last active settings, or both.
pub(super) struct Entry {
    pub(super) key: StoreKey,
    pub(super) stored: Option<Stored>,
    pub(super) active: Option<Active>,
}

impl Entry {
    /// Every connector of which something is stored, in the order of the keys.
    pub(super) fn all(store: &FileStore) -> Result<Vec<Self>, StoreError> {
        let mut all: BTreeMap<StoreKey, (Option<Stored>, Option<Active>)> = BTreeMap::new();
        for (key, stored) in store.list()? {
            all.entry(key).or_default().0 = Some(stored);
        }
        for (key, active) in store.actives()? {
            all.entry(key).or_default().1 = Some(active);
        }
        let all = all.into_iter();
        Ok(all
            .map(|(key, (stored, active))| Self {
                key,
                stored,
                active,
            })
            .collect())
    }

    /// Full name and hash of the plugin: the one that made the position, where there is one.
    fn plugin(&self) -> (&str, Option<&str>) {
        let stored = self.stored.as_ref();
        let stored = stored.map(|it| (it.plugin.as_str(), it.hash.as_deref()));
        let active = self.active.as_ref();
        let active = active.map(|it| (it.plugin.as_str(), it.hash.as_deref()));
        stored.or(active).unwrap_or_default()
    }

    /// `source` or `destination`. Only a source has a position.
    fn side(&self) -> String {
        let active = self.active.as_ref();
        active.map_or_else(|| "source".to_owned(), |it| it.side.to_string())
    }

    /// The position as people read it, `-` where none is stored.
    fn position(&self) -> String {
        let position = self.stored.as_ref().map(|it| text(&it.position));
        position.unwrap_or_else(|| "-".to_owned())
    }

    /// `{"pipeline", "connector", "side", "plugin", "hash", "position", "hex"}`
    pub(super) fn to_json(&self) -> Value {
        let position = self.stored.as_ref().map(|it| &*it.position);
        let (plugin, hash) = self.plugin();
        json!({
            "pipeline": self.key.pipeline,
            "connector": self.key.connector,
            "side": self.side(),
            "plugin": plugin,
            "hash": hash,
            "position": position.and_then(|it| str::from_utf8(it).ok()),
            "hex": position.map(hex),
        })
    }

    pub(super) fn page(&self) -> String {
        let (plugin, hash) = self.plugin();
        format!(
            "{}\n  side      {}\n  plugin    {plugin}\n  file      {}\n  position  {}\n",
            full_name(&self.key),
            self.side(),
            hash.unwrap_or("builtin"),
            self.position()
        )
    }

    pub(super) fn forgotten(&self) -> String {
        let (name, position) = (full_name(&self.key), self.position());
        format!("forgot {name} at {position}: its source begins at its beginning\n")
    }
}

pub(super) fn table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "no positions\n".to_owned();
    }
    let rows = entries.iter().map(|entry| {
        let position = entry.position();
        let mut shown: String = position.chars().take(SHOWN).collect();
        if shown.len() < position.len() {
            shown.push('…');
        }
        let plugin = entry.plugin().0.to_owned();
        [full_name(&entry.key), entry.side(), plugin, shown]
    });
    let header = ["CONNECTOR", "SIDE", "PLUGIN", "POSITION"].map(String::from);
    let rows: Vec<_> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let (name, side, plugin) = (width(0), width(1), width(2));
    rows.iter()
        .map(|row| {
            let [a, b, c, d] = row;
            format!("{a:name$}  {b:side$}  {c:plugin$}  {d}\n")
        })
        .collect()
}

/// What a connector is called here.
pub(super) fn full_name(key: &StoreKey) -> String {
    format!("{}/{}", key.pipeline, key.connector)
}

/// A position as people read it.
fn text(position: &[u8]) -> String {
    match str::from_utf8(position) {
        // One line: what else a terminal would act on is the output's to replace.
        Ok(text) if !text.is_empty() => text.replace('\n', "\\n"),
        _ => format!("0x{}", hex(position)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
