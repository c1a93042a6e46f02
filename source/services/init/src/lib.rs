//! Starts what the manifest says and restarts what dies.

#![no_std]
