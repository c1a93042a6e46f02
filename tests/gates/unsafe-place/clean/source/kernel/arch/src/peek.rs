//! A file of a fixture.

/// Reads one byte.
fn peek(address: *const u8) -> u8 {
    // SAFETY: the caller owns the byte.
    unsafe { *address }
}
