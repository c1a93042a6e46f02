//! `system.toml`, as the host tool reads it.

use super::PLAIN;
use crate::{Parser, Sample, Verdict};
use wiring::Wiring;
use xtask::manifest::parse;

/// The manifest.
pub(super) const SYSTEM_TOML: Parser = Parser {
    name: "system-toml",
    read: system_toml,
    errors: &[
        "syntax",
        "unknown-key",
        "missing-key",
        "wrong-type",
        "out-of-range",
        "unknown-word",
        "repeated",
        "bad-name",
        "duplicate-name",
        "duplicate-prefix",
        "unknown-service",
        "unknown-interface",
        "unknown-device",
        "device-owners",
        "device-alias",
        "call-cycle",
        "start-order",
        "over-capacity",
        "init-quota",
        "program-quota",
        "qos-above-policy",
        "burst-without-budget",
        "bad-budget",
        "bad-shares",
        "no-cpu",
        "stack-size",
        "bad-restart",
        "program-grant",
        "sole-grant",
        "colliding-ids",
        "too-many",
        "not-text",
    ],
    tokens: &[
        "[[service]]\n",
        "[[program]]\n",
        "name = \"",
        "quota = {",
        "routes",
        "\"",
        "=",
        "\n",
        "{",
        "}",
        "[",
        "]",
    ],
    borrowed: manifests,
    samples: || vec![Sample::accepted("small.toml", SMALL.into())],
    ..PLAIN
};

fn system_toml(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused("not-text") };
    match parse("system.toml", text) {
        Ok(resolved) => {
            let written = resolved.wiring.write().expect("what was resolved fits the format");
            assert_eq!(Wiring::read(&written), Ok(resolved.wiring), "init reads what was resolved");
            Verdict::Accepted
        }
        Err(refusal) => {
            assert!(refusal.line >= 1 && refusal.line <= text.lines().count().max(1) + 1, "{refusal} is in the file");
            Verdict::Refused(refusal.rule.name())
        }
    }
}

/// The broken manifests of `tests/manifests`, each with its refusal beside it.
fn manifests() -> Vec<Sample> {
    let folder = xtask::root().join("tests/manifests");
    let entries = std::fs::read_dir(folder).expect("the folder is in the tree");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let manifests = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    manifests
        .map(|path| {
            let told = std::fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
            let rule = told.split(": ").nth(1).unwrap_or("accept").to_string();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Sample { name: format!("{rule}-{name}"), bytes: std::fs::read(&path).expect("a manifest can be read") }
        })
        .collect()
}

/// One of everything.
const SMALL: &str = r#"capacity = { frames = 200, threads = 9, messages = 9, slot_blocks = 9, processes = 9, endpoints = 9, notifications = 9, memories = 9, mappings = 99, irqs = 1 }
policy = { services = "interactive", programs = "normal", raise = ["a"] }
restart = { first_ms = 10, most_ms = 100, limit = 5, window_ms = 1000 }
init = { quota = { frames = 32, threads = 1, messages = 1, slot_blocks = 1, processes = 4, endpoints = 5, notifications = 1, memories = 4, mappings = 8, irqs = 1 }, provides = ["services"] }
device = [{ name = "uart", compatible = "ns16550a" }]
[[service]]
name = "a"
qos = "interactive"
quota = { frames = 32, threads = 1 }
grants = ["log", "spawn"]
devices = ["uart"]
provides = { run = ["start"] }
[[program]]
name = "b"
quota = { frames = 8 }
[program.routes]
run = { to = "a", may = ["start"] }
"#;
