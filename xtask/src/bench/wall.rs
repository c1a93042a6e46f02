//! Pairs on several harts by the host's clock, and on request the same of Linux: for people, no page holds it.
//!
//! Linux runs on the same machine from the same script, between two runs of ours, so that a host that is busy is seen: then
//! our two runs differ. It is Debian's kernel with one program, `tests/peers/linux.c`, which prints rows by the same names.

use super::boots;
use crate::proof::emulator::Machine;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

const HARTS: [u32; 2] = [2, 4];
const SCRIPT: &str = "scripts/linux-peer.sh";
/// Where the script puts Linux.
const PARTS: &str = "build/linux";
const CONSOLE: &str = "console=ttyS0 quiet";
/// How a row of ours ends where loops that only count did not gain enough.
const BUSY: &str = "not run: host busy";
/// Of a file that may be executed, in an archive.
const PROGRAM: u32 = 0o100_755;

/// Prints our rows.
pub(super) fn ours() -> Result<(), String> {
    crate::run::build()?;
    for harts in HARTS {
        pairs(harts)?.iter().for_each(|row| println!("{harts} harts | {row}"));
    }
    Ok(())
}

/// Prints our rows with Linux's beside them, on as many harts as the host has CPUs for.
pub(super) fn beside_linux() -> Result<(), String> {
    crate::run::build()?;
    let host = available_parallelism().map_err(|error| error.to_string())?.get() as u32;
    let archive = match linux() {
        Ok(archive) => archive,
        Err(reason) => {
            println!("not run: {reason}");
            return Ok(());
        }
    };
    for harts in HARTS {
        if harts > host {
            println!("{harts} harts | not run: the host has {host} CPUs");
            continue;
        }
        let before = pairs(harts)?;
        let theirs = rows(&machine(harts, &archive))?;
        let after = pairs(harts)?;
        table(&before, &theirs, &after).iter().for_each(|row| println!("{harts} harts | {row}"));
    }
    Ok(())
}

fn pairs(harts: u32) -> Result<Vec<String>, String> {
    rows(&Machine::default().with("SMP", harts).append(&format!("selftest=bench,wall,{harts}")))
}

fn rows(machine: &Machine) -> Result<Vec<String>, String> {
    let lines = boots::to_the_end(machine)?;
    Ok(lines.iter().filter_map(|line| line.split_once("wall: ").map(|(_, row)| row.to_string())).collect())
}

/// Makes what Linux boots from: the path of the archive with its program. Why not, where that cannot be.
fn linux() -> Result<String, String> {
    let root = crate::root();
    let made = Command::new(root.join(SCRIPT)).output().map_err(|error| format!("{SCRIPT}: {error}"))?;
    if !made.status.success() {
        let text = String::from_utf8_lossy(&made.stderr);
        return Err(text.lines().last().unwrap_or(SCRIPT).to_string());
    }
    let parts = root.join(PARTS);
    let archive = parts.join("archive");
    let told = |path: &Path| path.display().to_string();
    let program = std::fs::read(parts.join("init")).map_err(|error| format!("{}: {error}", told(&parts)))?;
    std::fs::write(&archive, archived(&program)).map_err(|error| format!("{}: {error}", told(&archive)))?;
    Ok(told(&archive))
}

fn machine(harts: u32, archive: &str) -> Machine {
    let kernel = crate::root().join(PARTS).join("kernel").display().to_string();
    Machine::default().with("SMP", harts).with("KERNEL", kernel).with("IMAGE", archive).append(CONSOLE)
}

/// The archive that Linux unpacks before it starts `init`: cpio in its "newc" form (Linux, `initramfs-buffer-format`).
fn archived(program: &[u8]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, mode, data) in [("init", PROGRAM, program), ("TRAILER!!!", 0, &[][..])] {
        let header = [1, mode, 0, 0, 1, 0, data.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
        archive.extend(b"070701");
        header.iter().for_each(|field| archive.extend(format!("{field:08x}").bytes()));
        archive.extend(name.bytes());
        archive.push(0);
        pad(&mut archive);
        archive.extend(data);
        pad(&mut archive);
    }
    archive
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

/// Row by row: ours, Linux's, ours again, and how many times ours theirs is, by the slower of ours. On a host that was busy
/// whoever spins for a lock spins for milliseconds: then nothing is said.
fn table(before: &[String], theirs: &[String], after: &[String]) -> Vec<String> {
    let theirs: BTreeMap<_, _> = theirs.iter().filter_map(|row| nanoseconds(row)).collect();
    let again: BTreeMap<_, _> = after.iter().filter_map(|row| nanoseconds(row)).collect();
    let busy = before.iter().chain(after).any(|row| row.ends_with(BUSY));
    let with_both = |row: &String| {
        let (name, first) = nanoseconds(row)?;
        let (linux, second) = (*theirs.get(name)?, *again.get(name)?);
        let tenths = 10 * linux / first.max(second).max(1);
        let ratio = if busy { BUSY.to_string() } else { format!("{}.{} times ours", tenths / 10, tenths % 10) };
        Some(format!("{name} | ours {first} ns | Linux {linux} ns | ours {second} ns | {ratio}"))
    };
    before.iter().map(|row| with_both(row).unwrap_or_else(|| row.clone())).collect()
}

/// The name and the figure of a row.
fn nanoseconds(row: &str) -> Option<(&str, u64)> {
    let (name, figure) = row.split_once(" | ")?;
    Some((name, figure.strip_suffix(" ns")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_row_stands_beside_that_of_the_same_name_and_is_judged_by_our_slower_run() {
        let ours = rows(&["round trip | 100 ns", "pairs | 180 %", "wake | 7 ns"]);
        let linux = rows(&["wake | 21 ns", "round trip | 250 ns"]);
        let again = rows(&["round trip | 200 ns", "pairs | 181 %"]);
        let expected =
            ["round trip | ours 100 ns | Linux 250 ns | ours 200 ns | 1.2 times ours", "pairs | 180 %", "wake | 7 ns"];
        assert_eq!(table(&ours, &linux, &again), rows(&expected));
    }

    #[test]
    fn nothing_is_compared_where_our_loops_found_a_busy_host() {
        let again = rows(&["wake | 8 ns", "two pairs | 99 % | loops 101 % | not run: host busy"]);
        let expected = ["wake | ours 7 ns | Linux 21 ns | ours 8 ns | not run: host busy"];
        assert_eq!(table(&rows(&["wake | 7 ns"]), &rows(&["wake | 21 ns"]), &again), rows(&expected));
    }

    #[test]
    fn the_archive_holds_the_program_and_the_end_each_at_a_multiple_of_four() {
        let archive = archived(b"abcde");
        let text = String::from_utf8(archive).unwrap();
        assert_eq!(&text[..14], "07070100000001");
        assert_eq!(&text[14..22], "000081ed");
        assert_eq!(&text[54..62], "00000005");
        assert_eq!(&text[94..102], "00000005");
        assert_eq!(&text[110..124], "init\0\0abcde\0\0\0");
        assert_eq!(&text[124..130], "070701");
        assert!(text[124..].contains("TRAILER!!!\0"));
        assert_eq!(text.len() % 4, 0);
    }
}
