//! A file of a fixture.

trait Door {
    fn open(&self, wide: bool);
}
