//! Scenes at the console of the real system: what a person types, and what must come of it.
//!
//! Each scene boots a machine of its own, types, and waits with deadlines; the system has to keep its promises towards
//! the shell whatever a program does. A panic, a kernel fault or an end that the scene did not ask for fails it.

mod acts;
mod front_page;
mod harts;
mod held;
mod homes;
mod limits;
mod listings;
mod sleep;
mod start;

use super::emulator::Machine;
use super::session::{Session, SessionError};
use super::variant::Difference;
use super::verdict::{Ending, escape};
use nexus_abi::{Name, ServiceId};
use std::path::Path;
use std::time::Duration;
use wiring::{Interface, Party, Route, Wiring};

const PROMPT: &str = "nexus> ";
/// From the start of the emulator to the prompt.
const BOOT: Duration = Duration::from_secs(30);
/// For an answer of the shell, on a busy host.
const ANSWER: Duration = Duration::from_secs(10);

/// Who ends the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The scene, with this status.
    Itself(i32),
    /// A `shutdown` after the scene.
    WhenAsked,
}

/// Where a scene begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    /// At the prompt.
    AtPrompt,
    /// When the emulator starts.
    AtOnce,
}

/// When a scene is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// In every test run.
    Test,
    /// In the daily one: it is long.
    Daily,
    /// In the full one: it is very long.
    Full,
}

/// One scene.
pub struct Scene {
    /// What it is called.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// When it is played.
    pub tier: Tier,
    /// A place, and the program that lies there and acts instead of a person; none: a person does.
    instead: Option<(&'static str, &'static str)>,
    /// A program that acts as a service beside the others, and instead of a person.
    beside: Option<&'static str>,
    /// What is another in the manifest then.
    rewired: Option<fn(&mut Wiring)>,
    machine: fn(Machine) -> Machine,
    begins: Begins,
    act: fn(&mut Desk) -> Result<(), SessionError>,
    ends: Ends,
}

const PLAIN: Scene = Scene {
    name: "",
    about: "",
    tier: Tier::Test,
    instead: None,
    beside: None,
    rewired: None,
    machine: |machine| machine,
    begins: Begins::AtPrompt,
    act: |_| Ok(()),
    ends: Ends::WhenAsked,
};

/// Instructions are counted: while a program runs, time is the guest's own. A machine that waits still waits for the host,
/// since keys come from there.
fn counted(machine: Machine) -> Machine {
    machine.with("ICOUNT", "shift=0")
}

/// Instructions are counted, and time leaps to the next timer when nothing runs: for programs that nobody types to.
fn leaping(machine: Machine) -> Machine {
    machine.with("ICOUNT", "shift=0,sleep=off").append("selftest")
}

/// The same for a program of the image with these words, which commas part: its status becomes the machine's, 0 or 1.
fn alone(machine: Machine, words: &str) -> Machine {
    machine.with("ICOUNT", "shift=0,sleep=off").append(&format!("selftest={words}"))
}

/// Instructions are counted, and chaos is told how often to kill, and perhaps its seed.
fn killing(machine: Machine, words: &str) -> Machine {
    machine.with("ICOUNT", "shift=0,sleep=off").append(&format!("chaos={words}"))
}

/// Several harts, and the kernel's own tests of them.
fn tested(machine: Machine, harts: u32) -> Machine {
    machine.with("SMP", harts).append(super::KERNEL_TESTS)
}

/// Beside the shell a service that kills, with the same routes and one to the shell. The others run in a class below: so it
/// comes at any instruction of theirs, and not only when they have answered.
fn below_the_killer(wiring: &mut Wiring) {
    let is_shell = |service: &wiring::Service| service.name.as_str() == "shell";
    let Some(shell) = wiring.services.iter().position(is_shell) else { return };
    wiring.services.iter_mut().for_each(|service| service.qos = nexus_abi::QosClass::Normal);
    let [name, pipes] = ["chaos", "pipes"].map(|name| Name::new(name).unwrap_or_default());
    let mut killer = wiring.services[shell];
    (killer.name, killer.prefix, killer.id) = (name, name, ServiceId::service("chaos"));
    killer.qos = nexus_abi::QosClass::Interactive;
    // It has threads that call, each with an inbox for routes.
    killer.quota.threads += 3;
    killer.quota.endpoints += 4;
    killer.quota.notifications += 8;
    killer.quota.frames += 128;
    killer.quota.memories += 8;
    killer.quota.mappings += 16;
    let (shell, holder) = (Party::Service(shell as u16), Party::Service(wiring.services.len() as u16));
    wiring.services.push(killer);
    let routes: Vec<Route> = wiring.routes_of(shell).map(|&route| Route { holder, ..route }).collect();
    wiring.routes.extend(routes);
    let interface = wiring.interfaces.len() as u16;
    wiring.interfaces.push(Interface { name: pipes, owner: shell });
    wiring.routes.push(Route { holder, name: pipes, interface, badge: wiring::badge(0, 0) });
}

