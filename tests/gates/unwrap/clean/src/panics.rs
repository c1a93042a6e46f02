//! A file of a fixture.

fn first(list: &[u8; 4]) -> u8 {
    *list.first().expect("an array of four has a first")
}

#[cfg(test)]
mod tests {
    #[test]
    fn may_unwrap() {
        super::first(&[1, 2, 3, 4]).checked_add(1).unwrap();
    }
}
