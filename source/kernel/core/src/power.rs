//! Power: stopping and resetting the machine.

use crate::cpu::{POWER_OFF, POWER_RESET};
use crate::event::{Context, Verdict, serve::Serve};
use crate::lock::ShardSet;
use nexus_abi::syscall::{NeverOff, NeverReset, PowerOff, PowerReset};
use nexus_abi::{Handle, Kind, Rights};

/// Asks the machine layer, which never comes back. Needs `USE`.
fn request(context: &Context, handle: Handle, power: u32, status: u32) -> Verdict<()> {
    let _held = context.kernel.shards.hold(ShardSet::ALL);
    context.capability(handle, Kind::Power, Rights::USE)?;
    let requests = &context.cpu.requests;
    requests.status.set(status);
    requests.ask(&requests.power, power);
    Ok(())
}

impl Serve for PowerOff {
    fn serve(self, context: &Context) -> Verdict<NeverOff> {
        request(context, self.power, POWER_OFF, self.status).map(|()| NeverOff {})
    }
}

impl Serve for PowerReset {
    fn serve(self, context: &Context) -> Verdict<NeverReset> {
        request(context, self.power, POWER_RESET, 0).map(|()| NeverReset {})
    }
}
