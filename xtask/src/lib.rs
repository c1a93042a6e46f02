//! Builds, runs, tests and checks the system from the host.
//!
//! Each module is one subcommand or what several of them share; `main.rs` holds the table that names them.

pub mod bench;
pub mod check;
pub mod coverage;
mod debug_info;
pub mod defects;
pub mod deps;
pub mod diag_os;
pub mod doctor;
pub mod fuzz;
pub mod image;
pub mod limits;
pub mod manifest;
pub mod new_app;
pub mod packages;
pub mod proof;
pub mod run;
pub mod sim;
pub mod suites;
pub mod trace;

use std::path::{Path, PathBuf};

/// The root of the source tree that this tool was built from.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one folder below the root").to_path_buf()
}
