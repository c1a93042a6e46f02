//! The ladder as data: every line a proof may expect, the services, the features that are built.
//!
//! `tests/boot` is the one place that names these lines; this module only reads it and refuses what contradicts itself.

use super::table::{Row, TableError, rows, words};
use std::collections::BTreeSet;
use std::path::Path;

/// Stands for each row of `services` in a ladder row.
pub const SERVICE: &str = "<svc>";
/// Stands for each CPU but the first in a ladder row.
pub const CPU: &str = "<cpu>";

/// Which boots of a proof print a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This boot, counted from 1.
    Boot(u32),
    /// Each of them.
    Every,
    /// The last one.
    Last,
}

/// One row of the ladder, before its placeholders are filled.
#[derive(Clone, Debug)]
pub struct Rung {
    /// The phase.
    pub phase: String,
    /// The boots that print it.
    pub when: When,
    /// Whose identity the console stamps: `kernel`, `init`, `selftest` or a service's name.
    pub printer: String,
    /// The least number of harts.
    pub least_smp: u32,
    /// The features that must be built.
    pub needs: Vec<String>,
    /// The exact text.
    pub line: String,
}

impl Rung {
    /// Whether the row stands for several lines whose order among themselves is free.
    pub fn is_pattern(&self) -> bool {
        self.line.contains(SERVICE) || self.line.contains(CPU)
    }
}

/// One service: its name and whom it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name, as the console stamps it.
    pub name: String,
    /// Those that must be up before it starts.
    pub calls: Vec<String>,
}

/// The data of `tests/boot`.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    /// The rows, in ladder order.
    pub rungs: Vec<Rung>,
    /// The services, in no order that matters.
    pub services: Vec<Service>,
    /// The features that are built.
    pub built: BTreeSet<String>,
    /// Programs whose user faults belong to the proof.
    pub faults: Vec<String>,
}

impl Ladder {
    /// Reads the files of `folder`.
    pub fn load(folder: &Path) -> Result<Self, String> {
        let text = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let texts = [text("ladder")?, text("services")?, text("built")?, text("faults")?];
        Self::parse(&texts[0], &texts[1], &texts[2], &texts[3]).map_err(|error| error.to_string())
    }

    /// Reads the four files' texts.
    pub fn parse(ladder: &str, services: &str, built: &str, faults: &str) -> Result<Self, TableError> {
        let names = |file, text| -> Result<Vec<String>, TableError> {
            Ok(rows(file, text, 1)?.iter().map(|row| row.columns[0].to_string()).collect())
        };
        Ok(Ladder {
            rungs: parse_rungs(ladder)?,
            services: parse_services(services)?,
            built: names("built", built)?.into_iter().collect(),
            faults: names("faults", faults)?,
        })
    }

    /// The phases, in their order.
    pub fn phases(&self) -> Vec<&str> {
        let mut phases: Vec<&str> = Vec::new();
        for rung in &self.rungs {
            if !phases.contains(&rung.phase.as_str()) {
                phases.push(&rung.phase);
            }
        }
        phases
    }

    /// Whether all features that `needs` names are built; `<svc>` is filled by the caller.
    pub fn has(&self, needs: &[String]) -> bool {
        needs.iter().all(|need| self.built.contains(need))
    }
}

fn parse_rungs(text: &str) -> Result<Vec<Rung>, TableError> {
    let mut rungs: Vec<Rung> = Vec::new();
    for row in rows("ladder", text, 6)? {
        let rung = parse_rung(&row)?;
        if rungs.iter().any(|other| other.line == rung.line) {
            return Err(row.error(format!("`{}` stands twice", rung.line)));
        }
        if rungs.last().is_some_and(|last| last.phase != rung.phase)
            && rungs.iter().any(|other| other.phase == rung.phase)
        {
            return Err(row.error(format!("phase `{}` is torn apart", rung.phase)));
        }
        rungs.push(rung);
    }
    Ok(rungs)
}

fn parse_rung(row: &Row<'_>) -> Result<Rung, TableError> {
    let [phase, boot, printer, smp, needs, line] = row.columns[..] else {
        return Err(row.error("not six columns"));
    };
    let when = match boot {
        "every" => When::Every,
        "last" => When::Last,
        number => match number.parse() {
            Ok(number) if number > 0 => When::Boot(number),
            _ => return Err(row.error(format!("boot `{boot}`"))),
        },
    };
    let least_smp = smp.parse().map_err(|_| row.error(format!("smp `{smp}`")))?;
    if !prefixes(printer).iter().any(|prefix| line.starts_with(prefix)) {
        return Err(row.error(format!("`{line}` does not begin as a line of `{printer}` does")));
    }
    let needs = words(needs);
    if phase.is_empty() || needs.is_empty() {
        return Err(row.error("a row names its phase and what it needs"));
    }
    let (phase, printer, line) = (phase.to_string(), printer.to_string(), line.to_string());
    Ok(Rung { phase, when, printer, least_smp, needs, line })
}

/// What the console stamps in front of a printer's lines.
fn prefixes(printer: &str) -> Vec<String> {
    match printer {
        "kernel" => vec!["KINIT: ".to_string(), "KSELFTEST: ".to_string()],
        "selftest" => vec!["SELFTEST: ".to_string()],
        name => vec![format!("{name}: ")],
    }
}

fn parse_services(text: &str) -> Result<Vec<Service>, TableError> {
    let mut services: Vec<Service> = Vec::new();
    let table = rows("services", text, 2)?;
    for row in &table {
        let (name, calls) = (row.columns[0].to_string(), words(row.columns[1]));
        if services.iter().any(|service| service.name == name) {
            return Err(row.error(format!("`{name}` stands twice")));
        }
        if let Some(stranger) = calls.iter().find(|callee| !table.iter().any(|row| row.columns[0] == **callee)) {
            return Err(row.error(format!("`{stranger}` is no service")));
        }
        services.push(Service { name, calls });
    }
    Ok(services)
}

#[cfg(test)]
#[path = "ladder_tests.rs"]
mod tests;
