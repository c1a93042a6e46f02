//! Power: stopping and resetting the machine.

use crate::event::{Context, Verdict, serve::Serve};
use crate::lock::ShardSet;
use nexus_abi::syscall::{NeverOff, NeverReset, PowerOff, PowerReset};
use nexus_abi::{Handle, Kind, Rights};

/// What [`crate::cpu::Requests::power`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Off = 1,
    Reset = 2,
}

/// Asks the machine layer, which never comes back. Needs `USE`.
fn request(context: &Context, handle: Handle, power: Power, status: u32) -> Verdict<()> {
    let _held = context.kernel.shards.hold(ShardSet::ALL);
    context.capability(handle, Kind::Power, Rights::USE)?;
    context.cpu.requests.power(power as u32, status);
    Ok(())
}

impl Serve for PowerOff {
    fn serve(self, context: &Context) -> Verdict<NeverOff> {
        request(context, self.power, Power::Off, self.status).map(|()| NeverOff {})
    }
}

impl Serve for PowerReset {
    fn serve(self, context: &Context) -> Verdict<NeverReset> {
        request(context, self.power, Power::Reset, 0).map(|()| NeverReset {})
    }
}
