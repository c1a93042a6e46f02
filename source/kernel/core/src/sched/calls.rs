//! The system calls of the scheduler.

use crate::event::{Context, Verdict, serve::Serve};
use crate::sched::queue::End;
use nexus_abi::syscall::{Identity, Whoami, Yield, Yielded};
use nexus_abi::{ProcessId, ServiceId};

impl Serve for Whoami {
    fn serve(self, context: &Context) -> Verdict<Identity> {
        let thread = context.thread;
        Ok(Identity { process: ProcessId(thread.process.get()), service: ServiceId(thread.service.get()) })
    }
}

impl Serve for Yield {
    fn serve(self, context: &Context) -> Verdict<Yielded> {
        context.kernel.rotate(context.cpu, End::Back, context.now);
        Ok(Yielded {})
    }
}
