//! Boot: the first process.

use crate::Kernel;
use core::ops::Range;
use nexus_abi::{Error, image::Image};

/// What init is made from.
#[derive(Clone, Debug)]
pub struct First<'a> {
    /// The checked boot image.
    pub image: Image<'a>,
    /// Where it is in physical memory, page-aligned.
    pub image_range: Range<u64>,
    /// Where the device tree is in physical memory, page-aligned.
    pub device_tree: Range<u64>,
}

impl Kernel {
    /// Makes init from its pre-laid segments, gives it the root capabilities, and makes it ready on CPU 0.
    pub fn start_first(&'static self, first: &First, now: u64) -> Result<(), Error> {
        let _ = (first, now);
        Err(Error::NoCall)
    }
}
