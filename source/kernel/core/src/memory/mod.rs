//! Memory: frames, the objects made of them, and how address spaces see them.

pub mod destroy;
pub mod frames;
pub mod irq;
pub mod map;
pub mod mapping;
pub mod object;
mod stash;
pub mod tree;
pub mod window;

pub(crate) use stash::Stash;

#[cfg(test)]
#[path = "tests/bench.rs"]
pub(crate) mod bench;
#[cfg(test)]
mod broken_tests;
#[cfg(test)]
mod destroy_tests;
#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod map_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod object_tests;
