//! Sessions on a machine that is only a record of what was asked of it.

use super::*;
use crate::system::{
    Cpu, End, Entry, Explanation, Memory, NotStarted, Power, Process, Program, Query, Rest, Slot, State, Status, Terms,
    Timers, Waited,
};
use core::time::Duration;
use nexus_abi::{Limits, QosClass};
use nexus_proto::policy::Rule;
use nexus_proto::record::Level;
use nexus_proto::timer::{Counted, Lateness};

#[derive(Default)]
struct Fake {
    asked: Vec<String>,
    /// How the next awaited programs end.
    ends: Vec<Waited>,
    /// Every request fails with this.
    error: Option<Error>,
    /// Seconds that somebody rested, and after how many Ctrl-C is pressed.
    rested: u64,
    patience: Option<u64>,
}

impl Fake {
    fn answer<T>(&mut self, asked: impl Into<String>, value: T) -> Result<T, Error> {
        self.asked.push(asked.into());
        self.error.map_or(Ok(value), Err)
    }
}

const CRASH: End = End::Faulted { cause: 13, pc: 0x10000, address: 8 };

impl System for Fake {
    fn processes(&mut self) -> Result<Vec<Process>, Error> {
        let rested = self.rested;
        let row = |pid, name: &str, class, state| Process {
            pid,
            name: name.into(),
            class,
            terms: class.map(|_| Terms { shares: 100, affinity: 5, budget_us: Some((2_000, 10_000)) }),
            state,
            cpu_us: 5 + 250_000 * rested,
            frames: 6,
            handles: 7,
            threads: 1,
        };
        let shell = row(3, "shell", Some(QosClass::Interactive), State::Running);
        self.answer("ps", vec![shell, row(9, "app/boot/crash", None, State::Ended(CRASH))])
    }

    fn cpus(&mut self) -> Result<Vec<Cpu>, Error> {
        let counters = (1, 2, 3, 4, 5);
        let (busy_us, idle_us, switches, timer_interrupts, device_interrupts) = counters;
        let online = Status::Up;
        self.answer(
            "cpus",
            vec![Cpu {
                number: 0,
                hart: 1,
                online,
                busy_us,
                idle_us,
                tasks: 6,
                switches,
                timer_interrupts,
                device_interrupts,
            }],
        )
    }

    fn memory(&mut self) -> Result<Vec<Memory>, Error> {
        self.answer("mem", vec![Memory { kind: "frames", used: 10, capacity: 2400 }])
    }

    fn services(&mut self) -> Result<Vec<Program>, Error> {
        let row = |name: &str, pid, state, restarts| Program { name: name.into(), pid, state, restarts };
        self.answer("services", vec![row("shell", Some(3), "up", 0), row("execd", None, "given-up", 5)])
    }

    fn capabilities(&mut self, pid: u32) -> Result<Vec<Slot>, Error> {
        let to = Some("execd".to_string());
        let slot = Slot { index: 1, kind: "endpoint", rights: "ut".into(), badge: 16, object: 4, shard: 2, to };
        self.answer(format!("caps {pid}"), vec![slot])
    }

    fn start(&mut self, stages: &[Vec<String>], place: Place) -> Result<Vec<u32>, NotStarted> {
        if let Some(stage) = stages.iter().position(|words| words[0] == "nosuch") {
            return Err(NotStarted { stage, error: Error::NotFound });
        }
        let joined: Vec<String> = stages.iter().map(|words| words.join(" ")).collect();
        let behind = if place == Place::Background { " &" } else { "" };
        let pids = (0..stages.len() as u32).map(|at| 20 + at).collect();
        Ok(self.answer(format!("start {}{behind}", joined.join("|")), pids)?)
    }

    fn wait(&mut self, pid: u32) -> Result<Waited, Error> {
        let end = if self.ends.is_empty() { Waited::Ended(End::Exited(0)) } else { self.ends.remove(0) };
        self.answer(format!("wait {pid}"), end)
    }

    fn kill_program(&mut self, pid: u32) -> Result<(), Error> {
        self.answer(format!("kill {pid}"), ())
    }

    fn set_class(&mut self, pid: u32, class: QosClass) -> Result<(), Error> {
        self.answer(format!("qos {pid} {}", class.name()), ())
    }

    fn limit(&mut self, pid: u32, limits: Limits) -> Result<(), Error> {
        let Limits { shares, cpus, budget } = limits;
        self.answer(format!("limit {pid} {shares} {cpus:#x} {}/{}", budget.time_us, budget.period_us), ())
    }

