//! A file of a fixture.
#![allow(dead_code)]

#[expect(unused)]
fn silent() {}

macro_rules! hidden {
    () => {
        #[allow(missing_docs)]
        fn inner() {}
    };
}
