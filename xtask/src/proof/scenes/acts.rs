//! What is typed in each scene, and what must come of it.

use super::{ANSWER, BOOT, Desk, PROMPT};
use crate::proof::session::SessionError;
use std::time::Duration;

/// For an answer of a machine whose instructions are counted, beside a program that takes all of them.
pub(super) const SLOW: Duration = Duration::from_secs(60);
/// Until a program that was started is in front.
const IN_FRONT: Duration = Duration::from_millis(500);
/// What the sample program can do wrong, and the cause that must be on record.
const FAULTS: [(&str, &str); 10] = [
    ("load-null", "load page fault"),
    ("load-kernel", "load page fault"),
    ("store-text", "store page fault"),
    ("store-null", "store page fault"),
    ("fetch-null", "instruction page fault"),
    ("fetch-data", "instruction page fault"),
    ("illegal", "illegal instruction"),
    ("privileged", "illegal instruction"),
    ("breakpoint", "breakpoint"),
    ("stack-overflow", "store page fault"),
];

pub(super) fn listings(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("help", "shutdown")?;
    desk.ask("ps", "shell")?;
    desk.ask("ps -j", "\"name\":\"shell\"")?;
    desk.ask("cpus -j", "{\"cpu\":0,")?;
    desk.ask("mem -j", "{\"kind\":\"frames\",")?;
    desk.ask("services -j", "\"state\":\"up\"")?;
    desk.ask("caps shell -j", "\"kind\":\"endpoint\"")?;
    desk.ask("caps shell -j", "\"to\":\"execd\"")?;
    desk.ask("top", "shell")?;
    desk.ask("uptime", "up ")?;
    desk.ask("nonsense", "error: ENOENT: ")?;
    desk.ask("status", "ENOENT")?;
    desk.ask("status", "0").map(drop)
}

