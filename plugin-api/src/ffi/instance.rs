//! Counts the live objects of a plugin, so that a host can tell a leak.

use forebay_abi as abi;

/// Lives as long as the object that it is a part of.
pub(super) struct Instance {
    host: abi::Host_Ref,
}

impl Instance {
    pub(super) fn new(host: abi::Host_Ref) -> Self {
        host.count_objects(1);
        Self { host }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.host.count_objects(-1);
    }
}
