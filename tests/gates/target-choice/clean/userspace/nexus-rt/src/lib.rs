//! A file of a fixture.

#![cfg_attr(target_os = "none", no_std)]

#[cfg(not(target_os = "none"))]
#[path = "host.rs"]
mod sys;
#[cfg(target_os = "none")]
pub(crate) mod sys;

#[cfg(loom)]
use loom::sync::atomic;

#[cfg(test)]
fn only_for_tests() {}
