//! Loads and starts programs for those who may.

#![no_std]
