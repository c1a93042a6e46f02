//! Run queues: per CPU, one list a class.

use crate::{ipc::endpoint::ThreadList, word::Half};
use nexus_abi::QosClass;

/// Ready threads of one CPU. Only that CPU touches it.
#[derive(Debug, Default)]
pub struct RunQueue {
    lists: [ThreadList; QosClass::COUNT],
    counts: [Half; QosClass::COUNT],
}
