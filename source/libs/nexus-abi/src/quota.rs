//! What a process may own, per kind, plus frames.

macro_rules! quota {
    ($($(#[$doc:meta])* $name:ident $type:ty, $word:literal, $shift:literal;)*) => {
        /// Limits of one process, carved from its creator's and given back when it is reaped.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Quota { $($(#[$doc])* pub $name: $type,)* }

        impl Quota {
            /// Three words, as `process_create` takes them.
            pub const fn to_words(self) -> [u64; 3] {
                let mut words = [0; 3];
                $(words[$word] |= (self.$name as u64) << $shift;)*
                words
            }

            /// The quota in these words. Every bit pattern is one.
            pub const fn from_words(words: [u64; 3]) -> Quota {
                Quota { $($name: (words[$word] >> $shift) as $type,)* }
            }

            /// The resources by name, for listings.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            /// The limits in the order of [`Quota::NAMES`].
            pub fn values(&self) -> [u32; 11] {
                [$(self.$name as u32,)*]
            }
        }
    };
}

quota! {
    /// 4 KiB frames: memory objects, page tables, IPC pages.
    frames u32, 0, 0;
    /// Threads.
    threads u16, 0, 32;
    /// Queued one-way messages, over all its endpoints.
    messages u16, 0, 48;
    /// Blocks of 64 capability slots.
    slot_blocks u16, 1, 0;
    /// Child processes.
    processes u16, 1, 16;
    /// Endpoints.
    endpoints u16, 1, 32;
    /// Notifications and wait sets.
    notifications u16, 1, 48;
    /// Memory objects and device windows.
    memories u16, 2, 0;
    /// Contiguous mappings in its address space.
    mappings u16, 2, 16;
    /// Timers.
    timers u16, 2, 32;
    /// Interrupt lines.
    irqs u16, 2, 48;
}
