//! Ends of pipes: handles to the shell's own endpoint, under the badge that says which end of which pipe.

use crate::pipes::{End, badge};
use nexus_abi::syscall::{Close, Derive};
use nexus_abi::{Error, Handle, Rights};
use nexus_proto::stream;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, env};

/// One end; closed for everybody when it is dropped.
pub(super) struct PipeEnd(Handle);

impl PipeEnd {
    fn new(number: u64, end: End) -> Result<Self, Error> {
        let rights = Rights::USE.union(Rights::TRANSFER);
        let source = env::handle(env::SERVE)?;
        invoke(Derive { source, rights, badge: badge(number, end) }).map(|derived| PipeEnd(derived.handle))
    }

    pub(super) fn handle(&self) -> Handle {
        self.0
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        // The thread that serves it lives as long as we do; a pipe that is gone is closed.
        let _ = stream::Client::new(Channel::new(self.0)).close();
        let _ = invoke(Close { handle: self.0 });
    }
}

/// Makes the pipe with this number: the end to read from, the end to write to.
pub(super) fn pipe(number: u64) -> Result<(PipeEnd, PipeEnd), Error> {
    let (read, write) = (PipeEnd::new(number, End::Read)?, PipeEnd::new(number, End::Write)?);
    stream::Client::new(Channel::new(write.handle())).write(&[])?;
    Ok((read, write))
}
