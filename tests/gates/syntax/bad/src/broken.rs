//! A file that is no Rust.

fn broken() -> u8 {
    1 + ;
}
