//! `log`: what programs recorded, and what they record from now on.

use crate::command::Context;
use crate::system::{Entry, Query};
use crate::{Cell, Failure, Form, Listing};
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};
use nexus_abi::Error;
use nexus_proto::record::Level;

/// Records that are shown where nobody says how many.
const SHOWN: u32 = 50;

/// Whether the command goes on with what comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    Once,
    On,
}

/// `log [-f] [-n N] [-s service] [-l level] [-j]`
pub(crate) fn log(context: &mut Context<'_>) -> Result<(), Failure> {
    let (form, words) = context.form();
    let (query, goes) = parse(&words)?;
    let out = &mut *context.out;
    let mut show = |entry: &Entry| {
        // A terminal that is gone is no failure of the command.
        let _ = print(entry, form, out);
    };
    let shown = match goes {
        Goes::Once => context.system.records(&query).map(|entries| entries.iter().for_each(&mut show)),
        Goes::On => context.system.follow(&query, &mut show),
    };
    shown.map_err(|error| match (error, &query.sender) {
        (Error::NotFound, Some(name)) => Failure::new(error, format!("no sender `{}`", name.escape_debug())),
        (error, _) => Failure::new(error, "no log"),
    })
}

fn parse(words: &[&str]) -> Result<(Query, Goes), Failure> {
    let usage = || Failure::invalid("log [-f] [-n N] [-s service] [-l level] [-j]");
    let (mut query, mut goes) = (Query { count: SHOWN, level: Level::Trace, sender: None }, Goes::Once);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "-f" {
            goes = Goes::On;
            continue;
        }
        let value = words.next().ok_or_else(usage)?;
        match *word {
            "-n" => query.count = value.parse().map_err(|_| usage())?,
            "-s" => query.sender = Some(String::from(*value)),
            "-l" => query.level = Level::ALL.into_iter().find(|level| level.name() == *value).ok_or_else(usage)?,
            _ => return Err(usage()),
        }
    }
    Ok((query, goes))
}

fn print(entry: &Entry, form: Form, out: &mut dyn Write) -> fmt::Result {
    if form == Form::Columns {
        let (seconds, micros) = (entry.at_us / 1_000_000, entry.at_us % 1_000_000);
        let mut line = format!("{seconds}.{micros:06} {:<5} {}: {}", entry.level.name(), entry.sender, entry.text);
        entry.fields.iter().for_each(|(key, value)| line += &format!(" {key}={value}"));
        // No control byte reaches the terminal.
        let clean = line.chars().map(|character| if character.is_control() { '?' } else { character });
        return writeln!(out, "{}", clean.collect::<String>());
    }
    let fields: String = entry.fields.iter().map(|(key, value)| format!("{key}={value} ")).collect();
    let mut listing = Listing::new(&["number", "at_us", "level", "sender", "pid", "target", "text", "fields"]);
    listing.row([
        Cell::from(entry.number),
        entry.at_us.into(),
        entry.level.name().into(),
        entry.sender.as_str().into(),
        entry.pid.into(),
        entry.target.as_str().into(),
        entry.text.as_str().into(),
        fields.trim_end().into(),
    ]);
    listing.print(form, out)
}
