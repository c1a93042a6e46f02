//! The kernel and the clock chip, for real.

use crate::{Board, Timed};
use nexus_abi::syscall::{Inspect, Notify};
use nexus_abi::{Error, Handle, Kind, Rights};
use nexus_proto::audit::Audit;
use nexus_rt::kernel::invoke;
use nexus_rt::memory::{Access, View};
use nexus_rt::{Server, env};

/// What the manifest calls the clock chip.
const DEVICE: &str = "rtc";
/// The goldfish RTC's low half of the time; reading it holds the high half (QEMU, `hw/rtc/goldfish_rtc.c`).
const TIME_LOW: usize = 0;
/// The high half.
const TIME_HIGH: usize = 4;

/// The machine.
#[derive(Debug)]
pub struct Machine {
    chip: View,
}

impl Board for Machine {
    fn signal(&mut self, notification: Handle, bits: u64) -> Result<(), Error> {
        invoke(Notify { notification, bits }).map(drop)
    }

    fn check(&mut self, notification: Handle) -> Result<(), Error> {
        let found = invoke(Inspect { handle: notification })?;
        match (found.kind, found.rights.contains(Rights::USE)) {
            (Kind::Notification, true) => Ok(()),
            (Kind::Notification, false) => Err(Error::Permission),
            _ => Err(Error::WrongKind),
        }
    }

    fn wall_ns(&mut self) -> u64 {
        let half = |at| self.chip.load_u32(at).expect("both halves lie in the window's first page");
        let low = half(TIME_LOW);
        u64::from(half(TIME_HIGH)) << 32 | u64::from(low)
    }

    fn audit(&mut self, audit: &Audit<'_>) {
        nexus_rt::log!("{audit}");
    }
}

/// Takes the clock chip over; answers the service and the loop to serve it with.
pub fn open() -> Result<(Timed<Machine>, Server), Error> {
    let chip = View::map(env::handle(DEVICE)?, 0, 1, Access::Read)?;
    let timebase = env::start()?.info().timebase;
    Ok((Timed::new(Machine { chip }, timebase), Server::of_start_page()?))
}
