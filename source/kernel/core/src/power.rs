//! Power: stopping and resetting the machine.

use crate::cpu::{POWER_OFF, POWER_RESET};
use crate::prelude::*;

/// Asks the machine layer, which never comes back. Needs `USE`.
fn request(context: &Context, handle: Handle, power: u32, status: u32) -> Verdict<()> {
    let _held = context.kernel.shards.hold(ShardSet::ALL);
    context.capability(handle, Kind::Power, Rights::USE)?;
    let requests = &context.cpu.requests;
    requests.status.set(status);
    requests.ask(&requests.power, power);
    Ok(())
}

pub(crate) fn power_off(context: &Context, call: PowerOff) -> Verdict<NeverOff> {
    request(context, call.power, POWER_OFF, call.status).map(|()| NeverOff {})
}

pub(crate) fn power_reset(context: &Context, call: PowerReset) -> Verdict<NeverReset> {
    request(context, call.power, POWER_RESET, 0).map(|()| NeverReset {})
}
