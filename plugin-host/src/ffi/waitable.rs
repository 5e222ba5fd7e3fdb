//! An operating system object that a plugin can poll beside its sockets.

#[cfg(target_os = "linux")]
pub(super) use linux::Waitable;
#[cfg(not(target_os = "linux"))]
pub(super) use none::Waitable;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsRawFd, OwnedFd};

    use rustix::event::{EventfdFlags, eventfd};
    use rustix::io::{read, write};

    /// An eventfd: readable while it is set.
    #[derive(Debug)]
    pub(in crate::ffi) struct Waitable(OwnedFd);

    impl Waitable {
        pub(in crate::ffi) fn new() -> Option<Self> {
            eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
                .ok()
                .map(Self)
        }

        pub(in crate::ffi) fn set(&self) {
            // Fails only when the counter is full, and then it is readable already.
            write(&self.0, &1_u64.to_ne_bytes()).ok();
        }

        pub(in crate::ffi) fn clear(&self) {
            // Fails only when the counter is 0, which is what is wanted.
            read(&self.0, &mut [0_u8; 8]).ok();
        }

        pub(in crate::ffi) fn handle(&self) -> isize {
            self.0.as_raw_fd() as isize
        }

        #[cfg(test)]
        pub(in crate::ffi) fn is_readable(&self) -> bool {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
            poll(&mut fds, Some(&Timespec::default())).expect("poll") == 1
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    /// Not there on this platform: plugins use the wait instead.
    #[derive(Debug)]
    pub(in crate::ffi) struct Waitable;

    impl Waitable {
        pub(in crate::ffi) fn new() -> Option<Self> {
            None
        }

        pub(in crate::ffi) fn set(&self) {}

        pub(in crate::ffi) fn clear(&self) {}

        pub(in crate::ffi) fn handle(&self) -> isize {
            -1
        }
    }
}
