//! A file of a fixture.

enum Width {
    Gap,
    Wide,
}

trait Door {
    fn open(&self, width: Width) -> bool;
}

fn check(holds: bool, text: &str) {}
