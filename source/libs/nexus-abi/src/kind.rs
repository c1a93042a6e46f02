//! The kinds of kernel object.

macro_rules! kinds {
    ($($(#[$doc:meta])* $number:literal $variant:ident $name:literal;)*) => {
        /// What a capability names. The number is part of the ABI; 0 is no kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $variant = $number,)* }

        impl Kind {
            /// Every kind, in numeric order.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// True of what can be mapped.
            pub const fn is_memory(self) -> bool {
                matches!(self, Kind::Memory | Kind::DmaMemory | Kind::Window)
            }

            /// The name that listings print.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            /// The kind with this number.
            pub const fn from_number(number: u8) -> Option<Kind> {
                match number { $($number => Some(Kind::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// Address space, capability table, quota, identity.
    1 Process "process";
    /// One flow of control in one process, for life.
    2 Thread "thread";
    /// Where calls and one-way messages meet a receiver.
    3 Endpoint "endpoint";
    /// The right to answer one call, once.
    4 Reply "reply";
    /// 64 OR-ed signal bits.
    5 Notification "notification";
    /// A notification made of keyed members.
    6 WaitSet "wait-set";
    /// Zeroed frames, eager, charged.
    7 Memory "memory";
    /// Contiguous, pinned frames whose physical address a right lets one read. Reserved: no call makes one yet.
    8 DmaMemory "dma-memory";
    /// A range of device registers.
    9 Window "window";
    /// One interrupt line.
    10 Irq "irq";
    /// A deadline that signals a notification.
    11 Timer "timer";
    /// The root from which windows and interrupt lines are minted.
    12 DeviceRoot "device-root";
    /// The right to create processes under one identity, or under any program identity.
    13 Spawn "spawn";
    /// The right to read the system's tables.
    14 Info "info";
    /// The right to stop or reset the machine.
    15 Power "power";
    /// The right to write to, or drain, the kernel's console ring.
    16 Log "log";
}
