//! A file of a fixture.

/// An unsafe word in a comment or in "unsafe" text is none.
fn peek(address: *const u8) -> u8 {
    unsafe { *address }
}

macro_rules! hidden {
    ($address:expr) => {
        unsafe { *$address }
    };
}

#[unsafe(no_mangle)]
fn entry() {}
