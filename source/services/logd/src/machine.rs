//! The rings that init granted, and the kernel's signals.

use alloc::vec::Vec;

use nexus_abi::syscall::Notify;
use nexus_abi::{Error, Handle, ServiceId};
use nexus_ipc::ring::PAGES;
use nexus_rt::kernel::invoke;
use nexus_rt::memory::{Access, View, sealed};
use nexus_rt::{Server, env};
use wiring::{BELL, RING_SUFFIX, Wiring};

use crate::{Logd, Signals};

/// Signals through the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Bell;

impl Signals for Bell {
    fn notify(&mut self, notification: Handle, bits: u64) {
        // Who is gone needs no signal.
        let _ = invoke(Notify { notification, bits });
    }
}

/// Maps every ring of the start page; answers the service and the loop to serve it with.
pub fn open() -> Result<(Logd<View, Bell>, Server), Error> {
    let start = env::start()?;
    let wiring = Wiring::of_image(sealed(env::handle("image")?)?)?;
    let named = start.handles().filter_map(|(name, handle)| {
        let sender = name.as_str().strip_suffix(RING_SUFFIX).map(ServiceId::service)?;
        Some((sender, handle))
    });
    let rings: Result<Vec<_>, Error> =
        named.map(|(sender, ring)| Ok((sender, View::map(ring, 0, PAGES, Access::Write)?))).collect();
    let mut service = Logd::new(Bell, wiring, rings?, start.info().timebase);
    let server = Server::of_start_page()?;
    // Without rings there is no bell, and what programs append is all there is.
    let server = match env::handle(BELL) {
        Ok(bell) => server.bound_to(bell)?,
        Err(_) => server,
    };
    // What was written before this process began.
    service.drain(&mut nexus_rt::server::KernelPort);
    Ok((service, server))
}
