//! Messages between threads: calls, answers, one-way messages, signals.

pub mod call;
pub mod endpoint;
pub mod notification;
