//! A file of a fixture.

#[cfg(target_os = "none")]
mod kernel;

fn now() -> u64 {
    if cfg!(target_arch = "riscv64") { 1 } else { 0 }
}

#[cfg(feature = "trace")]
fn trace() {}
