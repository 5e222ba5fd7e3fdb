//! Batches of records: what a source writes and a destination reads, without an allocation a record.

mod decimal;
mod field;
mod metadata;
mod record;
#[cfg(test)]
mod tests;
mod view;
mod writer;

pub use decimal::DecimalCounter;
pub use field::{Field, FieldWriter};
pub use metadata::MetadataView;
pub use record::{RecordWriter, Shared};
pub use view::{Batch, RecordView, Records};
pub use writer::BatchWriter;