    fn timers(&mut self) -> Result<Vec<Timers>, Error> {
        let counted = Counted { pending: 1, registered: 2, refused: 3, fired: 4, coalesced: 5, woken: 6, saved: 7 };
        let lateness = Lateness { inside: 8, us_10: 9, us_100: 10, ms_1: 11, ms_10: 12, later: 13 };
        self.answer("timers", vec![Timers { class: QosClass::Normal, window_us: 4000, counted, lateness }])
    }

    fn kill_service(&mut self, name: &str) -> Result<(), Error> {
        self.answer(format!("kill service {name}"), ())
    }

    fn explain(&mut self, subject: &str, interface: &str) -> Result<Explanation, Error> {
        let rule = if interface == "exec" { Rule::Route } else { Rule::Default };
        self.answer(format!("explain {subject} {interface}"), Explanation { rule, permits: 3, by: String::new() })
    }

    fn records(&mut self, query: &Query) -> Result<Vec<Entry>, Error> {
        let Query { count, level, sender } = query;
        let entry = Entry {
            number: 7,
            at_us: 1_500_000,
            level: Level::Warn,
            sender: "execd".into(),
            pid: None,
            target: "audit".into(),
            text: "a \u{1b}[2Jgrant".into(),
            fields: vec![("decision".into(), "deny".into())],
        };
        self.answer(format!("records {count} {} {}", level.name(), sender.as_deref().unwrap_or("*")), vec![entry])
    }

    fn follow(&mut self, query: &Query, show: &mut dyn FnMut(&Entry)) -> Result<(), Error> {
        self.records(query)?.iter().for_each(show);
        self.answer("follow", ())
    }

    fn rest(&mut self, time: Duration) -> Result<Rest, Error> {
        self.rested += 1;
        self.answer(
            format!("rest {time:?}"),
            if self.patience.is_some_and(|rests| self.rested > rests) { Rest::Interrupted } else { Rest::Over },
        )
    }

    fn uptime_us(&mut self) -> u64 {
        12_000_345 + 1_000_000 * self.rested
    }

    fn power(&mut self, power: Power) -> Error {
        self.asked.push(format!("{power:?}"));
        Error::Permission
    }
}

/// Types `text` into a new session; what was printed, and the machine.
fn typed_on(mut fake: Fake, text: &[u8]) -> (String, Fake) {
    let (mut session, mut out) = (Session::default(), String::new());
    session.open(&mut out);
    text.iter().for_each(|byte| session.feed(*byte, &mut fake, &mut out));
    (out, fake)
}

fn typed(text: &str) -> (String, Fake) {
    typed_on(Fake::default(), text.as_bytes())
}

/// What one line prints between its echo and the next prompt.
fn printed(line: &str) -> String {
    let (out, _) = typed(&format!("{line}\r"));
    out.strip_prefix(&format!("nexus> {line}\n")).unwrap().strip_suffix(PROMPT).unwrap().to_string()
}

#[test]
fn the_prompt_stands_at_the_start_of_a_line_before_and_after_each_command() {
    assert_eq!(typed("").0, "nexus> ");
    assert_eq!(typed("\r \r").0, "nexus> \nnexus>  \nnexus> ");
    assert_eq!(typed("abc\x03").0, "nexus> abc^C\nnexus> ");
}

#[test]
fn every_command_of_the_table_is_in_help_and_answers() {
    let help = printed("help");
    for command in COMMANDS {
        assert!(help.contains(command.about), "{}", command.name);
        assert!(printed(&format!("help {}", command.name)).starts_with(command.name));
        assert!(!printed(command.name).contains("no command"), "{}", command.name);
    }
}