pub(super) fn programs(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("run hello", "hello, world")?;
    desk.ask("run hello 'a b'", "hello, a b")?;
    desk.ask("run rogue inversion", "rogue: both classes ran")?;
    desk.ask("run rogue exit 3", "error: EEXIT: `rogue` exited 3")?;
    desk.ask("status", "EEXIT")?;
    desk.ask("run nobody", "error: ENOENT: ")?;
    let pid = desk.start_behind("run rogue exit 5")?;
    desk.ask(&format!("wait {pid}"), "exited 5")?;
    desk.ask(&format!("wait {pid}"), "error: ENOENT: ")?;
    desk.session.send_line("run hello behind &")?;
    desk.session.wait_for("app/boot/hello: hello, behind", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.session.send_line("run echo")?;
    // The program is in front once its line was taken.
    std::thread::sleep(IN_FRONT);
    desk.session.send_bytes(b"to and fro\r\x04")?;
    desk.session.wait_for("to and fro", ANSWER)?;
    desk.session.wait_for("to and fro", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("status", "0").map(drop)
}

pub(super) fn pipes(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("run hello pipes | echo", "hello, pipes")?;
    desk.ask("run hello one | echo | echo | echo", "hello, one")?;
    desk.ask("status", "0")?;
    desk.ask("run echo x | rogue exit 4", "error: EEXIT: `rogue` exited 4")?;
    desk.ask("run rogue load-null | echo", "")?;
    desk.ask("run echo x | nobody", "error: ENOENT: cannot start `nobody`")?;
    desk.session.send_line("run rogue spin | echo")?;
    std::thread::sleep(IN_FRONT);
    desk.session.send_bytes(b"\x03")?;
    desk.session.wait_for("error: ECANCELLED: ", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("run hello pipes | echo", "hello, pipes")?;
    desk.ask("ps -j", "\"name\":\"shell\"").map(drop)
}

pub(super) fn faults(desk: &mut Desk) -> Result<(), SessionError> {
    for (name, cause) in FAULTS {
        desk.ask(&format!("run rogue {name}"), &format!("error: EFAULTED: `rogue` faulted: {cause}"))?;
    }
    desk.ask("run rogue panic", "error: EEXIT: `rogue` exited 101")?;
    desk.ask("run hello", "hello, world").map(drop)
}

pub(super) fn rogues(desk: &mut Desk) -> Result<(), SessionError> {
    for name in ["spin", "threads", "flood", "memory", "objects"] {
        let pid = desk.start_behind(&format!("run rogue {name}"))?;
        desk.ask("uptime", "up ")?;
        desk.ask("ps", "shell")?;
        desk.ask("run hello", "hello, world")?;
        desk.session.send_line(&format!("kill {pid}"))?;
        desk.session.wait_for(PROMPT, ANSWER)?;
        desk.ask(&format!("wait {pid}"), &format!("{pid}: "))?;
    }
    Ok(())
}

pub(super) fn interrupt(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_line("run rogue spin")?;
    // Before the program is in front Ctrl-C would end the line.
    std::thread::sleep(IN_FRONT);
    desk.session.send_bytes(b"\x03")?;
    desk.session.wait_for("error: ECANCELLED: `rogue` was interrupted", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("run hello", "hello, world").map(drop)
}

pub(super) fn input(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask(&"x".repeat(5000), "error: ETOOLONG: ")?;
    desk.ask("status", "ETOOLONG")?;
    for byte in (0..=255u8).filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        desk.session.send_bytes(&[byte, b'~', b'~', 0x03])?;
        desk.session.wait_for(PROMPT, ANSWER)?;
    }
    desk.session.send_bytes(b"\x1b[\x1b]\xff\xfe\x00'\"\\|&\x03")?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("run 'a", "error: EINVAL: ")?;
    desk.ask("run hello ok", "hello, ok").map(drop)
}

pub(super) fn mebibyte(desk: &mut Desk) -> Result<(), SessionError> {
    const TYPED: Duration = Duration::from_secs(150);
    desk.session.send_bytes(&vec![b'x'; 1 << 20])?;
    desk.session.send_line("")?;
    desk.session.wait_for("error: ETOOLONG: ", TYPED)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("run hello ok", "hello, ok").map(drop)
}

pub(super) fn services(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("kill nobody", "error: ENOENT: ")?;
    let pid = desk.start_behind("run rogue spin")?;
    desk.session.send_line("kill execd")?;
    desk.session.wait_for("init: up execd", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("services -j", "{\"name\":\"execd\",")?;
    // The new execd knows what the one before it started.
    desk.session.send_line(&format!("kill {pid}"))?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask(&format!("wait {pid}"), &format!("{pid}: killed"))?;
    desk.ask("run hello again", "hello, again").map(drop)
}

/// Records of services and programs, by sender and level, and one that comes while the log is followed.
pub(super) fn log(desk: &mut Desk) -> Result<(), SessionError> {
    const LATE: Duration = Duration::from_secs(30);
    desk.ask("log -s init", "info  init: up execd")?;
    desk.ask("log -s execd -n 1 -j", "\"sender\":\"execd\",\"pid\":null,\"target\":\"console\",\"text\":\"ready\"")?;
    desk.ask("log -s nobody", "error: ENOENT: no sender `nobody`")?;
    desk.ask("run hello", "hello, world")?;
    desk.ask("log -s execd", "open app/boot/hello decision=allow reason=route caller=shell object=app/boot/hello")?;
    desk.start_behind("run rogue late")?;
    desk.session.send_line("log -f -n 0 -l warn")?;
    desk.session.wait_for("warn  app/boot/rogue: it is late", LATE)?;
    desk.session.send_bytes(b"\x03")?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.session.send_line("kill logd")?;
    desk.session.wait_for("init: up logd", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("log -s init", "info  init: up logd").map(drop)
}

/// Which rule says what; and policy that was killed too often to come back.
pub(super) fn policy(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("explain shell exec", "allowed, route `exec` of shell in the manifest, permissions 0x7")?;
    desk.ask("explain hello exec", "denied, no rule gives hello `exec`")?;
    desk.ask("explain nobody exec", "error: ENOENT: ")?;
    for ends in 1..=5 {
        desk.session.send_line("kill policyd")?;
        let follows = if ends == 5 { "init: give up policyd" } else { "init: up policyd" };
        desk.session.wait_for(follows, ANSWER)?;
        desk.session.wait_for(PROMPT, ANSWER)?;
        if ends == 1 {
            // The next policy is asked as the one before it.
            desk.ask("run hello again", "hello, again")?;
        }
    }
    desk.ask("run hello", "error: EUNAVAILABLE: ")?;
    desk.ask("explain shell exec", "error: EUNAVAILABLE: ")?;
    desk.ask("ps", "shell")?;
    desk.ask("log -s execd -n 1", "open app/boot/hello decision=deny reason=EUNAVAILABLE caller=shell").map(drop)
}

/// Played by a program: rounds take virtual seconds, so that policy is not given up.
pub(super) fn policy_killed(desk: &mut Desk) -> Result<(), SessionError> {
    const ROUNDS: Duration = Duration::from_secs(150);
    desk.session.wait_for(" refused, 0 wrong", ROUNDS).map(drop)
}

pub(super) fn console(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_line("kill consoled")?;
    desk.session.wait_for("init: up consoled", ANSWER)?;
    desk.session.wait_for("init: up shell", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("run hello again", "hello, again").map(drop)
}

pub(super) fn timers(desk: &mut Desk) -> Result<(), SessionError> {
    // The benchmark goes on behind the timers only if they kept their bounds.
    desk.session.wait_for("bench: timers perfburst | 64 | 64 | ", SLOW)?;
    desk.session.wait_for("bench: end", SLOW).map(drop)
}

/// Services that come back late are found, and nothing else: each line of a service ends with its restarts.
pub(super) fn chaos_refuted(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.wait_for("chaos: limit", SLOW)?;
    let printed: Vec<String> = told(desk, " with a call on its way ");
    let late = |line: &String| line.contains(" 0 wrong ") && number_after(line, "p99 ").is_some_and(|us| us > 50_000);
    if printed.len() == 6 && printed.iter().all(late) { Ok(()) } else { Err(missed("six late services", printed)) }
}

pub(super) fn chaos(desk: &mut Desk) -> Result<(), SessionError> {
    chaos_long(desk, 20)
}

/// Two seconds of the host for a kill of each service that counts; on a quiet one they take half.
pub(super) fn chaos_long(desk: &mut Desk, kills: u64) -> Result<(), SessionError> {
    let over = desk.session.wait_for(" things were wrong", Duration::from_secs(60 + 2 * kills))?;
    let printed = told(desk, "chaos: ");
    if over.text.contains("over, 0 things") { Ok(()) } else { Err(missed("nothing wrong", printed)) }
}

/// Prints what was said with this in it.
fn told(desk: &Desk, mark: &str) -> Vec<String> {
    let said = desk.session.transcript().iter().map(|line| &line.text).filter(|text| text.contains(mark));
    said.inspect(|text| println!("{text}")).cloned().collect()
}

/// Played by a program, which judges itself: its status becomes the machine's.
pub(super) fn abuse(desk: &mut Desk) -> Result<(), SessionError> {
    const ROUNDS: Duration = Duration::from_secs(300);
    desk.session.wait_for(" things were wrong", ROUNDS)?;
    told(desk, " | ");
    Ok(())
}

pub(super) fn race_timers(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_line("run churn timers 20000")?;
    desk.session.wait_for(" cancelled, 0 wrong", SLOW)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("status", "0").map(drop)
}

pub(super) fn classes(desk: &mut Desk) -> Result<(), SessionError> {
    let pid = desk.start_behind("run rogue spin")?;
    desk.ask(&format!("qos {pid} idle"), "QOS-AUDIT decision=allow reason=listed ")?;
    desk.ask("ps", "idle")?;
    desk.ask(&format!("qos {pid} perfburst"), "error: EPERM: ")?;
    desk.collect(&format!("kill {pid}"))?;
    desk.ask("kill timed", "timed: ready")?;
    desk.ask("timers", "perfburst").map(drop)?;
    // Who waits for a timer registers it again, by its own token, when nobody knows it any more.
    let pid = desk.start_behind("run rogue alarm")?;
    desk.session.wait_for("timed: audit register decision=allow", ANSWER)?;
    desk.ask("kill timed", "timed: ready")?;
    desk.ask(&format!("wait {pid}"), &format!("{pid}: exited 2")).map(drop)
}

pub(super) fn small(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("run hello", "hello, world")?;
    desk.ask("mem -j", "{\"kind\":\"frames\"").map(drop)
}

/// The short table: each row ends in its nanoseconds and its instructions.
pub(super) fn bench(desk: &mut Desk) -> Result<(), SessionError> {
    const ROWS: [&str; 4] =
        ["null system call ", "signal, nobody waits ", "yield, nobody else ", "round trip, 8 words "];
    let printed = desk.collect("bench")?;
    let measured = |name: &&str| {
        let row = printed.iter().find_map(|line| line.strip_prefix(*name));
        let numbers = row.map(|row| row.split_whitespace().filter_map(|word| word.parse::<u64>().ok()));
        numbers.is_some_and(|numbers| numbers.filter(|&number| number > 0).count() == 2)
    };
    if ROWS.iter().all(measured) { Ok(()) } else { Err(missed("four rows of two numbers each", printed)) }
}

/// Virtual time between two commands with work in between, typed at once.
pub(super) fn latency(desk: &mut Desk) -> Result<(), SessionError> {
    const SECOND: u64 = 1_000_000;
    for rogue in ["spin", "threads", "flood", "illegal"] {
        let pid = desk.start_behind(&format!("run rogue {rogue}"))?;
        let before = desk.session.transcript().len();
        desk.session.send_line("uptime\rps\rrun hello\ruptime")?;
        desk.session.wait_for("up ", SLOW)?;
        desk.session.wait_for("hello, world", SLOW)?;
        desk.session.wait_for("up ", SLOW)?;
        desk.session.wait_for(PROMPT, SLOW)?;
        let printed: Vec<String> = desk.session.transcript()[before..].iter().map(|line| line.text.clone()).collect();
        let times: Vec<u64> = printed.iter().filter_map(|line| microseconds(line)).collect();
        match times[..] {
            [first, last] if last - first < SECOND => {}
            _ => return Err(missed("two answers within a virtual second", printed)),
        }
        desk.session.send_line(&format!("kill {pid}"))?;
        desk.session.wait_for(PROMPT, SLOW)?;
        desk.session.send_line(&format!("wait {pid}"))?;
        desk.session.wait_for(PROMPT, SLOW)?;
    }
    Ok(())
}

pub(super) fn leaks(desk: &mut Desk, programs: u32) -> Result<(), SessionError> {
    desk.ask("run hello", "hello, world")?;
    let before = desk.collect("mem -j")?;
    for _ in 0..programs {
        desk.ask("run hello", "hello, world")?;
    }
    desk.ask("run churn 100", "100 programs, 0 of ")?;
    let after = desk.collect("mem -j")?;
    let counts = |lines: &[String]| lines.iter().filter(|line| line.starts_with('{')).cloned().collect::<Vec<_>>();
    match counts(&before) == counts(&after) && !counts(&before).is_empty() {
        true => Ok(()),
        false => Err(missed("the same counts as before", [before, after].concat())),
    }
}

pub(super) fn status(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_line("shutdown 3")
}

pub(super) fn reboot(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_line("reboot")?;
    desk.session.wait_for("OpenSBI v", BOOT)?;
    desk.session.wait_for(PROMPT, BOOT).map(drop)
}

/// `up 1.000002 s` in microseconds.
fn microseconds(line: &str) -> Option<u64> {
    let (seconds, rest) = line.strip_prefix("up ")?.strip_suffix(" s")?.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 1_000_000 + rest.parse::<u64>().ok()?)
}

pub(super) fn number_after(line: &str, mark: &str) -> Option<u64> {
    let rest = &line[line.find(mark)? + mark.len()..];
    rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

pub(super) fn missed(what: &str, printed: Vec<String>) -> SessionError {
    SessionError::Missed(what.to_string(), "it is not so", printed)
}

/// Played by the proof program in the shell's place.
pub(super) fn session(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.wait_for("shell: contract console session ok", BOOT).map(drop)
}
