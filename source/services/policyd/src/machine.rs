//! The way to init and to the log, for real.

use nexus_abi::Error;
use nexus_ipc::Notice;
use nexus_proto::audit::Audit;
use nexus_rt::memory::sealed;
use nexus_rt::{Server, channel, env, records};
use wiring::Wiring;

use crate::{Policyd, World};

/// init's endpoint and this service's record ring.
#[derive(Clone, Copy, Debug)]
pub struct Outside;

impl World for Outside {
    fn tell(&mut self, notice: Notice) -> Result<(), Error> {
        channel::send(env::handle(env::INIT)?, &notice.to_message())
    }

    fn audit(&mut self, audit: &Audit<'_>) {
        records::audit(audit);
    }
}

/// Reads the manifest; answers the service and the loop to serve it with.
pub fn open() -> Result<(Policyd<Outside>, Server), Error> {
    let wiring = Wiring::of_image(sealed(env::handle("image")?)?)?;
    let timebase = env::start()?.info().timebase;
    Ok((Policyd::new(Outside, wiring, timebase), Server::of_start_page()?))
}
