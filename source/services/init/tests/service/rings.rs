//! Rings for records: each service's own, and all of them for who reads them.

use nexus_abi::{Rights, ServiceId};
use wiring::{Grant, Restart};

use super::{World, service, system};

/// A system with a reader of records, everything up.
fn world() -> World {
    let mut wiring = system();
    wiring.services.push(service("reader", Restart::Always, &[Grant::Records]));
    let world = World::new(&wiring);
    ["driver", "launcher", "client", "reader"].into_iter().for_each(|service| world.up(service));
    world
}

impl World {
    /// What a service was given of init's own memory and notifications beside its endpoint: source and rights.
    fn given(&self, service: &str) -> Vec<(u64, u8)> {
        let id = ServiceId::service(service);
        let grants = self.see(|machine| machine.living(id).expect("lives").1.grants.clone());
        grants.into_iter().map(|(source, rights, _)| (source, rights)).collect()
    }
}

#[test]
fn a_service_can_write_its_own_ring_and_no_other() {
    let world = world();
    let (both, use_) = (Rights::USE.union(Rights::TAKE).bits(), Rights::USE.bits());
    let reader = world.given("reader");
    // Endpoint, init; its own ring and the bell; init's ring and one of each service.
    let (own, bell) = (reader[2], reader[3]);
    let rings: Vec<u64> = reader[4..].iter().map(|(source, _)| *source).collect();
    assert_eq!(rings.len(), 5);
    assert!(reader[2..].iter().all(|(_, rights)| *rights == both));
    assert!(rings.contains(&own.0), "the reader's own is among them");
    let mut owned = vec![rings[0], own.0];
    for service in ["driver", "launcher", "client"] {
        let given = world.given(service);
        let held: Vec<&(u64, u8)> = given.iter().filter(|(source, _)| rings.contains(source)).collect();
        assert_eq!(held.len(), 1, "{service}");
        assert_eq!(held[0].1, both);
        assert!(!owned.contains(&held[0].0), "{service} has a ring of its own");
        owned.push(held[0].0);
        assert!(given.contains(&(bell.0, use_)), "{service} can ring the bell and not take it");
    }
}

#[test]
fn rings_outlive_their_writers_and_their_reader() {
    let world = world();
    let before = (world.given("driver"), world.given("reader"));
    for service in ["driver", "reader"] {
        world.crash(service);
        world.wait(20);
        world.up(service);
    }
    let rings = |given: &[(u64, u8)]| given.iter().map(|(source, _)| *source).collect::<Vec<_>>();
    assert_eq!(rings(&world.given("reader"))[2..], rings(&before.1)[2..]);
    assert!(before.0.iter().all(|given| given.1 == Rights::ALL.bits() || world.given("driver").contains(given)));
}

#[test]
fn without_a_reader_there_are_no_rings() {
    assert_eq!(World::ready().given("client").len(), 6);
}
