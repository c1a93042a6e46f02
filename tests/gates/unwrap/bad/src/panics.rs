//! A file of a fixture.

fn first(list: &[u8]) -> u8 {
    *list.first().unwrap()
}

fn last(list: &[u8]) -> u8 {
    *list.last().expect("no last")
}
