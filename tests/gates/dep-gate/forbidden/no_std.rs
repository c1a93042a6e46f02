//! A library without std.
#![cfg_attr(not(feature = "std"), no_std)]
