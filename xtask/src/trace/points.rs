//! Where the kernel's trace points lie, by its debug information.

use crate::debug_info::{self, Place};
use std::ops::Range;

/// The module of the kernel, in names of the linker, and its functions that are compiled into others.
const MODULE: &str = "nexus_core5trace";
const FUNCTIONS: [&str; 2] = ["trace", "trace_time"];

/// One trace point: the addresses of its instructions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) ranges: Vec<Range<u64>>,
}

/// The trace points of a kernel's file.
pub(super) fn of(file: &[u8]) -> Result<Vec<Point>, String> {
    let ours = |place: &Place| FUNCTIONS.contains(&place.name()) && place.linked().contains(MODULE);
    let points = debug_info::places(file)?.into_iter().filter(ours);
    Ok(points.map(|place| Point { ranges: place.ranges }).collect())
}
