//! `explain`: which rule says what.

use crate::Failure;
use crate::command::Context;
use crate::system::Explanation;
use alloc::format;
use alloc::string::String;
use nexus_abi::Error;
use nexus_proto::policy::Rule;

/// `explain <service|program> <interface>`
pub(crate) fn explain(context: &mut Context<'_>) -> Result<(), Failure> {
    let [subject, interface] = context.words else {
        return Err(Failure::invalid("explain <service|program> <interface>"));
    };
    let found = context.system.explain(subject, interface).map_err(|error| match error {
        Error::NotFound => Failure::new(error, format!("no service or program `{}`", subject.escape_debug())),
        Error::Invalid => Failure::new(error, "a name is 1 to 24 printable characters"),
        other => Failure::new(other, "no policy"),
    })?;
    let line = told(&found, &subject.escape_debug().collect::<String>(), &interface.escape_debug().collect::<String>());
    context.print(&line);
    Ok(())
}

fn told(found: &Explanation, subject: &str, interface: &str) -> String {
    let Explanation { rule, permits, by } = found;
    match rule {
        Rule::Default => format!("denied, no rule gives {subject} `{interface}`\n"),
        Rule::Own => format!("allowed, `{interface}` is {subject}'s own\n"),
        Rule::Route => format!("allowed, route `{interface}` of {subject} in the manifest, permissions {permits:#x}\n"),
        Rule::Grant => format!("allowed, grant `{interface}` of {subject} in the manifest\n"),
        Rule::Delegation => format!("allowed, {by} lets {subject} have `{interface}`, permissions {permits:#x}\n"),
    }
}