#[test]
fn listings_print_columns_and_json_lines() {
    assert!(printed("ps").contains("running"));
    assert!(printed("ps").contains("faulted: load page fault at pc=0x10000 address=0x8"));
    assert_eq!(printed("mem -j"), "{\"kind\":\"frames\",\"used\":10,\"capacity\":2400}\n");
    let services = printed("services -j");
    assert!(services.contains(r#"{"name":"shell","pid":3,"state":"up","restarts":0}"#), "{services}");
    assert!(services.contains(r#"{"name":"execd","pid":null,"state":"given-up","restarts":5}"#), "{services}");
    for listing in ["ps -j", "cpus -j", "mem -j", "services -j", "caps -j 3", "caps shell -j"] {
        let text = printed(listing);
        assert!(!text.is_empty() && text.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{text}");
    }
}

#[test]
fn caps_takes_a_number_or_a_service() {
    assert_eq!(typed("caps 7\r").1.asked, ["caps 7"]);
    assert_eq!(typed("caps shell\r").1.asked, ["services", "caps 3"]);
    assert_eq!(printed("caps execd"), "error: ENOENT: no process or service `execd`\n");
    assert_eq!(printed("caps nobody"), "error: ENOENT: no process or service `nobody`\n");
}

#[test]
fn qos_takes_a_program_and_a_class_by_name() {
    for class in QosClass::ALL {
        let name = class.name();
        assert_eq!(typed(&format!("qos 7 {name}\r")).1.asked, [format!("qos 7 {name}")]);
    }
}

#[test]
fn qos_changes_the_limits_that_are_named_and_keeps_the_others() {
    let asked = |line: &str| typed(&format!("{line}\r")).1.asked;
    assert_eq!(asked("qos 3 shares=300"), ["ps", "limit 3 300 0x5 2000/10000"]);
    assert_eq!(asked("qos 3 idle cpus=1,3 budget=none"), ["qos 3 idle", "ps", "limit 3 100 0xa 0/0"]);
    assert_eq!(asked("qos 3 budget=1/1000"), ["ps", "limit 3 100 0x5 1/1000"]);
    assert_eq!(printed("qos 99 shares=1"), "error: ENOENT: no program 99\n");
}

#[test]
fn timers_lists_every_counter() {
    let expected = concat!(
        r#"{"class":"normal","window_us":4000,"pending":1,"registered":2,"refused":3,"fired":4,"coalesced":5,"woken":6,"#,
        r#""saved":7,"inside":8,"us_10":9,"us_100":10,"ms_1":11,"ms_10":12,"later":13}"#,
        "\n"
    );
    assert_eq!(printed("timers -j"), expected);
}

#[test]
fn run_waits_in_the_foreground_and_not_in_the_background() {
    assert_eq!(typed("run hello 'a b'\r").1.asked, ["start hello a b", "wait 20"]);
    let (out, fake) = typed("run hello &\r");
    assert_eq!(fake.asked, ["start hello &"]);
    assert!(out.contains("[20]\n"));
    assert_eq!(typed("run a 1 | b 2\r").1.asked, ["start a 1|b 2", "wait 20", "wait 21"]);
    assert_eq!(typed("selftest\r").1.asked, ["start selftest", "wait 20"]);
    assert_eq!(typed("bench\r").1.asked, ["start bench short", "wait 20"]);
}

#[test]
fn how_a_program_ended_is_an_error_with_a_stable_name() {
    let after = |end| {
        let fake = Fake { ends: vec![Waited::Ended(end)], ..Fake::default() };
        typed_on(fake, b"run x\rstatus\r").0
    };
    assert!(after(End::Exited(0)).contains("\n0\n"));
    let texts = [
        (End::Exited(3), "EEXIT: `x` exited 3"),
        (End::Killed(0), "EKILLED: `x` killed 0"),
        (CRASH, "EFAULTED: `x` faulted: load page fault at pc=0x10000 address=0x8"),
    ];
    for (end, text) in texts {
        let out = after(end);
        assert!(out.contains(&format!("error: {text}\n")), "{out}");
        assert!(out.contains(&format!("\n{}\n", &text[..text.find(':').unwrap()])), "{out}");
    }
}

#[test]
fn a_line_ends_as_its_last_program_does() {
    let ends = |first, last| vec![Waited::Ended(first), Waited::Ended(last)];
    let fake = Fake { ends: ends(End::Exited(0), End::Exited(4)), ..Fake::default() };
    assert!(typed_on(fake, b"run a | b\r").0.contains("error: EEXIT: `b` exited 4\n"));
    let fake = Fake { ends: ends(End::Exited(4), End::Exited(0)), ..Fake::default() };
    assert!(typed_on(fake, b"run a | b\rstatus\r").0.contains("\n0\n"));
}

#[test]
fn ctrl_c_ends_every_stage_of_the_foreground_program() {
    let fake = Fake { ends: vec![Waited::Interrupted], ..Fake::default() };
    let (out, fake) = typed_on(fake, b"run a | b\r");
    assert_eq!(fake.asked, ["start a|b", "wait 20", "kill 20", "wait 20", "kill 21", "wait 21"]);
    assert!(out.ends_with("error: ECANCELLED: `a` was interrupted\nnexus> "), "{out}");
}

#[test]
fn ctrl_c_during_wait_lets_the_program_go_on() {
    let fake = Fake { ends: vec![Waited::Interrupted], ..Fake::default() };
    let (out, fake) = typed_on(fake, b"wait 5\r");
    assert_eq!(fake.asked, ["wait 5"]);
    assert!(out.contains("error: ECANCELLED: 5 goes on\n"));
}

#[test]
fn kill_takes_a_number_for_programs_and_a_name_for_services() {
    assert_eq!(typed("kill 12\r").1.asked, ["kill 12"]);
    assert_eq!(typed("kill execd\r").1.asked, ["kill service execd"]);
}

#[test]
fn power_takes_an_exit_status() {
    assert_eq!(typed("shutdown\r").1.asked, ["Off(0)"]);
    assert_eq!(typed("shutdown 3\r").1.asked, ["Off(3)"]);
    assert_eq!(typed("reboot\r").1.asked, ["Reset"]);
    assert_eq!(printed("shutdown"), "error: EPERM: the machine was not stopped\n");
}

#[test]
fn explain_says_which_rule_it_is() {
    assert_eq!(printed("explain shell exec"), "allowed, route `exec` of shell in the manifest, permissions 0x3\n");
    assert_eq!(printed("explain hello exec2"), "denied, no rule gives hello `exec2`\n");
    let fake = Fake { error: Some(Error::NotFound), ..Fake::default() };
    assert!(typed_on(fake, b"explain nobody x\r").0.contains("error: ENOENT: no service or program `nobody`\n"));
}

#[test]
fn log_asks_for_what_was_typed_and_shows_no_control_byte() {
    assert_eq!(typed("log\r").1.asked, ["records 50 trace *"]);
    assert_eq!(typed("log -l warn -s execd -n 3\r").1.asked, ["records 3 warn execd"]);
    assert_eq!(typed("log -f -n 0\r").1.asked, ["records 0 trace *", "follow"]);
    assert_eq!(printed("log"), "1.500000 warn  execd: a ?[2Jgrant decision=deny\n");
    let json = printed("log -j");
    let expected = r#"{"number":7,"at_us":1500000,"level":"warn","sender":"execd","pid":null,"target":"audit","#;
    assert!(json.starts_with(expected) && json.ends_with("\"fields\":\"decision=deny\"}\n"), "{json}");
    let fake = Fake { error: Some(Error::NotFound), ..Fake::default() };
    assert!(typed_on(fake, b"log -s nobody\r").0.contains("error: ENOENT: no sender `nobody`\n"));
}

#[test]
fn uptime_and_status_answer() {
    assert_eq!(printed("uptime"), "up 12.000345 s\n");
    assert!(typed("nonsense\rstatus\rstatus\r").0.ends_with("\nENOENT\nnexus> status\n0\nnexus> "));
    assert!(typed("nonsense\r\rstatus\r").0.ends_with("\nENOENT\nnexus> "));
}

#[test]
fn wrong_arguments_are_einval_and_ask_nothing_of_the_machine() {
    let lines = [
        "run",
        "kill",
        "kill 1 2",
        "wait",
        "wait x",
        "wait -1",
        "wait 99999999999",
        "caps",
        "caps 1 2",
        "qos",
        "qos 1",
        "qos 1 2",
        "qos 1 Idle",
        "qos x idle",
        "qos -1 idle",
        "qos 1 idle idle",
        "qos 1 shares=",
        "qos 1 shares=65536",
        "qos 1 cpus=8",
        "qos 1 cpus=",
        "qos 1 budget=1",
        "qos 1 budget=1/x",
        "qos 1 weight=1",
        "qos 1 shares=1 idle",
        "log x",
        "explain a",
        "explain a b c",
        "log -n",
        "log -n x",
        "log -l loud",
        "log -s",
        "shutdown x",
        "shutdown 256",
        "shutdown -1",
        "shutdown 1 2",
        "uptime x",
        "status x",
        "reboot x",
        "selftest x",
        "help a b",
        "run a |",
        "run 'a",
        "ps &",
        "ps | ps",
        "run | b",
        "run a & b",
        "\\",
    ];
    for line in lines {
        let (out, fake) = typed(&format!("{line}\r"));
        assert!(out.contains("\nerror: EINVAL: "), "{line}: {out}");
        assert!(fake.asked.is_empty(), "{line}: {:?}", fake.asked);
    }
    for line in ["ps x", "cpus x", "mem x", "services x", "timers x"] {
        assert!(printed(line).starts_with("error: EINVAL: "), "{line}");
    }
}

#[test]
fn top_lists_who_used_the_cpus_between_two_looks() {
    let row = |cpu_us| format!("  3  shell  interactive     100  0x5       2000/10000           250  {cpu_us}\n");
    let head = "pid  name   class        shares  affinity  budget      cpu_permille  cpu_us\n";
    assert_eq!(printed("top"), format!("{head}{}", row(250_005)));
    assert_eq!(printed("top -n 2"), format!("{head}{}{head}{}", row(250_005), row(500_005)));
    let who = r#"{"pid":3,"name":"shell","class":"interactive","shares":100,"affinity":"0x5","budget":"2000/10000","#;
    assert_eq!(printed("top -j"), format!("{who}\"cpu_permille\":250,\"cpu_us\":250005}}\n"));
    assert!(printed("ps -j").starts_with(&format!("{who}\"state\":\"running\"")));
    let (out, fake) = typed_on(Fake { patience: Some(1), ..Fake::default() }, b"top -n 9\r");
    assert_eq!((out.matches("cpu_permille").count(), fake.rested), (1, 2), "Ctrl-C ends it: {out}");
    for line in ["top x", "top -n", "top -n 0", "top -n x"] {
        assert!(printed(line).starts_with("error: EINVAL: "), "{line}");
    }
}

#[test]
fn every_error_of_the_machine_is_one_line_with_its_name() {
    let lines = [
        "ps",
        "top",
        "cpus",
        "mem",
        "services",
        "caps 1",
        "caps shell",
        "qos 1 idle",
        "timers",
        "log",
        "log -f",
        "run x",
        "selftest",
        "bench",
        "wait 1",
        "kill 1",
        "kill x",
    ];
    for line in lines {
        for error in Error::ALL {
            let fake = Fake { error: Some(*error), ..Fake::default() };
            let (out, _) = typed_on(fake, format!("{line}\rstatus\r").as_bytes());
            let text: Vec<&str> = out.lines().collect();
            assert_eq!(text.len(), 5, "{out}");
            assert!(text[1].starts_with(&format!("error: {}: ", error.name())), "{out}");
            assert_eq!(text[3], error.name());
        }
    }
}

#[test]
fn a_line_over_the_limit_is_etoolong_and_the_prompt_is_back() {
    let long = "x".repeat(1 << 20);
    let (out, fake) = typed(&format!("{long}\rstatus\r"));
    assert!(out.contains("\nerror: ETOOLONG: a line holds at most 4096 bytes\nnexus> status\nETOOLONG\nnexus> "));
    assert!(fake.asked.is_empty());
    assert!(out.len() < 8 * MAX_LINE);
}

#[test]
fn an_unknown_command_is_shown_bounded_and_without_control_bytes() {
    let (out, _) = typed(&format!("\"a\\n\\t{}\"\r", "b".repeat(1000)));
    assert!(out.contains(&format!("error: ENOENT: no command `a\\n\\t{}`\n", "b".repeat(37))), "{out}");
}

const CORPUS: [&str; 8] = [
    "run hello 'a b' \"c \\\" d\" e\\ f | two &\r",
    "caps shell -j\r",
    "ps -j\x1b[A\x1b[D\x01help \x05\r",
    "kill 99999999999999999999\r",
    "r\tun x\t\t\r",
    "sh\x1b[1;5C\x1bOAutdown 3\r",
    "é€😀 | \u{7f}\u{7f}\r",
    "wait 5\x03status\r",
];

#[test]
fn every_truncation_of_every_line_leaves_a_session_that_still_answers() {
    for line in CORPUS {
        for end in 0..=line.len() {
            let text = [&line.as_bytes()[..end], b"~~\x03\x03status\r"].concat();
            let (out, _) = typed_on(Fake::default(), &text);
            assert!(out.ends_with(PROMPT) && out.contains("status\n"), "{line:?} {end}: {out:?}");
        }
    }
}

#[test]
fn every_byte_in_every_place_leaves_a_session_that_still_answers() {
    for line in CORPUS {
        for at in 0..line.len() {
            for byte in 0..=255 {
                let mut text = line.as_bytes().to_vec();
                text[at] = byte;
                text.extend(b"~~\x03\x03status\r");
                assert!(typed_on(Fake::default(), &text).0.ends_with(PROMPT), "{line:?} {at} {byte}");
            }
        }
    }
}

#[test]
fn a_line_that_cannot_start_names_the_program_that_is_missing() {
    assert!(typed("run echo a | nosuch | echo\r").0.contains("error: ENOENT: cannot start `nosuch`\n"));
    assert!(typed("run nosuch | echo\r").0.contains("error: ENOENT: cannot start `nosuch`\n"));
}
