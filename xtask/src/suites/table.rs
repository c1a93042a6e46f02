//! The suites, in the order in which they run: what is cheap and says most comes first.

use super::row::{Absence, Suite, Tier, Tool};
use crate::doctor;
use crate::packages::{KERNEL_TARGET, PROGRAM_TARGET};

const TARGETS: &[Tool] = &[
    Tool { look: || doctor::target(KERNEL_TARGET), absence: Absence::Fails },
    Tool { look: || doctor::target(PROGRAM_TARGET), absence: Absence::Fails },
];
const EMULATOR: &[Tool] = &[Tool { look: doctor::qemu, absence: Absence::Fails }];

const CARGO_FUZZ: &[Tool] = &[Tool { look: doctor::cargo_fuzz, absence: Absence::IsReported }];
const LLVM: &[Tool] = &[Tool { look: crate::coverage::tools, absence: Absence::IsReported }];
const SHELLCHECK: &[Tool] = &[Tool { look: doctor::shellcheck, absence: Absence::IsReported }];

/// Half a minute a target, from the corpus in the tree; what it finds new goes to a folder of its own.
const COVERAGE: &str = "for target in $(cargo +nightly fuzz list); do mkdir -p target/fuzz/$target && \
    cargo +nightly fuzz run $target target/fuzz/$target tests/corpus/$target -- -max_total_time=30 || exit 1; done";

const TORTURE: &str = "for scene in torture-2-minute torture-4-minute masks-4; do \
    cargo xtask proof --scenes $scene || exit 1; done";

/// The machine's half of the kernel is empty on the host.
const DOCS: &str = "cargo doc --quiet --no-deps --document-private-items --workspace --lib --exclude nexus-arch && \
    cargo doc --quiet --no-deps --document-private-items --package nexus-arch --target riscv64imac-unknown-none-elf";

/// Built as for a measurement.
const MUTATIONS: &str =
    "cargo test --quiet --profile parsers --package parsers --test corpus -- --ignored --nocapture ten_million";

const NOTHING: Suite = Suite { name: "", about: "", tier: Tier::Test, tools: &[], environment: &[], command: &[] };

