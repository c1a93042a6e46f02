//! Accounts: where the instructions of a row go, by the log of visits to the kernel that have as many.

use super::reading::{Boot, Readings};
use super::trace::{Account, Run, Seen, Steps};
use super::{boots, trace};

/// A part of a row that is one visit: what the program calls its figure, and the log the visit.
type Part = (&'static str, &'static str);

/// One table each.
const VISITS: [&[Part]; 6] = [
    &[
        ("call", "Call"),
        ("reply and receive", "ReplyRecv"),
        ("call with deadline", "CallUntil"),
        ("reply and receive with deadline", "ReplyRecvUntil"),
    ],
    &[("call, 512 bytes", "CallExtended"), ("reply and receive, 512 bytes", "ReplyRecvExtended")],
    &[("call, queued", "Call"), ("reply and receive, queued", "ReplyRecv")],
    &[("signal, a higher-priority waiter runs", "Notify"), ("yield to another thread", "Yield")],
    &[("page fault, its handler runs", HELD[0]), ("device interrupt, a user thread runs", HELD[1])],
    &[("map one page", "Map"), ("unmap one page", "Unmap")],
];
/// What is read where the bench stands in a service's place. No `ecall` leads there.
const HELD: [&str; 2] = ["fault", "device interrupt"];

/// Rows of many visits, made again and again: from which visit on, up to which one or the first again.
const BIRTHS: [(&str, &str, Option<&str>); 2] = [
    ("thread create, first instruction", "ThreadCreate", Some("Wait")),
    ("start a program, wait, reap", "ProcessCreate", None),
];

/// The tables.
pub(super) fn tables(readings: &Readings) -> Result<String, String> {
    let steps = trace::steps()?;
    let seen = |held| {
        let machine = if held { boots::holder()?.append("selftest=bench,last") } else { boots::rows()? };
        let parts = VISITS.into_iter().flatten().filter(|part| is_held(part) == held);
        let wanted = parts.map(|part| length(readings, part)).collect::<Result<_, _>>()?;
        trace::visits(&Run { machine, until: boots::END }, wanted)
    };
    let (normal, held) = (seen(false)?, seen(true)?);
    let mut tables = Vec::new();
    for parts in VISITS {
        let path = |part: &Part| {
            let key = (part.1.to_owned(), length(readings, part)?);
            let account = if is_held(part) { &held } else { &normal };
            let path = account.paths.get(&key).map(Vec::as_slice);
            path.ok_or_else(|| format!("row `{}`: no visit of {} instructions", part.0, key.1))
        };
        tables.push(visits(parts, &parts.iter().map(path).collect::<Result<Vec<_>, _>>()?, &steps));
    }
    for (row, first, last) in BIRTHS {
        let seen = repeated(&normal, first, last).ok_or_else(|| format!("row `{row}`: not seen again and again"))?;
        tables.push(births(row, readings.values(Boot::Normal, row)?[0], seen)?);
    }
    Ok(tables.join("\n"))
}

fn is_held((_, operation): &Part) -> bool {
    HELD.contains(operation)
}

/// The kernel's instructions of a part.
fn length(readings: &Readings, part: &Part) -> Result<u64, String> {
    match is_held(part) {
        true => Ok(readings.values(Boot::Held, part.0)?[0]),
        false => Ok(readings.values(Boot::Normal, part.0)?[0] - 1),
    }
}

/// What comes twice one behind the other in the same way, the second time.
fn repeated<'a>(account: &'a Account, first: &str, last: Option<&str>) -> Option<&'a [Seen]> {
    let visits = &account.visits;
    let starts: Vec<usize> = (0..visits.len()).filter(|at| visits[*at].operation == first).collect();
    let again = starts.windows(3).find(|at| visits[at[0]..at[1]] == visits[at[1]..at[2]])?;
    let round = &visits[again[1]..again[2]];
    let end = last.map_or(Some(round.len() - 1), |last| round.iter().position(|seen| seen.operation == last))?;
    Some(&round[..=end])
}

