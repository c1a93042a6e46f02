//! The text of the page.
//!
//! A table a section, one row a bound: value, unit, what it bounds, and where it stands. Behind them the tables of the ABI, whose
//! numbers are taken from the crate that kernel and programs share and whose texts are its documentation.

use super::source::{Numbered, Source};
use super::table::{Bound, SECTIONS};
use super::value;
use crate::manifest::Resolved;
use nexus_abi::error::Fault;
use nexus_abi::{Error, Kind, QosClass, Quota};
use std::fmt::Write as _;

const OPENING: &str = "# Bounds, values and error codes

Generated from the source by `cargo xtask limits`; a host test fails where this page and the source differ. Change the constant, not the
page. *Where* is the file that holds the constant, or that the table was read from.
";

const HANDLE: &str = "
A handle is 64 bits, never 0: the slot's index in bits 63 to 52, the shard in bits 51 to 48, the generation in bits 47 to 0, from 1.
";

const ERRORS: &str = "
A system call returns the number in `t0`, an interface in a reply word; 0 is success. Numbers are never given again. The fault says who has to
change something before the same request can succeed: the caller, its peer, or the system. A refused request changed nothing. The shell has further NAMEs, for how programs end: [interface](interface.md).
";

const OTHER_STATUSES: &str = "
Every other status is somebody's choice: see [the interface](interface.md). That of a program is what its `main` returned, or:
";

/// The whole page.
pub(super) fn text(source: &Source<'_>, manifest: &Resolved) -> Result<String, String> {
    let mut page = OPENING.to_owned();
    for section in SECTIONS {
        heading(&mut page, section.title);
        if section.title.starts_with("Handles") {
            page += HANDLE;
        }
        bounds(&mut page, source, section.bounds)?;
    }
    tables(&mut page, source)?;
    quota(&mut page, source, manifest)?;
    restarts(&mut page, manifest);
    errors(&mut page, source)?;
    kinds(&mut page, source)?;
    statuses(&mut page, source)?;
    Ok(page)
}

/// One line. Writing into a string cannot fail.
fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(page, "{text}");
}

fn heading(page: &mut String, title: &str) {
    line(page, format_args!("\n## {title}"));
}

fn columns(page: &mut String, names: &str) {
    line(page, format_args!("\n{names}"));
    line(page, format_args!("|{}", "---|".repeat(names.matches('|').count() - 1)));
}

fn bounds(page: &mut String, source: &Source<'_>, list: &[Bound]) -> Result<(), String> {
    columns(page, "| value | unit | what | where |");
    for bound in list {
        let constant = source.constant(bound.path, bound.name)?;
        let value = value::of(source, constant)?;
        let shown = if bound.unit == "address" { format!("{value:#x}") } else { grouped(value) };
        let about = described(&constant.about, bound.path, bound.name)?;
        let (name, path) = (bound.name, bound.path);
        line(page, format_args!("| {shown} | {} | {about} | `{name}` in {} |", bound.unit, link(path)));
    }
    Ok(())
}

/// The tables that grow with RAM.
const SCALED: [&str; 9] =
    ["PROCESSES", "THREADS", "ENDPOINTS", "MESSAGES", "NOTIFICATIONS", "MEMORIES", "MAPPINGS", "TIMERS", "SLOT_BLOCKS"];

/// The tables of kernel objects, for the smallest and the largest machine.
fn tables(page: &mut String, source: &Source<'_>) -> Result<(), String> {
    const PLAN: &str = "source/kernel/arch/src/plan.rs";
    let most = value::of(source, source.constant(PLAN, "MAX_SCALE")?)?;
    let step = value::of(source, source.constant(PLAN, "SCALE_BYTES")?)?;
    heading(page, "Kernel tables");
    line(page, format_args!("\nSized by RAM at boot; {}. They bound all processes together.", link(PLAN)));
    let full = (most * step) >> 20;
    columns(page, &format!("| smallest machine | {full} MiB and more | what |"));
    for (name, most) in SCALED.map(|name| (name, most)).into_iter().chain([("LOG_WORDS", 1)]) {
        let constant = source.constant(PLAN, name)?;
        let (least, about) = (value::of(source, constant)?, described(&constant.about, PLAN, name)?);
        line(page, format_args!("| {} | {} | {about} |", grouped(least), grouped(most * least)));
    }
    Ok(())
}

fn quota(page: &mut String, source: &Source<'_>, manifest: &Resolved) -> Result<(), String> {
    const PATH: &str = "source/libs/nexus-abi/src/quota.rs";
    heading(page, "Quota of a process");
    line(page, format_args!("\nCarved from the creator's, given back when the process is reaped; {}.", link(PATH)));
    columns(page, "| field | representable | what `system.toml` gives away | what |");
    let rows = source.rows(PATH, "quota")?;
    paired(&rows, Quota::NAMES.iter().copied(), PATH)?;
    // Every bit pattern is a quota, so the pattern of ones is the largest.
    let largest = Quota::from_words([u64::MAX; 3]).values();
    for ((row, most), given) in rows.iter().zip(largest).zip(manifest.capacity.values()) {
        let (most, given) = (grouped(most.into()), grouped(given.into()));
        line(page, format_args!("| `{}` | {most} | {given} | {} |", row.name, described(&row.about, PATH, &row.name)?));
    }
    Ok(())
}

