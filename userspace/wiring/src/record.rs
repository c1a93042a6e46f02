//! The records, each declared once: a struct, its words, its reader and writer.

use nexus_abi::field::{Field, Words};
use nexus_abi::{Error, Limits, Name, QosClass, Quota, ServiceId, Shard};

use crate::terms::{Grants, Party, Restart};

/// Behind a device's name: the handle of its interrupt line.
pub const IRQ_SUFFIX: &str = ".irq";
/// Behind a device's name: the handle of the notification that the line signals, with bit 0.
pub const SIGNAL_SUFFIX: &str = ".signal";
/// The name under which a service finds the endpoint that it serves.
pub const SERVE: &str = "serve";

/// The name of the first process, which is in no table.
pub const INIT: &str = "init";
/// The name under which a service finds the ring for its records.
pub const RING: &str = "ring";
/// The name under which it finds the notification that says: there is something in a ring.
pub const BELL: &str = "bell";
/// Behind a service's name: its ring, for who reads them all.
pub const RING_SUFFIX: &str = ".ring";

/// The badge of a route: the owner's permission bits, and above them which of its interfaces the handle is for.
#[must_use]
pub const fn badge(position: usize, permits: u64) -> u64 {
    (position as u64 + 1) << INTERFACE_SHIFT | permits & ((1 << INTERFACE_SHIFT) - 1)
}

/// Bits of a badge that hold permissions.
pub const INTERFACE_SHIFT: u32 = 56;

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl Field for $name {
            const WORDS: usize = 0 $(+ <$type as Field>::WORDS)*;
            fn read(words: &impl Words, at: usize) -> Result<Self, Error> {
                let mut next = at;
                $(let $field = <$type as Field>::read(words, next)?; next += <$type as Field>::WORDS;)*
                let _ = next;
                Ok(Self { $($field,)* })
            }
            fn write(self, at: usize, put: &mut impl FnMut(usize, u64)) {
                let mut next = at;
                $(self.$field.write(next, put); next += <$type as Field>::WORDS;)*
                let _ = next;
            }
        }
    )*};
}

records! {
    /// A service: started by init, restarted by policy.
    Service {
        /// Its name, also that of its file in the bundle.
        name: Name,
        /// The hash of the name.
        id: ServiceId,
        /// What the console prints before its lines.
        prefix: Name,
        /// What it may own.
        quota: Quota,
        /// Its class at start.
        qos: QosClass,
        /// What it may use of the CPUs.
        limits: Limits,
        /// Pages of its main stack.
        stack_pages: u16,
        /// When init starts it again.
        restart: Restart,
        /// Kernel authority it gets.
        grants: Grants,
        /// The home of its kernel objects; none: init's.
        shard: Option<Shard>,
    }

    /// A program of the boot image: started on request.
    Program {
        /// Its display name, `app/boot/…`.
        name: Name,
        /// The hash of that name.
        id: ServiceId,
        /// What the console prints before its lines.
        prefix: Name,
        /// What it may own.
        quota: Quota,
        /// Its class at start.
        qos: QosClass,
        /// What it may use of the CPUs.
        limits: Limits,
        /// Pages of its main stack.
        stack_pages: u16,
        /// Kernel authority it may ask for.
        grants: Grants,
        /// The home of its kernel objects; none: that of who starts it.
        shard: Option<Shard>,
    }

    /// An interface that somebody provides.
    Interface {
        /// The interface's name.
        name: Name,
        /// Who provides it.
        owner: Party,
    }

    /// A permission to talk.
    Route {
        /// Who may.
        holder: Party,
        /// Under which name it gets the handle.
        name: Name,
        /// To which of the interfaces.
        interface: u16,
        /// The badge of the handle; see [`badge`].
        badge: u64,
    }

    /// A device and its one owner.
    Device {
        /// The name of the window's handle; interrupt and notification have [`IRQ_SUFFIX`] and [`SIGNAL_SUFFIX`] behind.
        name: Name,
        /// What its node in the device tree says it is compatible with.
        compatible: Name,
        /// Which of these nodes, counted in the order of their addresses.
        instance: u16,
        /// The service that owns it.
        owner: u16,
    }
}
