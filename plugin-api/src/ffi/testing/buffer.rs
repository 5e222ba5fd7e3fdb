//! A batch's memory for tests, as a host would lend it.

use forebay_abi as abi;

/// Owns what a buffer points to.
#[derive(Debug)]
pub(crate) struct TestBuffer {
    arena: Vec<u8>,
    index: Vec<abi::RecordIndex>,
    limit: usize,
}

impl TestBuffer {
    pub(crate) fn new(records: usize, limit: usize) -> Self {
        Self {
            arena: vec![0; limit.min(16)],
            index: vec![abi::RecordIndex::default(); records],
            limit,
        }
    }

    /// Lends the memory to `fill`, and then what was filled to `read`.
    pub(crate) fn fill<R>(
        &mut self,
        fill: impl FnOnce(&mut abi::BatchBuffer),
        read: impl FnOnce(abi::BatchRef<'_>) -> R,
    ) -> R {
        let owner = std::ptr::from_mut(self).cast::<()>();
        let (bytes, records) = (self.arena.len(), self.index.len());
        // SAFETY: both vectors are initialised over these lengths and outlive the buffer.
        let mut buffer = unsafe {
            abi::BatchBuffer::from_raw(
                self.arena.as_mut_ptr(),
                number(bytes),
                self.index.as_mut_ptr(),
                number(records),
                number(self.limit),
                owner,
                grow,
            )
        };
        fill(&mut buffer);
        let (bytes, records) = (
            buffer.arena_length() as usize,
            buffer.index_length() as usize,
        );
        read(abi::BatchRef {
            first_sequence: 100,
            arena: self.arena[..bytes].into(),
            index: self.index[..records].into(),
        })
    }
}

/// A length as the buffer has it; a test's are small.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

unsafe extern "C" fn grow(buffer: &mut abi::BatchBuffer, capacity: u32) -> bool {
    // SAFETY: `owner` is the `TestBuffer` in whose `fill` this call happens.
    let owner = unsafe { &mut *buffer.owner().cast::<TestBuffer>() };
    if capacity as usize > owner.limit {
        return false;
    }
    owner.arena.resize(capacity as usize, 0);
    // SAFETY: the arena is initialised over its length and begins with what was written.
    unsafe { buffer.set_arena(owner.arena.as_mut_ptr(), capacity) };
    true
}
