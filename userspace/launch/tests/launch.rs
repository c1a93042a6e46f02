//! What a launch leaves in the new process, and that every failing step leaves nothing.

mod fake;

use fake::Fake;
use launch::{Begin, Embryo, File, Identity, LaunchError, Launched};
use nexus_abi::layout::{STACK_TOP, START_PAGE};
use nexus_abi::start::StartPage;
use nexus_abi::{Budget, Error, Handle, Limits, Name, QosClass, Quota, Rights, ServiceId};

const STACK_PAGES: u64 = 70;

/// Text at 0x10000 in place, data at 0x20010 that begins inside a page with zeroes behind.
fn program() -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0\x01\0\0\0".to_vec();
    for word in [0x1_0004u64, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(5u32.to_le_bytes());
    for half in [64u16, 56, 2, 64, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    for (flags, offset, address, filesz, memsz) in
        [(5u32, 0x1000u64, 0x1_0000u64, 0x1800u64, 0x1800u64), (6, 0x3010, 0x2_0010, 0x20, 0x3000)]
    {
        file.extend(1u32.to_le_bytes());
        file.extend(flags.to_le_bytes());
        for word in [offset, address, address, filesz, memsz, 4096] {
            file.extend(word.to_le_bytes());
        }
    }
    file.resize(0x1000, 0);
    file.extend((0..0x2030u32).map(|n| (n % 251) as u8 + 1));
    file
}

fn identity() -> Identity {
    Identity {
        service: ServiceId::program("app/boot/x"),
        name: Name::new("app/boot/x").expect("short"),
        prefix: Name::new("x").expect("short"),
        quota: Quota { frames: 200, ..Quota::default() },
        shard: None,
    }
}

fn begin<'a>((qos, limits): (QosClass, Limits)) -> Begin<'a> {
    Begin { qos, limits, timebase: 10_000_000, arguments: &["x", "one"], environment: &["A=b"] }
}

fn handle(raw: u64) -> Handle {
    Handle::from_raw(raw).expect("not 0")
}

fn launch(kernel: &mut Fake, qos: QosClass) -> Result<Launched, LaunchError> {
    launch_within(kernel, qos, Limits::NONE)
}

fn launch_within(kernel: &mut Fake, qos: QosClass, limits: Limits) -> Result<Launched, LaunchError> {
    let bytes = program();
    let mut image = vec![0; 4096 * 3];
    image.extend(&bytes);
    let memory = kernel.image(&image);
    let file = File { bytes: &bytes, memory, page: 3 };
    let mut embryo = Embryo::conceive(kernel, handle(900), &identity(), &file, STACK_PAGES)?;
    let out = Name::new("stdout").expect("short");
    if let Err(error) = embryo.grant(kernel, out, handle(901), Rights::USE, 5) {
        embryo.abandon(kernel);
        return Err(error.into());
    }
    Ok(embryo.start(kernel, &begin((qos, limits)))?)
}

#[test]
fn the_process_sees_its_file_its_stack_and_its_start_page() {
    let mut kernel = Fake::default();
    let launched = launch(&mut kernel, QosClass::Normal).expect("sound");
    let file = program();
    let text = &kernel.space[&0x1_0000];
    assert_eq!((&text.bytes[..], text.access), (&file[0x1000..0x2000], 5));
    let data = &kernel.space[&0x2_0000];
    assert_eq!(data.access, 3);
    assert!(data.bytes[..0x10].iter().chain(&data.bytes[0x30..]).all(|&byte| byte == 0));
    assert_eq!(data.bytes[0x10..0x30], file[0x3010..0x3030]);
    let stack: Vec<_> = kernel.space.range(STACK_TOP - STACK_PAGES * 4096..STACK_TOP).collect();
    assert_eq!(stack.len() as u64, STACK_PAGES);
    assert!(!kernel.space.contains_key(&(STACK_TOP - (STACK_PAGES + 1) * 4096)), "the guard page");
    let [entry, sp, a0, a1] = kernel.thread.expect("made");
    assert_eq!((entry, sp, a0), (0x1_0004, STACK_TOP, START_PAGE));
    let start = &kernel.space[&START_PAGE];
    assert_eq!(start.access, 1);
    let page = StartPage::read(&start.bytes[..a1 as usize]).expect("whole");
    assert_eq!(page.arguments().collect::<Vec<_>>(), ["x", "one"]);
    assert_eq!(page.info().process, launched.id);
    assert_eq!(page.handle("stdout"), Some(handle(0x1001)));
    assert_eq!(kernel.grants, [(901, Rights::USE.bits(), 5)]);
    assert!(kernel.running && kernel.class.is_none());
}

#[test]
fn only_the_image_and_the_process_stay_open() {
    let mut kernel = Fake::default();
    let launched = launch(&mut kernel, QosClass::Normal).expect("sound");
    assert_eq!(kernel.open, [1, launched.process.raw()]);
}

#[test]
fn a_class_other_than_normal_is_set_before_the_thread_runs() {
    let mut kernel = Fake::default();
    launch(&mut kernel, QosClass::Interactive).expect("sound");
    assert_eq!(kernel.class, Some((2, 3)));
}

#[test]
fn limits_are_set_in_ticks_before_there_is_a_thread() {
    let budget = Budget { time_us: 2000, period_us: 10_000 };
    for (limits, set) in [
        (Limits::NONE, &[][..]),
        (Limits { shares: 300, cpus: 0b10_0010, budget }, &[(300, 0b10_0010, 20_000, 100_000)]),
        (Limits { cpus: 0b10_0000, ..Limits::NONE }, &[(100, u64::MAX, 0, 0)]),
    ] {
        let mut kernel = Fake::default();
        launch_within(&mut kernel, QosClass::Normal, limits).expect("sound");
        assert_eq!(kernel.limits, set, "{limits:?}");
    }
}

#[test]
fn whichever_call_fails_nothing_is_left() {
    for calls in 0.. {
        let mut kernel = Fake::default();
        kernel.patience = Some(calls);
        match launch(&mut kernel, QosClass::Interactive) {
            Ok(_) => {
                assert!(calls > 15, "the launch takes its steps");
                break;
            }
            Err(error) => {
                assert_eq!(error, LaunchError::Kernel(Error::Exhausted), "after {calls} calls");
                assert!(!kernel.running, "after {calls} calls");
                assert_eq!(kernel.killed, calls > 0, "after {calls} calls");
                assert_eq!(kernel.open, [1], "after {calls} calls");
            }
        }
    }
}

#[test]
fn a_file_that_is_no_program_costs_no_process() {
    let mut kernel = Fake::default();
    let memory = kernel.image(&[0; 4096]);
    let file = File { bytes: &[0; 100], memory, page: 0 };
    let refused = Embryo::conceive(&mut kernel, handle(900), &identity(), &file, 1);
    assert!(matches!(refused, Err(LaunchError::File(_))));
    assert_eq!(kernel.open, [1]);
}
