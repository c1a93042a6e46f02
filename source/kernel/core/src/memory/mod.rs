//! Memory: frames, the objects made of them, and how address spaces see them.

pub mod frames;
pub mod irq;
pub mod mapping;
pub mod object;
pub mod table;
