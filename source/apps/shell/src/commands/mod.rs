//! What the commands do, by what they touch.

pub(crate) mod explain;
pub(crate) mod listings;
pub(crate) mod log;
pub(crate) mod machine;
pub(crate) mod programs;
pub(crate) mod qos;
pub(crate) mod top;
