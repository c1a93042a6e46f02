//! The proof program: checks the running system and prints its lines.
//!
//! A [`Check`] does the work, looks at what came of it, and only then says that it is well; the line is printed here,
//! in one place, after that. What cannot be shown is printed as `FAIL` with the reason, and the exit status counts.

#![no_std]

extern crate alloc;

mod capture;
mod exec;
mod float;
mod ipc;
mod kernel;
mod logs;
mod one_cpu;
mod policy;
mod qos;
mod routes;
mod shares;
mod streams;
mod threads;
mod timers;

use nexus_abi::Error;
use nexus_proto::contract::Broken;
use nexus_rt::env;

/// Why a check failed.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// A call was refused that should not have been.
    Refused(&'static str, Error),
    /// What was observed is not what must be.
    Wrong(&'static str),
}

impl From<Broken> for Failure {
    fn from(Broken(promise): Broken) -> Failure {
        Failure::Wrong(promise)
    }
}

/// One thing to show.
type Check = fn() -> Result<(), Failure>;

/// Everything to show, in the order of the ladder.
const CHECKS: &[(&str, Check)] = &[
    ("e2e exec-elf", exec::program_runs),
    ("child exit", exec::exit_status_arrives),
    ("exec denied", exec::stranger_is_refused),
    ("contract supervisor", exec::supervisor_keeps_its_contract),
    ("contract exec kill", exec::kill_keeps_its_contract),
    ("contract stream", streams::pipe_keeps_its_contract),
    ("contract console", streams::console_keeps_its_contract),
    ("float registers", float::threads_keep_their_registers),
    ("threads share", threads::share_heap_and_lock),
    ("ipc deadline timeout", ipc::deadline_ends_a_call),
    ("ipc sender service_id", ipc::kernel_names_the_sender),
    ("qos", qos::classes_are_set_by_those_who_may),
    ("test_reject_qos_set_unauthorized_self_escalation", qos::self_escalation_is_refused),
    ("test_reject_qos_set_unauthorized_other_pid", qos::other_process_is_refused),
    ("test_reject_invalid_qos_class", qos::unknown_class_is_refused),
    ("test_reject_qos_class_wire_overflow", qos::wide_class_is_refused),
    ("test_reject_qos_target_pid_overflow", qos::wide_target_is_refused),
    ("test_reject_set_task_qos_when_target_queue_full", qos::full_class_is_refused),
    ("qos shares ratio", shares::divide_a_cpu),
    ("affinity applied", shares::masks_are_obeyed),
    ("contract timer", timers::service_keeps_its_contract),
    ("timed coalesce", timers::timers_share_wake_ups),
    ("test_reject_timer_registration_over_limit", timers::owner_has_a_limit),
    ("test_reject_timer_registration_over_global_limit", timers::all_have_a_limit),
    ("ipc routing", routes::are_found_within_a_budget),
    ("policy allow", policy::what_is_delegated_works),
    ("policy deny", policy::what_is_revoked_is_dead),
    ("policyd requester spoof denied", policy::nobody_is_who_he_says),
    ("policy malformed", policy::malformed_requests_are_refused),
    ("logd hardening rejects", logs::hostile_requests_are_refused),
    ("test_reject_log_append_oversized_fields", logs::oversized_fields_are_refused),
    ("test_reject_log_append_rate_limited_sender", logs::a_flood_is_limited),
    ("test_reject_log_payload_identity_spoof", logs::claimed_identities_are_refused),
    ("log query", logs::records_can_be_asked_for),
];

/// What only the holder of the console can show: for an image in which this program lies in the shell's place.
const SESSION_CHECKS: &[(&str, Check)] = &[("contract console session", streams::session_keeps_its_contract)];

/// Runs every check; answers how many failed.
pub fn run() -> i64 {
    let checks = if env::handle(env::SERVE).is_ok() { SESSION_CHECKS } else { CHECKS };
    let mut failed = 0;
    for (name, check) in checks {
        match check() {
            Ok(()) => nexus_rt::log!("{name} ok"),
            Err(failure) => {
                failed += 1;
                report(name, failure);
            }
        }
    }
    if let Err(failure) = kernel::invariants_hold() {
        failed += 1;
        report("kernel invariants", failure);
    }
    nexus_rt::log!("end");
    failed
}

fn report(name: &str, failure: Failure) {
    match failure {
        Failure::Refused(what, error) => nexus_rt::log!("{name} FAIL {what}: {}", error.name()),
        Failure::Wrong(what) => nexus_rt::log!("{name} FAIL not so: {what}"),
    }
}