/// The same, and who ended is started again only after more than a caller's bound.
fn slow_to_restart(wiring: &mut Wiring) {
    below_the_killer(wiring);
    wiring.backoff.first_ms = 60;
}

/// Programs may have the class that services have, and the abusers do.
fn without_ceiling(wiring: &mut Wiring) {
    let abusers = wiring.programs.iter_mut().filter(|program| program.name.as_str().ends_with("/attacker"));
    abusers.for_each(|program| program.qos = nexus_abi::QosClass::Interactive);
}

/// All scenes. One that does not end the machine itself is ended by `shutdown`.
#[rustfmt::skip]
pub const SCENES: &[Scene] = &[
    Scene { name: "front-page", about: "the boot looks as the front page shows it", act: front_page::act, ends: Ends::Itself(3), ..PLAIN },
    Scene { name: "early-keys", about: "keys that are typed before the console's driver runs are not lost", begins: Begins::AtOnce, act: start::early_keys, ..PLAIN },
    Scene { name: "init-quota", about: "init itself owns no more frames than the manifest keeps free for it", act: start::init_quota, ..PLAIN },
    Scene { name: "keys", about: "JSON lines have the keys that the interface page promises", act: listings::act, ..PLAIN },
    Scene { name: "listings", about: "every listing command answers, also as JSON lines", act: acts::listings, ..PLAIN },
    Scene { name: "programs", about: "programs run, in front and behind, read and write, and say how they ended", act: acts::programs, ..PLAIN },
    Scene { name: "pipes", about: "programs of one line read what the one before them writes", act: acts::pipes, ..PLAIN },
    Scene { name: "faults", about: "each way to fault ends the program and nothing else", act: acts::faults, ..PLAIN },
    Scene { name: "rogues", about: "the shell answers while programs take all they can get", act: acts::rogues, ..PLAIN },
    Scene { name: "latency", about: "beside each rogue the shell answers within a virtual second", machine: counted, act: acts::latency, ..PLAIN },
    Scene { name: "interrupt", about: "Ctrl-C ends the program in front", act: acts::interrupt, ..PLAIN },
    Scene { name: "shards", about: "services live in the shards that the manifest names, and work, die and come back across them", act: homes::shards, ..PLAIN },
    Scene { name: "input", about: "binary, overlong and cut-off lines are refused and the prompt is back", act: acts::input, ..PLAIN },
    Scene { name: "mebibyte", about: "a line of a mebibyte is refused once", act: acts::mebibyte, ..PLAIN },
    Scene { name: "services", about: "a killed service comes back and works", act: acts::services, ..PLAIN },
    Scene { name: "log", about: "what was recorded is listed, followed, and survives a killed log", act: acts::log, ..PLAIN },
    Scene { name: "policy", about: "rules are explained, and without policy nothing starts", act: acts::policy, ..PLAIN },
    Scene { name: "policy-killed", about: "whenever policy is killed during a grant, the asker hears one outcome and one audit says the same", machine: |machine| alone(machine, "churn,policy,24"), begins: Begins::AtOnce, act: acts::policy_killed, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "policy-killed-2", about: "and so on two harts, where both sides run at once", machine: |machine| machine.with("SMP", 2).append("selftest=churn,policy,24"), tier: Tier::Daily, begins: Begins::AtOnce, act: acts::policy_killed, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "console", about: "a killed console comes back with its session", act: acts::console, ..PLAIN },
    Scene { name: "session", about: "who claims the console holds it, as the interface promises", instead: Some(("shell", "selftest")), act: acts::session, ..PLAIN },
    Scene { name: "asleep", about: "all services up, the machine sleeps: 60 virtual seconds with at most one timer interrupt each", machine: |machine| alone(machine, "churn,asleep,60"), begins: Begins::AtOnce, act: sleep::judged, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "awake", about: "who wakes the machine ten times a second is noticed", machine: |machine| alone(machine, "churn,asleep,10,100"), begins: Begins::AtOnce, act: sleep::judged, ends: Ends::Itself(1), ..PLAIN },
    Scene { name: "fair", about: "shares divide a CPU within 5 %, a lower class gets its hundredth, and who wakes runs within 50,000 instructions", machine: |machine| alone(machine, "churn,fair"), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "fair-refuted", about: "not where the kernel sets no weights", machine: |machine| alone(machine, "churn,fair").append("refuse=91"), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(1), ..PLAIN },
    Scene { name: "limits", about: "services and programs have the manifest's limits whenever they start, and more only by policy's leave", rewired: Some(limits::limited), machine: |machine| counted(machine.with("SMP", 1)), act: limits::act, ..PLAIN },
    Scene { name: "limits-none", about: "who spins and has none uses all the time that there is", machine: counted, act: limits::unlimited, ..PLAIN },
    Scene { name: "part", about: "who spins and has a fifth of the time gets a fifth within 1 %, alone and beside another", rewired: Some(limits::limited), machine: |machine| alone(machine, "churn,part"), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "part-refuted", about: "not where the manifest gives it no budget", machine: |machine| alone(machine, "churn,part"), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(1), ..PLAIN },
    Scene { name: "held", about: "who waits for a server that an Idle caller holds waits for its work and two switches, whoever spins", rewired: Some(limits::above), machine: |machine| alone(machine, "churn,held"), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "held-refuted", about: "not where nobody lifts who is waited for", rewired: Some(limits::above), machine: |machine| alone(machine, "churn,held").append("defect=no-donation"), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(1), ..PLAIN },
    Scene { name: "storm", about: "beside storms of lower classes who wakes runs within the longest time without interrupts and two switches, and Idle gets its hundredth", rewired: Some(limits::above), machine: |machine| alone(machine, &format!("churn,storm,{}", limits::longest())), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "storm-refuted", about: "not where who storms has the same class", rewired: Some(limits::between), machine: |machine| alone(machine, "churn,storm,50000,400,spin"), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(1), ..PLAIN },
    Scene { name: "storm-above", about: "beside PerfBurst ones it waits for their budgets besides, beside equals for a slice of each and the guard's", rewired: Some(limits::between), machine: |machine| alone(machine, "churn,storm,above"), begins: Begins::AtOnce, act: sleep::fair, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "asleep-4", about: "at the prompt four harts sleep too, for 60 s by the host's clock", machine: |machine| machine.with("SMP", 4), tier: Tier::Daily, act: |desk| sleep::asleep(desk, 60), ..PLAIN },
    Scene { name: "chaos", about: "each service killed 20 times with a call on its way is back within 50 ms, and nobody waits beyond a deadline", beside: Some("chaos"), rewired: Some(below_the_killer), machine: |machine| killing(machine, "20"), act: acts::chaos, ..PLAIN },
    Scene { name: "chaos-refuted", about: "not where a service rests for 60 ms before it is started again", beside: Some("chaos"), rewired: Some(slow_to_restart), machine: |machine| killing(machine, "1"), act: acts::chaos_refuted, ..PLAIN },
    Scene { name: "chaos-hundreds", about: "each killed 200 times", tier: Tier::Daily, beside: Some("chaos"), rewired: Some(below_the_killer), machine: |machine| killing(machine, "200"), act: |desk| acts::chaos_long(desk, 200), ..PLAIN },
    Scene { name: "chaos-thousand", about: "each killed 1,000 times, with another seed", tier: Tier::Full, beside: Some("chaos"), rewired: Some(below_the_killer), machine: |machine| killing(machine, "1000,2"), act: |desk| acts::chaos_long(desk, 1000), ..PLAIN },
    Scene { name: "abuse", about: "whatever others do to a service, its honest clients get nine tenths of their share", machine: |machine| alone(machine, "abuse,100"), begins: Begins::AtOnce, act: acts::abuse, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "abuse-long", about: "also when it goes on for long", tier: Tier::Daily, machine: |machine| alone(machine, "abuse,400"), begins: Begins::AtOnce, act: acts::abuse, ends: Ends::Itself(0), ..PLAIN },
    Scene { name: "abuse-refuted", about: "not where the class of programs has no ceiling", rewired: Some(without_ceiling), machine: |machine| alone(machine, "abuse,40,flood"), begins: Begins::AtOnce, act: acts::abuse, ends: Ends::Itself(1), ..PLAIN },
    Scene { name: "timers", about: "64 timers share wake-ups as the optimum does, and none is 100 µs behind its window", instead: Some(("selftest", "bench")), machine: leaping, act: acts::timers, ..PLAIN },
    Scene { name: "race-timers", about: "20,000 random registrations and cancellations have one outcome each", tier: Tier::Daily, act: acts::race_timers, ..PLAIN },
    Scene { name: "classes", about: "a program's class is set by who may, and a killed timed comes back", act: acts::classes, ..PLAIN },
    Scene { name: "small", about: "16 MiB are enough for the prompt and a program", machine: |machine| machine.with("MEM", "16M"), act: acts::small, ..PLAIN },
    Scene { name: "boot-cost", about: "the prompt is there after at most 20,000,000 instructions", machine: counted, act: start::boot_cost, ..PLAIN },
    Scene { name: "bench", about: "the short table at the prompt has every row", machine: counted, act: acts::bench, ..PLAIN },
    Scene { name: "leaks", about: "after 500 programs the machine owns what it owned before", act: |desk| acts::leaks(desk, 500), ..PLAIN },
    Scene { name: "leaks-long", about: "after 10,000 programs too", tier: Tier::Daily, act: |desk| acts::leaks(desk, 10_000), ..PLAIN },
    Scene { name: "harts-2", about: "eight spinners run on both of two harts", machine: |machine| machine.with("SMP", 2), act: |desk| harts::harts(desk, 2), ..PLAIN },
    Scene { name: "harts-4", about: "and on all of four", machine: |machine| machine.with("SMP", 4), act: |desk| harts::harts(desk, 4), ..PLAIN },
    Scene { name: "harts-refuted", about: "not where nothing places or steals", machine: |machine| machine.with("SMP", 2).append("defect=no-spread"), act: harts::harts_refuted, ..PLAIN },
    Scene { name: "hart-held", about: "a hart that the debugger holds is said to be missing, no line claims it, and the first lives", machine: |machine| held::from_the_start(tested(machine, 2)), act: harts::hart_held, ..PLAIN },
    Scene { name: "hart-held-online", about: "one that it holds when it is online is given up, and no line about interrupts comes", machine: |machine| held::before_interrupts(tested(machine, 2)), act: harts::hart_deaf, ..PLAIN },
    Scene { name: "hart-held-thief", about: "one that it holds before it may steal is too, and no line about stealing comes", machine: |machine| held::before_stealing(tested(machine, 2)), act: harts::hart_idle, ..PLAIN },
    Scene { name: "sparse", about: "hart 2 boots where the tree names harts 0 and 2: both come, and run programs", machine: |machine| held::hart_2_first(harts::without_odd_harts(tested(machine, 4))), act: harts::sparse, ..PLAIN },
    Scene { name: "hart-astray", about: "a hart that the firmware starts at the first one's entry comes all the same", machine: |machine| tested(machine, 2).append("defect=old-entry"), act: harts::hart_astray, ..PLAIN },
    Scene { name: "torture-2", about: "everything at once on two harts for 20 s, counted exactly", machine: |machine| machine.with("SMP", 2), act: |desk| harts::torture(desk, 20, 2), ..PLAIN },
    Scene { name: "torture-2-minute", about: "for 60 s", tier: Tier::Daily, machine: |machine| machine.with("SMP", 2), act: |desk| harts::torture(desk, 60, 2), ..PLAIN },
    Scene { name: "torture-4-minute", about: "on four harts for 60 s", tier: Tier::Daily, machine: |machine| machine.with("SMP", 4), act: |desk| harts::torture(desk, 60, 4), ..PLAIN },
    Scene { name: "torture-8-long", about: "on eight harts for ten minutes", tier: Tier::Full, machine: |machine| machine.with("SMP", 8), act: |desk| harts::torture(desk, 600, 8), ..PLAIN },
    Scene { name: "masks-2", about: "10,000 steals and 10,000 changes of masks on two harts, and nobody ran outside its mask", machine: |machine| machine.with("SMP", 2), act: |desk| harts::masks(desk, 2), ..PLAIN },
    Scene { name: "masks-4", about: "and on four", tier: Tier::Daily, machine: |machine| machine.with("SMP", 4), act: |desk| harts::masks(desk, 4), ..PLAIN },
    Scene { name: "status", about: "the exit status of the emulator is the one that was typed", act: acts::status, ends: Ends::Itself(3), ..PLAIN },
    Scene { name: "reboot", about: "the machine starts again", act: acts::reboot, ..PLAIN },
];