fn restarts(page: &mut String, manifest: &Resolved) {
    let backoff = manifest.wiring.backoff;
    heading(page, "Restart of services");
    line(page, format_args!("\nFrom `[restart]` of [`system.toml`](../system.toml)."));
    columns(page, "| value | unit | what |");
    line(page, format_args!("| {} | ms | Wait before the first restart; doubled each time. |", backoff.first_ms));
    line(page, format_args!("| {} | ms | Longest wait. |", grouped(backoff.most_ms.into())));
    line(page, format_args!("| {} | ends | Within the window: the service is given up. |", backoff.limit));
    line(page, format_args!("| {} | ms | The window. |", grouped(backoff.window_ms.into())));
}

fn errors(page: &mut String, source: &Source<'_>) -> Result<(), String> {
    const PATH: &str = "source/libs/nexus-abi/src/error.rs";
    heading(page, "Errors");
    page.push_str(ERRORS);
    columns(page, "| number | name | fault | text |");
    let rows = source.rows(PATH, "errors")?;
    paired(&rows, Error::ALL.iter().map(|error| format!("{error:?}")), PATH)?;
    for (row, error) in rows.iter().zip(Error::ALL) {
        let fault = match error.fault() {
            Fault::Caller => "caller",
            Fault::Peer => "peer",
            Fault::System => "system",
        };
        let about = described(&row.about, PATH, &row.name)?;
        let unused = if source.names_variant("Error", &row.name) { "" } else { " Nothing returns it yet." };
        line(page, format_args!("| {} | `{}` | {fault} | {about}{unused} |", error.number(), error.name()));
    }
    Ok(())
}

fn kinds(page: &mut String, source: &Source<'_>) -> Result<(), String> {
    const KINDS: &str = "source/libs/nexus-abi/src/kind.rs";
    const CLASSES: &str = "source/libs/nexus-abi/src/qos.rs";
    heading(page, "Kinds of object");
    columns(page, "| number | name | what |");
    let rows = source.rows(KINDS, "kinds")?;
    paired(&rows, Kind::ALL.iter().map(|kind| format!("{kind:?}")), KINDS)?;
    for (row, kind) in rows.iter().zip(Kind::ALL) {
        let about = described(&row.about, KINDS, &row.name)?;
        line(page, format_args!("| {} | `{}` | {about} |", *kind as u8, kind.name()));
    }
    heading(page, "QoS classes");
    columns(page, "| number | name | what |");
    let rows = source.variants(CLASSES, "QosClass")?;
    paired(&rows, QosClass::ALL.iter().map(|class| format!("{class:?}")), CLASSES)?;
    for (row, class) in rows.iter().zip(QosClass::ALL) {
        let about = described(&row.about, CLASSES, &row.name)?;
        line(page, format_args!("| {} | `{}` | {about} |", class as u8, class.name()));
    }
    Ok(())
}

fn statuses(page: &mut String, source: &Source<'_>) -> Result<(), String> {
    const PATH: &str = "source/kernel/arch/src/power.rs";
    const PROGRAMS: [(&str, &str); 2] = [
        ("userspace/nexus-rt/src/program.rs", "PANIC_STATUS"),
        ("source/apps/shell/src/machine/services.rs", "KILLED"),
    ];
    heading(page, "Exit statuses");
    line(page, format_args!("\nOf the machine, when the kernel ends it; {}.", link(PATH)));
    columns(page, "| status | why |");
    for row in source.variants(PATH, "Status")? {
        line(page, format_args!("| {} | {} |", row.number, described(&row.about, PATH, &row.name)?));
    }
    page.push_str(OTHER_STATUSES);
    columns(page, "| status | why | where |");
    for (path, name) in PROGRAMS {
        let constant = source.constant(path, name)?;
        let (value, about) = (value::of(source, constant)?, described(&constant.about, path, name)?);
        line(page, format_args!("| {value} | {about} | `{name}` in {} |", link(path)));
    }
    Ok(())
}

/// The rows that were read are those that the crate has, in the same order.
fn paired<T: AsRef<str>>(rows: &[Numbered], names: impl Iterator<Item = T>, path: &str) -> Result<(), String> {
    let same = rows.iter().map(|row| row.name.clone()).eq(names.map(|name| name.as_ref().to_owned()));
    if same { Ok(()) } else { Err(format!("{path}: its table was read wrongly")) }
}

fn described<'a>(about: &'a str, path: &str, name: &str) -> Result<&'a str, String> {
    if about.is_empty() || about.contains('|') {
        return Err(format!("{path}: `{name}` needs a documentation that fits a table"));
    }
    Ok(about)
}

fn link(path: &str) -> String {
    let short = path.strip_prefix("source/").or_else(|| path.strip_prefix("userspace/")).unwrap_or(path);
    format!("[{}](../{path})", short.replace("/src/", "/"))
}

/// In groups of three digits.
fn grouped(value: u128) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
