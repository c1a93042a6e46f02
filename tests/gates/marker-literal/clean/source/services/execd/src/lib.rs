//! A file of a fixture.

/// Prints what becomes `SELFTEST: child exit ok`.
fn nothing() {}

#[cfg(test)]
mod tests {
    const LINE: &str = "SELFTEST: child exit ok";
}
