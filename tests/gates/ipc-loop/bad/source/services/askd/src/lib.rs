//! A file of a fixture.

fn until_it_works(endpoint: Handle, message: &Message) {
    while send(endpoint, message).is_err() {}
}

fn until_somebody_lives(client: &mut Client) -> Answer {
    loop {
        match client.ask() {
            Err(Error::PeerClosed) => continue,
            outcome => return outcome,
        }
    }
}

fn until_found(names: &[&str]) {
    for name in names {
        let _ = inbox::find(name);
    }
}

fn until_it_is_gone(client: &mut Client) {
    while client.ask() != Err(Error::PeerClosed) {}
    while matches!(client.ask(), Err(Error::TimedOut)) {}
}
