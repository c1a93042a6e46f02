//! Where the kernel cannot boot: the binary is there and does nothing.

/// Names the function that boots; here nothing does.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        fn main() {}
    };
}