/// Steps in the order in which they are met first.
fn visits(parts: &[Part], paths: &[&[u64]], steps: &Steps) -> String {
    let mut rows: Vec<(String, Vec<usize>)> = Vec::new();
    for (column, path) in paths.iter().enumerate() {
        for step in path.iter().map(|address| steps.of(*address)) {
            named(&mut rows, step, || vec![0; parts.len()])[column] += 1;
        }
    }
    let mut text = head("step, kernel alone, instructions", parts.iter().map(|part| part.0));
    rows.iter().for_each(|(name, counts)| text += &line(&format!("`{name}`"), counts.iter().copied()));
    text + &line("all", paths.iter().map(|path| path.len()))
}

/// Operations in the order in which they are met first, and what the programs execute in between.
fn births(row: &str, figure: u64, seen: &[Seen]) -> Result<String, String> {
    let mut rows: Vec<(&str, [u64; 2])> = Vec::new();
    for visit in seen {
        let sums = named(&mut rows, &visit.operation, || [0; 2]);
        *sums = [sums[0] + 1, sums[1] + visit.instructions];
    }
    let sum = |column: usize| rows.iter().map(|(_, sums)| sums[column]).sum::<u64>();
    let own = figure.checked_sub(sum(1)).ok_or_else(|| format!("row `{row}`: the visits alone are longer"))?;
    let mut text = head(row, ["times", "instructions"]);
    rows.iter().for_each(|(name, sums)| text += &line(&format!("`{name}`"), *sums));
    text += &line("the programs' own", [0, own]);
    Ok(text + &line("all", [sum(0), figure]))
}

/// The row of this name, which is the last one if it is new.
fn named<K: PartialEq, V>(rows: &mut Vec<(K, V)>, name: K, empty: impl FnOnce() -> V) -> &mut V {
    let at = rows.iter().position(|(other, _)| *other == name).unwrap_or_else(|| {
        rows.push((name, empty()));
        rows.len() - 1
    });
    &mut rows[at].1
}

fn head<'a>(first: &str, others: impl IntoIterator<Item = &'a str>) -> String {
    let others: Vec<&str> = others.into_iter().collect();
    format!("| {first} | {} |\n|---|{}\n", others.join(" | "), "--:|".repeat(others.len()))
}

fn line<T: Copy + Default + PartialEq + ToString>(first: &str, counts: impl IntoIterator<Item = T>) -> String {
    let cell = |count: T| if count == T::default() { "-".to_owned() } else { count.to_string() };
    format!("| {first} | {} |\n", counts.into_iter().map(cell).collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(visits: &[(&str, u64)]) -> Account {
        let seen = |(operation, instructions): &(&str, u64)| Seen {
            operation: operation.to_string(),
            instructions: *instructions,
        };
        Account { visits: visits.iter().map(seen).collect(), ..Account::default() }
    }

    #[test]
    fn a_round_counts_once_it_came_twice_in_the_same_way() {
        let rounds =
            [("Make", 9), ("Wait", 1), ("Make", 5), ("Wait", 2), ("End", 3), ("Make", 5), ("Wait", 2), ("End", 3)];
        assert_eq!(repeated(&seen(&rounds), "Make", None), None, "nothing says where the second round ends");
        let account = seen(&[&rounds[..], &[("Make", 7)]].concat());
        assert_eq!(repeated(&account, "Make", None), Some(&account.visits[5..8]));
        assert_eq!(repeated(&account, "Make", Some("Wait")), Some(&account.visits[5..7]));
        assert_eq!(repeated(&account, "Make", Some("Never")), None);
    }

    #[test]
    fn what_no_visit_has_is_the_programs() {
        let account = seen(&[("Make", 5), ("Wait", 2), ("Make", 4)]);
        let table = births("row", 20, &account.visits).unwrap();
        let rows = ["| `Make` | 2 | 9 |", "| `Wait` | 1 | 2 |", "| the programs' own | - | 9 |", "| all | 3 | 20 |"];
        assert_eq!(table.lines().skip(2).collect::<Vec<_>>(), rows);
        assert!(births("row", 10, &account.visits).is_err());
    }
}
