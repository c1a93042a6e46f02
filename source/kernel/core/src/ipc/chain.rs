//! Calls inside calls: how deep they nest, and that they close no circle.
//!
//! A thread's link names the caller that it serves, that caller's link the one before, so the chain is walked backwards from
//! who calls. It only ever grows at that end, since whoever waits for an answer receives nothing: looking at each call is
//! enough. Only a call made while serving one comes here.

use super::{Attempt, endpoint::Endpoint};
use crate::{Kernel, lock::ShardSet, process::quota::Resource, thread::Thread};
use nexus_abi::{Error, message::MAX_CALL_DEPTH};

impl Kernel {
    /// `EOVERLIMIT`: the call would nest too deep. `EDEADLK`: all threads that could ever receive it wait for the caller.
    #[inline(never)]
    pub(super) fn check_chain(&self, caller: &'static Thread, held: ShardSet, endpoint: &Endpoint) -> Attempt<()> {
        let owner = endpoint.header.owner.get();
        let (mut thread, mut waiting) = (caller, 0);
        for _ in 0..MAX_CALL_DEPTH {
            waiting += u32::from(thread.process.get() as u32 == owner);
            let link = thread.link.get();
            if link != 0 {
                held.require(self.threads.at(Thread::index_of_token(link)).header.shard())?;
            }
            let Some(caller) = self.awaiting(link) else {
                let all = self.processes.at(owner).account.used(Resource::Threads);
                let circle = waiting != 0 && waiting == all;
                return if circle { Err(Error::Deadlock.into()) } else { Ok(()) };
            };
            thread = caller;
        }
        Err(Error::OverLimit.into())
    }
}
