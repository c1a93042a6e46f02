//! The wiring's bytes: back and forth, every truncation, every flipped bit, every index out of its table.

use nexus_abi::{Budget, Error, Limits, Name, QosClass, Quota, ServiceId, Shard};
use wiring::{
    Backoff, Device, Grant, Grants, Interface, MAX_RECORDS, Party, Program, Restart, Route, Service, Wiring, badge,
};

fn name(text: &str) -> Name {
    Name::new(text).expect("short and printable")
}

fn sample() -> Wiring {
    let quota = Quota { frames: 40, threads: 2, endpoints: 3, irqs: 1, ..Quota::default() };
    let service = |text: &str, grants| Service {
        name: name(text),
        id: ServiceId::service(text),
        prefix: name(text),
        quota,
        qos: QosClass::Interactive,
        limits: Limits { shares: 300, cpus: 5, budget: Budget { time_us: 2000, period_us: 10_000 } },
        stack_pages: 16,
        restart: Restart::OnFailure,
        grants,
        shard: Shard::new(2),
    };
    Wiring {
        backoff: Backoff { first_ms: 20, most_ms: 2000, limit: 5, window_ms: 10_000 },
        services: vec![
            service("alpha", Grants::default().with(Grant::Log)),
            service("beta", Grants::default().with(Grant::Spawn).with(Grant::Power)),
        ],
        programs: vec![Program {
            name: name("app/boot/gamma"),
            id: ServiceId::program("app/boot/gamma"),
            prefix: name("GAMMA"),
            quota,
            qos: QosClass::Normal,
            limits: Limits::NONE,
            stack_pages: 4,
            grants: Grants::default(),
            shard: None,
        }],
        interfaces: vec![
            Interface { name: name("services"), owner: Party::Init },
            Interface { name: name("stream"), owner: Party::Service(0) },
        ],
        routes: vec![
            Route { holder: Party::Service(1), name: name("stdout"), interface: 1, badge: badge(0, 3) },
            Route { holder: Party::Program(0), name: name("services"), interface: 0, badge: 0 },
        ],
        devices: vec![Device { name: name("uart"), compatible: name("ns16550a"), instance: 0, owner: 0 }],
    }
}

#[test]
fn what_is_written_is_read_back() {
    let wiring = sample();
    let bytes = wiring.write().expect("small");
    assert_eq!(Wiring::read(&bytes), Ok(wiring));
    let empty = Wiring::default();
    assert_eq!(Wiring::read(&empty.write().expect("small")), Ok(empty));
}

#[test]
fn look_ups_find_the_right_records() {
    let wiring = sample();
    assert_eq!(wiring.party(ServiceId::service("beta")), Some(Party::Service(1)));
    assert_eq!(wiring.party(ServiceId::program("app/boot/gamma")), Some(Party::Program(0)));
    assert_eq!(wiring.party(ServiceId::service("app/boot/gamma")), None);
    assert_eq!(wiring.routes_of(Party::Service(1)).count(), 1);
    assert_eq!(wiring.devices_of(0).count(), 1);
    assert_eq!(wiring.devices_of(1).count(), 0);
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    let bytes = sample().write().expect("small");
    for length in 0..bytes.len() {
        assert!(Wiring::read(&bytes[..length]).is_err(), "{length}");
    }
    for extra in 1..=16 {
        let longer: Vec<u8> = bytes.iter().copied().chain(std::iter::repeat_n(0, extra)).collect();
        assert_eq!(Wiring::read(&longer), Err(Error::Corrupt), "{extra}");
    }
}

#[test]
fn every_flipped_bit_is_refused_or_means_exactly_what_it_says() {
    let sound = sample();
    let mut bytes = sound.write().expect("small");
    let mut refused = 0;
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        match Wiring::read(&bytes) {
            Ok(wiring) => {
                assert_ne!(wiring, sound, "bit {bit} is not looked at");
                assert_eq!(wiring.write().as_deref(), Ok(&bytes[..]), "bit {bit} is read as something else");
            }
            Err(error) => {
                assert!(matches!(error, Error::Corrupt | Error::Protocol), "bit {bit}: {error:?}");
                refused += 1;
            }
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(refused > 64, "only {refused} flips were refused");
}

#[test]
fn an_index_outside_its_table_is_refused() {
    let broken: [fn(&mut Wiring); 6] = [
        |wiring| wiring.interfaces[1].owner = Party::Service(2),
        |wiring| wiring.interfaces[1].owner = Party::Program(0),
        |wiring| wiring.routes[0].holder = Party::Program(1),
        |wiring| wiring.routes[0].holder = Party::Init,
        |wiring| wiring.routes[0].interface = 2,
        |wiring| wiring.devices[0].owner = 2,
    ];
    for (index, change) in broken.into_iter().enumerate() {
        let mut wiring = sample();
        change(&mut wiring);
        assert_eq!(Wiring::read(&wiring.write().expect("small")), Err(Error::Corrupt), "case {index}");
    }
}

#[test]
fn a_table_beyond_its_bound_is_neither_written_nor_read() {
    let mut wiring = sample();
    wiring.routes = vec![wiring.routes[0]; MAX_RECORDS];
    let mut bytes = wiring.write().expect("at the bound");
    assert!(Wiring::read(&bytes).is_ok());
    for count in [MAX_RECORDS as u64 + 1, u64::MAX, u64::MAX / 8] {
        bytes[8 * 8..8 * 9].copy_from_slice(&count.to_le_bytes());
        assert_eq!(Wiring::read(&bytes), Err(Error::Corrupt));
    }
    wiring.routes.push(wiring.routes[0]);
    assert_eq!(wiring.write(), Err(Error::OverLimit));
}