impl Scene {
    /// Whether a program acts instead of a person.
    fn plays_itself(&self) -> bool {
        self.instead.is_some() || self.beside.is_some()
    }
}

/// Runs one scene below `root`.
pub fn run(root: &Path, scene: &Scene) -> Result<(), String> {
    let machine = (scene.machine)(Machine::default().with("SMP", 1).append("panic=exit"));
    let differences = differences(root, scene)?;
    let machine = if differences.is_empty() { machine } else { super::with_image(root, machine, &differences)? };
    let session = Session::boot(root, &machine).map_err(|error| error.to_string())?;
    let mut desk = Desk { session };
    let sat = if scene.begins == Begins::AtPrompt && !scene.plays_itself() { desk.sit_down() } else { Ok(()) };
    let acted = sat.and_then(|()| (scene.act)(&mut desk));
    if scene.plays_itself() {
        // The machine has no prompt then, and is ended with the desk.
        return acted.map_err(|error| error.to_string());
    }
    let (asked, status) = match scene.ends {
        Ends::Itself(status) => (acted, status),
        Ends::WhenAsked => (acted.and_then(|()| desk.session.send_line("shutdown")), 0),
    };
    asked.map_err(|error| error.to_string())?;
    let (transcript, ending) = desk.session.finish(ANSWER);
    if let Some(line) = transcript.iter().find(|line| line.text.contains("PANIC") || line.text.contains("KFAULT")) {
        return Err(format!("on the console: {}", escape(&line.text)));
    }
    if ending == Ending::Exited(status) { Ok(()) } else { Err(format!("the machine ended with {ending:?}")) }
}

