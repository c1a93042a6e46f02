//! What `policy` promises to those who delegate, and to those who have nothing.

use nexus_abi::{Error, Name, ServiceId};
use nexus_ipc::Transport;

use super::{Kept, malformed};
use crate::policy::{self, Client, Rule};

/// What the check is made with: the caller has a route of this name in the manifest, the program has none.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The caller.
    pub own: ServiceId,
    /// A program that the manifest gives no such route.
    pub program: ServiceId,
    /// Its name there.
    pub program_name: Name,
    /// The route.
    pub interface: Name,
    /// What the caller has of it.
    pub permits: u64,
    /// A permission of it that the caller has not.
    pub more: u64,
    /// Somebody who has what the caller has not.
    pub other: ServiceId,
}

fn delegations<T: Transport>(client: &mut Client<T>) -> usize {
    (0..).take_while(|&index| client.delegation(index).is_ok()).count()
}

/// What the manifest gives is allowed and explained; what a holder delegates is too, for as long as it is.
pub fn allowed<T: Transport>(caller: T, case: &Case) -> Kept {
    let mut client = Client::new(caller);
    let decided = client.decide(case.own, case.interface, case.permits).map(|decided| decided.rule);
    promise!(decided == Ok(Rule::Route as u8), "a route of the manifest is allowed, and says so");
    promise!(client.delegate(case.program, case.interface, case.permits).is_ok(), "who has a route can delegate it");
    promise!(client.delegate(case.program, case.interface, case.permits).is_ok(), "delegating again means the same");
    let explained = client.explain(case.program_name, case.interface);
    let told = explained
        .is_ok_and(|told| told.rule == Rule::Delegation as u8 && told.permits == case.permits && told.by == case.own);
    promise!(told, "a delegation is explained by who gave it");
    Ok(())
}

/// After [`allowed`]: what was delegated is taken back, and then denied by default.
pub fn denied<T: Transport>(caller: T, case: &Case) -> Kept {
    let mut client = Client::new(caller);
    promise!(client.revoke(case.program, case.interface).is_ok(), "who delegated can take back");
    let explained = client.explain(case.program_name, case.interface).map(|told| (told.rule, told.permits));
    promise!(explained == Ok((Rule::Default as u8, 0)), "what no rule allows is denied by default");
    let again = client.revoke(case.program, case.interface).err();
    promise!(again == Some(Error::NotFound), "what was not given cannot be taken back");
    let widened = client.delegate(case.program, case.interface, case.permits | case.more).err();
    promise!(widened == Some(Error::Permission), "nobody delegates what it has not");
    let own = client.decide(case.own, case.interface, case.permits | case.more).err();
    promise!(own == Some(Error::Permission), "a permission that no rule gives is denied");
    promise!(delegations(&mut client) == 0, "what was refused left nothing");
    Ok(())
}

/// A caller is who the kernel says, whatever its message names.
pub fn spoofed<T: Transport>(caller: T, case: &Case) -> Kept {
    let mut client = Client::new(caller);
    let asked = client.decide(case.other, case.interface, case.permits).err();
    promise!(asked == Some(Error::Permission), "who may not ask about others is refused");
    let kernel = client.decide(ServiceId::KERNEL, case.interface, case.permits).err();
    promise!(kernel == Some(Error::Permission), "nor about the kernel");
    let forged = client.delegate(case.other, case.interface, case.permits).err();
    promise!(forged == Some(Error::Permission), "a service is given nothing at run time");
    promise!(client.decide(case.own, case.interface, case.permits).is_ok(), "about itself everybody may ask");
    promise!(delegations(&mut client) == 0, "what was refused left nothing");
    Ok(())
}

/// Requests that are none, names of nobody, permissions that do not exist, a caller whose handle permits nothing.
pub fn hardened<T: Transport, D: Transport>(mut caller: T, powerless: D, case: &Case) -> Kept {
    malformed(&mut caller, policy::NAME, policy::METHODS)?;
    let mut client = Client::new(caller);
    let wide = client.decide(case.own, case.interface, u64::MAX).err();
    promise!(wide == Some(Error::Invalid), "a permission that no interface has is EINVAL");
    let wide = client.delegate(case.program, case.interface, 1 << 63).err();
    promise!(wide == Some(Error::Invalid), "nor can it be delegated");
    let nobody = client.delegate(ServiceId(2), case.interface, case.permits).err();
    promise!(nobody == Some(Error::NotFound), "nobody is given nothing");
    let unknown = client.explain(Name::default(), case.interface).err();
    promise!(unknown == Some(Error::NotFound), "nobody is called nothing");
    let nothing = client.delegate(case.program, Name::default(), 0).err();
    promise!(nothing == Some(Error::Permission), "a route that the caller has not cannot be delegated");
    promise!(client.delegation(u32::MAX).err() == Some(Error::NotFound), "delegations have an end");
    promise!(delegations(&mut client) == 0, "what was refused left nothing");
    let mut stranger = Client::new(powerless);
    let refused = [
        stranger.delegate(case.program, case.interface, case.permits).err(),
        stranger.revoke(case.program, case.interface).err(),
        stranger.explain(case.program_name, case.interface).err(),
        stranger.delegation(0).err(),
    ];
    promise!(refused.iter().all(|error| *error == Some(Error::Permission)), "who has no permission gets EPERM");
    Ok(())
}
