//! Runs the simulator: one seed again, or many, in parts that a long run can go on from.
//!
//! The simulator is a test of `tests/sim`. It leaks a kernel with each seed, so that many seeds are spread over processes,
//! one for each CPU of the host at a time.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: cargo xtask sim [--seed N | --seeds N [--slices MINUTES]] [--events N] [--look N]";

/// Seeds of one process.
const PART: u64 = 500;
/// Seeds of a run that names none.
const SEEDS: u64 = 200;
/// Events of trouble that a seed has.
const EVENTS: u64 = 10_000;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Order {
    first: u64,
    end: u64,
    events: u64,
    /// Events from one look at every invariant to the next.
    look: u64,
    /// How long to go on; the next run goes on where this one stops. None: to the end, from the beginning.
    within: Option<Duration>,
}

impl Order {
    fn read(args: &[String]) -> Result<Order, String> {
        let mut order = Order { first: 1, end: 1 + SEEDS, events: EVENTS, look: 1, within: None };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let text = args.next().ok_or_else(|| format!("`{arg}` wants a number"))?;
            let number = text.parse::<u64>().map_err(|_| format!("`{text}` is no number"))?;
            match arg.as_str() {
                "--seed" => (order.first, order.end) = (number, number.saturating_add(1)),
                "--seeds" => (order.first, order.end) = (1, number.saturating_add(1)),
                "--events" => order.events = number,
                "--look" if number > 0 => order.look = number,
                "--slices" => order.within = Some(Duration::from_secs(number.saturating_mul(60))),
                other => return Err(format!("`{other}` is unknown")),
            }
        }
        Ok(order)
    }
}

/// The subcommand.
pub fn main(args: &[String]) -> ExitCode {
    let order = match Order::read(args) {
        Ok(order) => order,
        Err(error) => {
            eprintln!("sim: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(order: &Order) -> Result<(), String> {
    let start = Instant::now();
    let mut next = if order.within.is_some() { reached(order) } else { order.first };
    let at_once = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    while next < order.end && order.within.is_none_or(|within| start.elapsed() < within) {
        let end = order.end.min(next + at_once * PART);
        parts(next, end, order)?;
        next = end;
        if order.within.is_some() {
            keep(order, next)?;
        }
    }
    println!("sim: {} of {} seeds, {} events each", next - order.first, order.end - order.first, order.events);
    match next >= order.end {
        true if order.within.is_some() => fs::remove_file(progress(order)).map_err(|error| error.to_string()),
        true => Ok(()),
        false => Err("nothing wrong, but it is not through: the same command goes on".to_string()),
    }
}

/// All of them at once.
fn parts(first: u64, end: u64, order: &Order) -> Result<(), String> {
    thread::scope(|scope| {
        let starts = (first..end).step_by(PART as usize);
        let begun: Vec<_> = starts.map(|at| scope.spawn(move || part(at, end.min(at + PART), order))).collect();
        begun.into_iter().try_for_each(|part| part.join().unwrap_or_else(|_| Err("a part panicked".to_string())))
    })
}

/// One process.
fn part(first: u64, end: u64, order: &Order) -> Result<(), String> {
    let arguments = ["test", "--quiet", "--package", "sim", "--test", "seeds", "--", "--ignored", "--nocapture"];
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(crate::root())
        .env("NEXUS_SIM_SEEDS", format!("{first}..{end}"))
        .env("NEXUS_SIM_EVENTS", order.events.to_string())
        .env("NEXUS_SIM_LOOK", order.look.to_string())
        .env("RUST_BACKTRACE", "0")
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("a seed from {first} to {} failed; `cargo xtask sim --seed N` runs it again", end - 1)),
        Err(error) => Err(format!("cargo: {error}")),
    }
}

/// Where a run of this length is noted.
fn progress(order: &Order) -> PathBuf {
    crate::root().join(format!("target/sim/{}-{}", order.end, order.events))
}

/// The seed that comes next: that of the last run, or the first.
fn reached(order: &Order) -> u64 {
    let noted = fs::read_to_string(progress(order)).ok().and_then(|text| text.trim().parse().ok());
    noted.filter(|seed| (order.first..order.end).contains(seed)).unwrap_or(order.first)
}

fn keep(order: &Order, next: u64) -> Result<(), String> {
    let path = progress(order);
    let folder = path.parent().expect("the file lies in a folder");
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, format!("{next}\n"))).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Order, String> {
        Order::read(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_line_names_one_seed_or_how_many() {
        let all = Order { first: 1, end: 201, events: 10_000, look: 1, within: None };
        assert_eq!(read(""), Ok(all.clone()));
        assert_eq!(read("--seed 7 --events 50"), Ok(Order { first: 7, end: 8, events: 50, ..all.clone() }));
        assert_eq!(read("--look 64"), Ok(Order { look: 64, ..all.clone() }));
        let within = Some(Duration::from_secs(5_700));
        assert_eq!(read("--seeds 9 --slices 95"), Ok(Order { end: 10, within, ..all }));
    }

    #[test]
    fn a_wrong_line_is_refused() {
        for line in ["--seed", "--seed x", "--seeds -1", "--look 0", "--never 1"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