/// What is another in the boot image than in the built one.
fn differences(root: &Path, scene: &Scene) -> Result<Vec<Difference>, String> {
    let replaced = scene.instead.map(|(place, program)| Difference::Replaced(place.to_string(), program.to_string()));
    let served = scene.beside.map(|program| Difference::Served(program.to_string()));
    let mut differences: Vec<Difference> = replaced.into_iter().chain(served).collect();
    if let Some(rewire) = scene.rewired {
        let manifest = crate::manifest::load(&root.join("system.toml")).map_err(|refusal| refusal.to_string())?;
        let mut wiring = manifest.wiring;
        rewire(&mut wiring);
        let written = wiring.write().map_err(|error| format!("the changed manifest: {error:?}"))?;
        differences.push(Difference::Manifest(written));
    }
    Ok(differences)
}

/// A person at the console.
pub struct Desk {
    session: Session,
}

impl Desk {
    /// Waits until the machine is up. A line of the system prints the prompt again, so the last of them is awaited first.
    fn sit_down(&mut self) -> Result<(), SessionError> {
        self.session.wait_for("init: ready", BOOT)?;
        self.session.wait_for(PROMPT, BOOT)?;
        self.ask("uptime", "up ").map(drop)
    }

    /// Types a line at the prompt, waits for `answer`, and for the next prompt.
    fn ask(&mut self, line: &str, answer: &str) -> Result<String, SessionError> {
        self.session.send_line(line)?;
        let found = self.session.wait_for(answer, ANSWER)?;
        self.session.wait_for(PROMPT, ANSWER)?;
        Ok(found.text)
    }

    /// Types a line and collects what it prints until the next prompt.
    fn collect(&mut self, line: &str) -> Result<Vec<String>, SessionError> {
        let before = self.session.transcript().len();
        self.session.send_line(line)?;
        self.session.wait_for(PROMPT, ANSWER)?;
        let printed = &self.session.transcript()[before..];
        Ok(printed.iter().map(|line| line.text.clone()).collect())
    }

    /// Starts a program behind the prompt; its number.
    fn start_behind(&mut self, line: &str) -> Result<String, SessionError> {
        let printed = self.collect(&format!("{line} &"))?;
        let pid = printed.iter().find_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
        pid.map(str::to_string).ok_or_else(|| SessionError::Missed("[pid]".to_string(), "no number", printed.clone()))
    }
}
