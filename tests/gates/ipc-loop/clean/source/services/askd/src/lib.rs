//! A file of a fixture.

fn once(client: &mut Client, parts: &[u8]) -> Result<(), Error> {
    for part in parts.iter().find(|part| **part != 0) {
        client.write(*part)?;
    }
    match client.close() {
        Err(Error::PeerClosed) => Ok(()),
        outcome => outcome,
    }
}

fn refuse_all(waiting: &mut Vec<Ticket>, port: &mut dyn Port) {
    for ticket in waiting.drain(..) {
        let _ = ticket.answer(port, Err(Error::TimedOut));
    }
}
