//! The interfaces of the system, each declared once.

#![no_std]
