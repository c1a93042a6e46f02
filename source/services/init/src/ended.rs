//! What happens when a service's process is gone.

use nexus_abi::start::ExitKind;
use nexus_abi::syscall::ProcessStatus;

use crate::ground::Ground;
use crate::init::{Init, Running, gone_bit};
use crate::watch::End;

impl<G: Ground> Init<G> {
    /// Looks at every service that these bits may be about.
    pub(crate) fn gone(&mut self, bits: u64) {
        for service in 0..self.running.len() {
            if let Some(running) = self.running[service].filter(|_| bits & gone_bit(service) != 0) {
                self.examine(service, &running);
            }
        }
        self.advance();
    }

    /// Reads the exit record. A process that still lives shares the bit of one that does not.
    fn examine(&mut self, service: usize, running: &Running) {
        let name = self.name(service);
        let name = name.as_str();
        let end = match self.ground.invoke(ProcessStatus { process: running.launched.process }) {
            Ok(stated) => match ExitKind::from_wire(stated.state) {
                Some(ExitKind::Running | ExitKind::Dying) => return,
                Some(ExitKind::Exited) => {
                    let status = stated.detail as i64;
                    self.ground.line(format_args!("{name} exited with {status}"));
                    if status == 0 { End::Clean } else { End::Failed }
                }
                Some(ExitKind::Faulted) => {
                    let (cause, pc, address) = (stated.detail, stated.pc, stated.address);
                    self.ground.line(format_args!("{name} fault {cause} at {pc:#x} on {address:#x}"));
                    End::Failed
                }
                Some(ExitKind::Killed) | None => {
                    self.ground.line(format_args!("{name} was killed"));
                    End::Failed
                }
            },
            // The record is gone: so is the process.
            Err(_) => End::Failed,
        };
        self.running[service] = None;
        self.close(running);
        self.bereave(service);
        self.after(service, end);
    }
}
