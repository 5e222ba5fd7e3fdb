//! The metadata of an owned record, and the names that connectors agree on.
//!
//! All of it is optional, and a connector sets what it knows: the host adds nothing and changes nothing
//! today. The names are those of Conduit, so that records mean the same there; names of a connector's own
//! begin with the plugin's, such as `file.path`. Times (Unix nanoseconds), counts, sizes and indexes are
//! decimal text.

/// Version of the record form; the value is `v1`.
pub const OPENCDC_VERSION: &str = "opencdc.version";
/// When the data was made at its origin.
pub const CREATED_AT: &str = "opencdc.createdAt";
/// When the source read the data.
pub const READ_AT: &str = "opencdc.readAt";
/// The table, topic or folder that the data is from.
pub const COLLECTION: &str = "opencdc.collection";
/// Subject under which the schema of the key is registered.
pub const KEY_SCHEMA_SUBJECT: &str = "opencdc.key.schema.subject";
/// Version of the schema of the key.
pub const KEY_SCHEMA_VERSION: &str = "opencdc.key.schema.version";
/// Subject under which the schema of the payload is registered.
pub const PAYLOAD_SCHEMA_SUBJECT: &str = "opencdc.payload.schema.subject";
/// Version of the schema of the payload.
pub const PAYLOAD_SCHEMA_VERSION: &str = "opencdc.payload.schema.version";
/// Name of the file that the record is, or is a part of.
pub const FILE_NAME: &str = "opencdc.file.name";
/// Size of that file in bytes.
pub const FILE_SIZE: &str = "opencdc.file.size";
/// Hash of that file.
pub const FILE_HASH: &str = "opencdc.file.hash";
/// Whether the file was cut into several records.
pub const FILE_CHUNKED: &str = "opencdc.file.chunked";
/// Which of those this record is.
pub const FILE_CHUNK_INDEX: &str = "opencdc.file.chunk.index";
/// How many of those there are.
pub const FILE_CHUNK_COUNT: &str = "opencdc.file.chunk.count";

/// Name of the plugin that read the record.
pub const SOURCE_PLUGIN_NAME: &str = "conduit.source.plugin.name";
/// Version of the plugin that read the record.
pub const SOURCE_PLUGIN_VERSION: &str = "conduit.source.plugin.version";
/// Identifier of the connector that read the record.
pub const SOURCE_CONNECTOR_ID: &str = "conduit.source.connector.id";
/// Name of the plugin that wrote the record.
pub const DESTINATION_PLUGIN_NAME: &str = "conduit.destination.plugin.name";
/// Version of the plugin that wrote the record.
pub const DESTINATION_PLUGIN_VERSION: &str = "conduit.destination.plugin.version";
/// Why the record is in the dead-letter queue.
pub const DLQ_NACK_ERROR: &str = "conduit.dlq.nack.error";
/// What refused the record that is in the dead-letter queue.
pub const DLQ_NACK_NODE_ID: &str = "conduit.dlq.nack.node.id";

/// Facts about a record: texts by name, in the order in which they were first set.
///
/// Lookup scans, which for the few entries that records have beats a hash map. Names that
/// connectors agree on are the constants of this module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata(Vec<(String, String)>);

impl Metadata {
    /// Makes metadata without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter()
            .find(|entry| entry.0 == key)
            .map(|entry| entry.1)
    }

    /// Sets the value of a key and gives back the one it had.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) -> Option<String> {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|entry| entry.0 == key) {
            Some(entry) => Some(std::mem::replace(&mut entry.1, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Removes a key and gives back its value.
    pub fn remove(&mut self, key: &str) -> Option<String> {
        let at = self.0.iter().position(|entry| entry.0 == key)?;
        Some(self.0.remove(at).1)
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Of entries with the same key the last counts.
impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut metadata = Self::new();
        for (key, value) in entries {
            metadata.insert(key, value);
        }
        metadata
    }
}
