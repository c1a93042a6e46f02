//! A file of a fixture.

fn now() -> u64 {
    #[cfg(target_os = "none")]
    return 1;
    0
}
