//! The boots that the bench measures in: nobody types, so time leaps over every wait and every figure is the same each time.

use crate::proof::emulator::Machine;
use crate::proof::session::{Session, SessionError};
use crate::proof::variant::Difference;
use crate::proof::with_image;
use std::time::Duration;

const RUN: Duration = Duration::from_secs(240);
/// The program's last line.
pub(super) const END: &str = "bench: end";
/// The service in whose place the bench stands to get what programs do not.
const PLACE: &str = "timed";

/// One hart that counts instructions.
pub(super) fn counting(arguments: &str) -> Machine {
    Machine::default().with("SMP", 1).with("ICOUNT", "shift=0,sleep=off").append(arguments)
}

/// The bench in the proof program's place.
pub(super) fn program() -> Result<Machine, String> {
    with_image(&crate::root(), counting("selftest"), &[instead_of("selftest")])
}

/// The same without its long loop.
pub(super) fn rows() -> Result<Machine, String> {
    with_image(&crate::root(), counting("selftest=selftest,rows"), &[instead_of("selftest")])
}

/// The bench in a service's place: it has the clock's chip, the right to start programs, and another home than its client.
pub(super) fn holder() -> Result<Machine, String> {
    let text = system()?;
    with_image(&crate::root(), counting(""), &[instead_of(PLACE), manifest(&with_more(&text)?)?])
}

/// The machine with both programs of the bench in a home that no other program has.
pub(super) fn moved(machine: &Machine) -> Result<Machine, String> {
    let text = system()?;
    let begins = text.find("name = \"bench\"\n").ok_or("system.toml has no program `bench`")?;
    let changed = format!("{}shard = 3\n{}", &text[..begins], &text[begins..]);
    with_image(&crate::root(), machine.clone(), &[manifest(&changed)?])
}

fn system() -> Result<String, String> {
    let path = crate::root().join("system.toml");
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn manifest(text: &str) -> Result<Difference, String> {
    let resolved = crate::manifest::parse("system.toml", text).map_err(|refusal| refusal.to_string())?;
    let wiring = resolved.wiring.write().map_err(|error| format!("the changed manifest: {error:?}"))?;
    Ok(Difference::Manifest(wiring))
}

fn instead_of(name: &str) -> Difference {
    Difference::Replaced(name.to_string(), "bench".to_string())
}

/// Everything printed up to the program's last line.
pub(super) fn to_the_end(machine: &Machine) -> Result<Vec<String>, String> {
    let text = |error: SessionError| error.to_string();
    let mut session = Session::boot(&crate::root(), machine).map_err(text)?;
    session.wait_for(END, RUN).map_err(text)?;
    Ok(session.transcript().iter().map(|line| line.text.clone()).collect())
}

/// The manifest in which the service may also start programs and open those it started.
fn with_more(text: &str) -> Result<String, String> {
    let begins = text.find(&format!("name = \"{PLACE}\"")).ok_or(format!("system.toml has no service `{PLACE}`"))?;
    let ends = begins + text[begins..].find("\n\n").ok_or(format!("`{PLACE}` is the manifest's last"))?;
    let (before, service, rest) = (&text[..begins], &text[begins..ends], &text[ends..]);
    let grants = "grants = [\"log\"]";
    if !service.contains(grants) {
        return Err(format!("`{PLACE}` has other grants than `{grants}`"));
    }
    let service = service.replacen(grants, "grants = [\"log\", \"spawn\"]", 1);
    Ok(format!("{before}{service}\n\n[service.routes]\nexec = {{ to = \"execd\", may = [\"start\"] }}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_the_service_with_more_is_a_good_one() {
        let text = std::fs::read_to_string(crate::root().join("system.toml")).unwrap();
        assert!(crate::manifest::parse("system.toml", &with_more(&text).unwrap()).is_ok());
    }

    #[test]
    fn a_manifest_without_the_service_or_with_other_grants_is_refused() {
        assert!(with_more("[init]\n").is_err());
        assert!(with_more("name = \"timed\"\ngrants = [\"log\", \"info\"]\n\nrest").is_err());
    }
}
