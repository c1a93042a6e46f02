//! Audit lines about classes: who set what, or was refused, a bounded number a second.
//!
//! Said is every refusal, and every use of the authority to raise a class or to set another's. Each decision has an
//! allowance of its own, so that a flood of one cannot hide the other. What is not said is counted, and the next line of
//! the same decision says how much that was.

use crate::prelude::*;
use crate::{cpu::Rate, spell};

/// Audit lines of one decision in a second at most.
const MAX_QOS_AUDITS: u32 = 16;

/// How often each decision may still be said. Guarded by all shards.
#[derive(Debug, Default)]
pub struct QosAudit([Allowance; 2]);

#[derive(Debug, Default)]
struct Allowance {
    said: Rate,
    dropped: Word,
}

impl Allowance {
    /// If a line may be said in this second: how many were dropped since the last one.
    fn take(&self, second: u64) -> Option<u64> {
        if self.said.check(second, MAX_QOS_AUDITS).is_err() {
            self.dropped.add(1);
            return None;
        }
        self.said.count(second);
        Some(self.dropped.take())
    }
}

impl Context {
    /// Says what was decided about a request for a process, if there may be a line now. The classes are that of its first
    /// thread, or of the caller if it sets its own, and the wanted one's wire value. Holds all shards.
    pub(crate) fn audit_qos(&self, target: u32, from: Option<QosClass>, to: u8, result: Result<(), Error>) {
        let QosAudit([allow, deny]) = &self.kernel.qos_audit;
        let (decision, reason, allowance) = match result {
            Ok(()) => ("allow", "listed", allow),
            Err(Error::Permission) => ("deny", "not_listed", deny),
            Err(Error::Again) => ("deny", "class_full", deny),
            Err(_) => ("deny", "invalid", deny),
        };
        let Some(dropped) = allowance.take(self.kernel.second(self.now)) else { return };
        let [caller, target] = [self.process().index(), target].map(u64::from);
        let [from, to] = [from, QosClass::from_wire(to.into())].map(|class| class.map_or("none", QosClass::name));
        let line = self.kernel.log.line();
        let put = |byte| line.put(byte);
        spell!(put, "QOS-AUDIT decision=", decision, " reason=", reason, " caller=", caller, " target=", target);
        spell!(put, " from=", from, " to=", to, " dropped=", dropped);
        drop(line);
        self.cpu.requests.print();
        self.kernel.tell_driver(self.cpu);
    }
}
