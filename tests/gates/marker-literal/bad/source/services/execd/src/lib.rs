//! A file of a fixture.

fn proof() {
    println!("SELFTEST: child exit ok");
}
