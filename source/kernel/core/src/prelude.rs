//! The words of the core: what nearly every file speaks of.

pub(crate) use crate::arena::{Arena, Header, Living, Object, Tag, index_of};
pub(crate) use crate::caps::revoke::{More, Progress};
pub(crate) use crate::caps::{Capability, slot::Slot};
pub(crate) use crate::event::{Context, Stop, Verdict};
pub(crate) use crate::lock::{Held, ShardSet};
pub(crate) use crate::process::{Process, quota::Resource};
pub(crate) use crate::sched::queue::End;
pub(crate) use crate::thread::{Stamp, State, Thread, class_of, reg};
pub(crate) use crate::word::{Half, Word};
pub(crate) use crate::{Kernel, cpu::Cpu, invariant, links::Links, percpu::Here};
pub(crate) use nexus_abi::message::{Extent, Status};
pub(crate) use nexus_abi::syscall::*;
pub(crate) use nexus_abi::{Error, Handle, Kind, QosClass, Rights};
