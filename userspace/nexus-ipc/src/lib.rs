//! Typed clients and servers over a transport.

#![no_std]
