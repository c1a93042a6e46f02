//! The account as tables.

use super::account::{Account, Lengths, Lock};
use super::record::{Counts, Way};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Operations that have a row of their own; the others share one.
const SHOWN: usize = 12;
/// Locks by a part of the symbol around a place that takes them. What is named nowhere is a shard.
const LOCKS: [(&str, &str); 4] = [
    ("6frames6Frames", "frames"),
    ("4time", "timers of the CPU"),
    ("3log4Ring", "console ring"),
    ("8requests", "interrupt controller"),
];
/// One way of a message: what the log calls it, how it goes, what the table calls it.
const WAYS: [(&str, Way, &str); 8] = [
    ("Call", Way::Straight, "call"),
    ("ReplyRecv", Way::Straight, "reply and receive"),
    ("CallUntil", Way::Straight, "call with deadline"),
    ("ReplyRecvUntil", Way::Straight, "reply and receive with deadline"),
    ("Call", Way::Detour, "call, detour, shortest"),
    ("ReplyRecv", Way::Detour, "reply and receive, detour, shortest"),
    ("Call", Way::General, "call, general path, shortest"),
    ("ReplyRecv", Way::General, "reply and receive, general path, shortest"),
];

/// All tables. `shared`: per mille of a pair's instructions with a lock held that another pair takes too.
pub(super) fn text(account: &Account, shared: u64) -> String {
    let shared = format!(
        "| two pairs with homes of their own | share | must |\n|---|--:|--:|\n\
         | kernel instructions of a round trip with a lock held that the other pair takes too | {}.{} % | 10 % |\n",
        shared / 10,
        shared % 10
    );
    format!("{}\n{}\n{}\n{}\n{shared}", ways(account), deaf(account), locks(account), holds(account))
}

fn ways(account: &Account) -> String {
    let mut text = String::from(
        "| one way, kernel alone | instructions | loads | stores | atomics | control registers | `satp` writes | fences |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (operation, way, name) in WAYS {
        let Some([least, most]) = account.ways.get(&(operation.to_owned(), way)) else { continue };
        let most = if way == Way::Straight { most } else { least };
        let cell = |of: fn(&Counts) -> u64| match (of(least), of(most)) {
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            cell(|counts| counts.instructions),
            cell(|counts| counts.loads),
            cell(|counts| counts.stores),
            cell(|counts| counts.atomics),
            cell(|counts| counts.registers),
            cell(|counts| counts.satp),
            cell(|counts| counts.fences)
        );
    }
    text
}

/// The longest first.
fn deaf(account: &Account) -> String {
    let head = "| without a look for interrupts, instructions | times | mean | longest |";
    longest_first(head, &account.deaf)
}

fn longest_first(head: &str, lengths: &BTreeMap<String, Lengths>) -> String {
    let mut rows: Vec<_> = lengths.iter().collect();
    rows.sort_by_key(|(name, lengths)| (u64::MAX - lengths.longest, *name));
    let mut text = format!("{head}\n|---|--:|--:|--:|\n");
    let mut row = |name: &str, lengths: &Lengths| {
        let _ = writeln!(text, "| {name} | {} | {} | {} |", lengths.times, lengths.mean(), lengths.longest);
    };
    rows.iter().take(SHOWN).for_each(|(name, lengths)| row(name, lengths));
    let rest = rows.get(SHOWN..).unwrap_or_default();
    if !rest.is_empty() {
        row(&format!("{} others", rest.len()), &merged(rest.iter().map(|(_, lengths)| *lengths)));
    }
    text
}

fn merged<'a>(lengths: impl Iterator<Item = &'a Lengths>) -> Lengths {
    lengths.fold(Lengths::default(), |mut sum, lengths| {
        sum.merge(lengths);
        sum
    })
}

/// One row a lock, shards in the order of their addresses, which is that of their numbers.
fn locks(account: &Account) -> String {
    let mut text = String::from("| lock held, instructions | times | mean | longest | in |\n|---|--:|--:|--:|---|\n");
    let mut shards = 0;
    for lock in account.locks.values() {
        let name = known(lock).map_or_else(
            || {
                shards += 1;
                format!("shard {}", shards - 1)
            },
            str::to_owned,
        );
        let all = merged(counted(lock).map(|(_, lengths)| lengths));
        let longest = counted(lock).find(|(_, lengths)| lengths.longest == all.longest);
        let inside = longest.map_or("", |(operation, _)| operation);
        let _ = writeln!(text, "| {name} | {} | {} | {} | {inside} |", all.times, all.mean(), all.longest);
    }
    text
}

fn known(lock: &Lock) -> Option<&'static str> {
    let named = |part: &str| lock.sites.iter().any(|site| site.contains(part));
    LOCKS.iter().find_map(|(part, name)| named(part).then_some(*name))
}

fn counted(lock: &Lock) -> impl Iterator<Item = (&str, &Lengths)> {
    lock.holds.iter().map(|(name, lengths)| (name.as_str(), lengths))
}

/// The same by operation, over all locks.
fn holds(account: &Account) -> String {
    let mut by_operation: BTreeMap<String, Lengths> = BTreeMap::new();
    for (operation, lengths) in account.locks.values().flat_map(counted) {
        by_operation.entry(operation.to_owned()).or_default().merge(lengths);
    }
    longest_first("| any lock held, by operation, instructions | times | mean | longest |", &by_operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(longest: u64) -> Lengths {
        Lengths { times: 2, sum: longest + 2, longest }
    }

    #[test]
    fn the_longest_stands_first_and_the_rest_shares_a_row() {
        let all = (0..20).map(|number| (format!("call {number:02}"), lengths(100 + number))).collect();
        let text = longest_first("| head |", &all);
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!((rows.len(), rows[0], rows[12]), (13, "| call 19 | 2 | 60 | 119 |", "| 8 others | 16 | 52 | 107 |"));
    }

    #[test]
    fn shards_are_numbered() {
        let lock =
            |site: &str| Lock { holds: [("Map".to_owned(), lengths(9))].into(), sites: [site.to_owned()].into() };
        let locks = [(8, lock("a")), (12, lock("b")), (4, lock("_6frames6Frames8allocate"))].into();
        let text = text(&Account { locks, ..Account::default() }, 12);
        for row in ["| frames | 2 | 5 | 9 | Map |", "| shard 0 | 2 | 5 | 9 | Map |", "| shard 1 | 2 | 5 | 9 | Map |"] {
            assert!(text.contains(row), "{text}");
        }
        assert!(!text.contains("99") && text.contains(" 1.2 % "));
    }
}