pub(super) const SUITES: &[Suite] = &[
    Suite { name: "fmt", about: "every file is formatted", command: &["cargo", "fmt", "--all", "--check"], ..NOTHING },
    Suite { name: "check", about: "the gates over the source tree", command: &["cargo", "xtask", "check"], ..NOTHING },
    Suite {
        name: "lint-host",
        about: "clippy on the host, warnings are errors",
        command: &["cargo", "clippy", "--quiet", "--workspace", "--lib", "--tests", "--", "-D", "warnings"],
        ..NOTHING
    },
    Suite {
        name: "scripts",
        about: "shellcheck of every script",
        tools: SHELLCHECK,
        command: &["sh", "-c", "shellcheck scripts/*.sh .ci/run"],
        ..NOTHING
    },
    Suite {
        name: "dep-gate",
        about: "crates of the target: forbidden, std, licences, duplicate majors",
        command: &["cargo", "xtask", "dep-gate"],
        ..NOTHING
    },
    Suite {
        name: "build-host",
        about: "compile every host test",
        command: &["cargo", "test", "--quiet", "--workspace", "--no-run"],
        ..NOTHING
    },
    Suite {
        name: "host-tests",
        about: "every host test",
        tools: TARGETS,
        command: &["cargo", "test", "--quiet", "--workspace"],
        ..NOTHING
    },
    Suite {
        name: "parsers",
        about: "every parser: each truncation and flipped bit of its corpus, some mutations, each error met",
        command: &["cargo", "test", "--quiet", "--package", "parsers", "--test", "corpus", "--", "--nocapture"],
        ..NOTHING
    },
    Suite {
        name: "sim",
        about: "the core and the services in one process: 200 seeds of 10,000 events with faults, all clients answered",
        command: &["cargo", "xtask", "sim", "--seeds", "200"],
        ..NOTHING
    },
    Suite {
        name: "docs",
        about: "every link inside the documentation of the source",
        tools: TARGETS,
        environment: &[("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")],
        command: &["sh", "-c", DOCS],
        ..NOTHING
    },
    Suite {
        name: "diag-os",
        about: "check and clippy of everything built for the target",
        tools: TARGETS,
        command: &["cargo", "xtask", "diag-os"],
        ..NOTHING
    },
    Suite {
        name: "image",
        about: "system.toml to boot image, the kernel that ships and the one that looks at its own invariants",
        tools: TARGETS,
        command: &["cargo", "xtask", "image", "--checked"],
        ..NOTHING
    },
    Suite {
        name: "boot",
        about: "the ladder at one hart",
        tools: EMULATOR,
        environment: &[("SMP", "1"), ("RUN_UNTIL_MARKER", "1"), ("RUN_TIMEOUT", "90s")],
        command: &["./scripts/qemu-test.sh"],
        ..NOTHING
    },
    Suite {
        name: "boot-2",
        about: "the ladder at two harts",
        tools: EMULATOR,
        environment: &[("SMP", "2"), ("REQUIRE_SMP", "1"), ("RUN_UNTIL_MARKER", "1"), ("RUN_TIMEOUT", "90s")],
        command: &["./scripts/qemu-test.sh"],
        ..NOTHING
    },
    Suite {
        name: "boot-4",
        about: "the ladder at four harts",
        tools: EMULATOR,
        environment: &[("SMP", "4"), ("REQUIRE_SMP", "1"), ("RUN_UNTIL_MARKER", "1"), ("RUN_TIMEOUT", "90s")],
        command: &["./scripts/qemu-test.sh"],
        ..NOTHING
    },
    Suite {
        name: "kernel",
        about: "bad images, little memory, many harts, missing extensions, and each defect on show",
        tools: EMULATOR,
        command: &["./scripts/kernel-test.sh"],
        ..NOTHING
    },
    Suite {
        name: "refutations",
        about: "each line of the ladder is absent where its mechanism is broken",
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--counterfactuals"],
        ..NOTHING
    },
    Suite {
        name: "scenes",
        about: "what a person types at the console, and what must come of it",
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--scenes"],
        ..NOTHING
    },
    Suite {
        name: "trace",
        about: "what ran when is recorded on the target, and drawn",
        tools: EMULATOR,
        command: &["cargo", "xtask", "trace", "start"],
        ..NOTHING
    },
    Suite {
        name: "trace-cost",
        about: "a trace point takes at most four instructions while nothing is recorded",
        tools: EMULATOR,
        command: &["cargo", "xtask", "trace", "--cost"],
        ..NOTHING
    },
    Suite {
        name: "syscalls",
        about: "200,000 random system calls on the target, every pair of call and error met",
        tools: EMULATOR,
        command: &["cargo", "xtask", "fuzz"],
        ..NOTHING
    },
    Suite {
        name: "syscalls-same",
        about: "the same seed gives the same random system calls and outcomes",
        tools: EMULATOR,
        command: &["cargo", "xtask", "fuzz", "--twice"],
        ..NOTHING
    },
    Suite {
        name: "hostile",
        about: "every attack ends as it must, and everything is as before",
        tools: EMULATOR,
        environment: &[("SMP", "1")],
        command: &["cargo", "xtask", "proof", "--hostile"],
        ..NOTHING
    },
    Suite {
        name: "hostile-2",
        about: "the same attacks on two harts",
        tier: Tier::Daily,
        tools: EMULATOR,
        environment: &[("SMP", "2")],
        command: &["cargo", "xtask", "proof", "--hostile"],
    },
    Suite {
        name: "hostile-4",
        about: "the same attacks on four harts",
        tier: Tier::Daily,
        tools: EMULATOR,
        environment: &[("SMP", "4")],
        command: &["cargo", "xtask", "proof", "--hostile"],
    },
    Suite {
        name: "syscalls-2",
        about: "200,000 random system calls on two harts",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "fuzz", "--harts", "2"],
        ..NOTHING
    },
    Suite {
        name: "syscalls-4",
        about: "200,000 random system calls on four harts",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "fuzz", "--harts", "4"],
        ..NOTHING
    },
    Suite {
        name: "bench",
        about: "the benchmark table is the same on two runs, and docs/benchmarks.md holds it",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "bench", "--check"],
        ..NOTHING
    },
    Suite {
        name: "leaks",
        about: "10,000 programs leave nothing behind",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--scenes", "leaks-long"],
        ..NOTHING
    },
    Suite {
        name: "chaos-200",
        about: "each service killed 200 times while it is called",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--scenes", "chaos-hundreds"],
        ..NOTHING
    },
    Suite {
        name: "chaos-1000",
        about: "each service killed 1,000 times while it is called",
        tier: Tier::Full,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--scenes", "chaos-thousand"],
        ..NOTHING
    },
    Suite {
        name: "abuse",
        about: "what abuse leaves to honest clients of a service when it goes on for long",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--scenes", "abuse-long"],
        ..NOTHING
    },
    Suite {
        name: "boots",
        about: "60 boots each on 1, 2 and 4 harts: every hart online, in the order of the ladder",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--boots", "60"],
        ..NOTHING
    },
    Suite {
        name: "boot-8",
        about: "the ladder at eight harts",
        tier: Tier::Daily,
        tools: EMULATOR,
        environment: &[("SMP", "8"), ("REQUIRE_SMP", "1"), ("RUN_UNTIL_MARKER", "1"), ("RUN_TIMEOUT", "180s")],
        command: &["./scripts/qemu-test.sh"],
    },
    Suite {
        name: "pace",
        about: "the proof takes no longer on two harts than 1.3 times what it takes on one",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--pace"],
        ..NOTHING
    },
    Suite {
        name: "torture",
        about: "everything at once on two and four harts for 60 s, counted exactly, and masks on four",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["sh", "-c", TORTURE],
        ..NOTHING
    },
    Suite {
        name: "straight",
        about: "a million random messages, straight and by the general way: both leave the same kernel",
        tier: Tier::Daily,
        command: &[
            "sh",
            "-c",
            "cargo test --package nexus-core --lib -- --ignored --nocapture general_way_leaves_for_long",
        ],
        ..NOTHING
    },
    Suite {
        name: "models",
        about: "the protocols between CPUs under every interleaving of up to three preemptions",
        tier: Tier::Daily,
        environment: &[("NEXUS_PREEMPTIONS", "3")],
        command: &["cargo", "test", "--quiet", "-p", "nexus-core", "--test", "models", "--", "--nocapture"],
        ..NOTHING
    },
    Suite {
        name: "timers",
        about: "20,000 random registrations and cancellations on the target have one outcome each",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--scenes", "race-timers"],
        ..NOTHING
    },
    Suite {
        name: "events",
        about: "a million random events at the kernel core, every invariant checked after each",
        tier: Tier::Daily,
        command: &["sh", "-c", "cargo test --package nexus-core --lib -- --ignored --nocapture no_long_sequence"],
        ..NOTHING
    },
    Suite {
        name: "sim-2000",
        about: "the same with 2,000 seeds",
        tier: Tier::Daily,
        command: &["cargo", "xtask", "sim", "--seeds", "2000"],
        ..NOTHING
    },
    Suite {
        name: "first-program",
        about: "a program from the template is made, built and run in a copy of the tree",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--first-program"],
        ..NOTHING
    },
    Suite {
        name: "coverage",
        about: "lines of the kernel core, nexus-ipc and the loader that host tests run, each gap with its reason",
        tier: Tier::Daily,
        tools: LLVM,
        command: &["cargo", "xtask", "coverage"],
        ..NOTHING
    },
    Suite {
        name: "mutations",
        about: "10 million mutations of the corpus of each parser",
        tier: Tier::Daily,
        command: &["sh", "-c", MUTATIONS],
        ..NOTHING
    },
    Suite {
        name: "coverage-fuzz",
        about: "the parsers under inputs that coverage leads to",
        tier: Tier::Daily,
        tools: CARGO_FUZZ,
        command: &["sh", "-c", COVERAGE],
        ..NOTHING
    },
    Suite {
        name: "syscalls-10M",
        about: "10 million random system calls on the target",
        tier: Tier::Daily,
        tools: EMULATOR,
        command: &["cargo", "xtask", "fuzz", "--calls", "10000000", "--slices", "30"],
        ..NOTHING
    },
    Suite {
        name: "boots-200",
        about: "200 boots each on 1, 2 and 4 harts",
        tier: Tier::Full,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--boots", "200"],
        ..NOTHING
    },
    Suite {
        name: "torture-8",
        about: "everything at once on eight harts for ten minutes",
        tier: Tier::Full,
        tools: EMULATOR,
        command: &["cargo", "xtask", "proof", "--scenes", "torture-8-long"],
        ..NOTHING
    },
    Suite {
        name: "sim-200000",
        about: "the same with 200,000 seeds, every invariant after each 64th event, in runs of at most 95 minutes",
        tier: Tier::Full,
        command: &["cargo", "xtask", "sim", "--seeds", "200000", "--look", "64", "--slices", "95"],
        ..NOTHING
    },
    Suite {
        name: "syscalls-100M",
        about: "100 million random system calls on the target, in runs of at most 95 minutes",
        tier: Tier::Full,
        tools: EMULATOR,
        command: &["cargo", "xtask", "fuzz", "--seed", "100", "--calls", "100000000", "--slices", "95"],
        ..NOTHING
    },
];
