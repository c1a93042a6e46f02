//! Random calls on memory against a model, every invariant checked after each.
//!
//! The model says of every page what should be there, and of every call how it should end. `NEXUS_SEED=n` runs one seed; a failure prints its seed and step.

use super::bench::{BASE, Bench, PAGE};
use crate::testing::{WIDE, give, machine};
use nexus_abi::{
    Error, Handle, Kind, Part, Rights,
    syscall::{Close, Derive, Map, MemoryCreate, MemoryGrow, MemorySeal, Protect, Revoke, Syscall, Unmap, access},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    eprintln, format,
    string::String,
    vec::Vec,
};

const SEEDS: u64 = 6;
const STEPS: usize = 700;
/// Pages of each address space that the steps use.
const PAGES: u64 = 40;
const BITS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 9];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

#[derive(Clone, Copy)]
struct Object {
    /// Its reference in the arena.
    reference: u64,
    pages: u64,
    limit: u64,
    sealed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Holding {
    handle: Handle,
    object: u64,
    rights: Rights,
    parent: Option<Handle>,
    /// First page and number of pages, unless it reaches all.
    part: Option<(u64, u64)>,
}

#[derive(Clone, Copy)]
struct Mapped {
    object: u64,
    offset: u64,
    access: u8,
    through: Option<Handle>,
}

/// The system under test, and what it should be.
struct World {
    random: Random,
    /// The one who asks, and the one whose address space it also changes.
    benches: [Bench; 2],
    processes: [Option<Handle>; 2],
    objects: BTreeMap<u64, Object>,
    holdings: Vec<Holding>,
    spaces: [BTreeMap<u64, Mapped>; 2],
    outcomes: BTreeSet<String>,
}

impl World {
    fn new(seed: u64) -> World {
        let bench = Bench::with(machine(1, 700), &WIDE);
        let other = Bench::with(bench.kernel, &WIDE);
        let handle = give(bench.kernel, bench.process, Kind::Process, other.process.header.me(), Rights::USE);
        World {
            random: Random(seed),
            benches: [bench, other],
            processes: [None, Some(handle)],
            objects: BTreeMap::new(),
            holdings: Vec::new(),
            spaces: [BTreeMap::new(), BTreeMap::new()],
            outcomes: BTreeSet::new(),
        }
    }

    /// Makes the call; it must end as expected.
    fn ask<S: Syscall>(&mut self, request: S, expected: Result<(), Error>) -> Option<S::Output> {
        let answer = self.benches[0].call(request);
        let found = answer.as_ref().map(|_| ()).map_err(|&error| error);
        assert_eq!(found, expected, "{}", S::NAME);
        self.outcomes.insert(format!("{} {}", S::NAME, expected.err().map_or("ok", Error::name)));
        answer.ok()
    }

    fn object(&self, holding: &Holding) -> Object {
        self.objects[&holding.object]
    }

    fn holding(&mut self) -> Option<Holding> {
        if self.holdings.is_empty() { None } else { Some(self.random.pick(&self.holdings.clone())) }
    }

    /// First page and number of pages that it reaches.
    fn reached(&self, holding: &Holding) -> (u64, u64) {
        holding.part.unwrap_or((0, self.object(holding).pages))
    }

    fn step(&mut self) {
        match self.random.below(26) {
            0 | 1 => self.create(),
            2..=4 => self.grow(),
            5..=11 => self.map(),
            12..=15 => self.unmap(),
            16..=18 => self.protect(),
            19 => self.seal(),
            20..=22 => self.derive(),
            23 | 24 => self.close(),
            _ => self.revoke(),
        }
        self.forget_unnamed();
        self.compare();
    }

    fn create(&mut self) {
        if self.objects.len() >= 5 {
            return;
        }
        let limit = 1 + self.random.below(30);
        let Some(created) = self.ask(MemoryCreate { process: None, pages: limit }, Ok(())) else { return };
        let bench = &self.benches[0];
        let found = bench.kernel.slot(bench.process, created.memory).expect("the handle is new");
        let reference = found.object.get();
        self.objects.insert(reference, Object { reference, pages: 0, limit, sealed: false });
        let handle = created.memory;
        self.holdings.push(Holding { handle, object: reference, rights: Rights::ALL, parent: None, part: None });
    }

    fn grow(&mut self) {
        let Some(holding) = self.holding() else { return };
        let (object, wanted) = (self.object(&holding), self.random.below(20));
        let expected = if wanted == 0 {
            Err(Error::Invalid)
        } else if !holding.rights.contains(Rights::MANAGE) {
            Err(Error::Permission)
        } else if object.sealed {
            Err(Error::State)
        } else if object.pages == object.limit {
            Err(Error::OverLimit)
        } else {
            Ok(())
        };
        if let Some(grown) = self.ask(MemoryGrow { memory: holding.handle, pages: wanted }, expected) {
            assert_eq!(grown.total, object.limit.min(object.pages + wanted.min(16)));
            self.objects.get_mut(&object.reference).expect("it is held").pages = grown.total;
        }
    }

    fn map(&mut self) {
        let Some(holding) = self.holding() else { return };
        let object = self.object(&holding);
        let (space, at, bits) = (self.random.below(2) as usize, self.random.below(PAGES), self.random.pick(&BITS));
        let (first, reached) = self.reached(&holding);
        let (offset, pages) = (self.random.below(reached + 1), 1 + self.random.below(8));
        let (write, execute) = (bits & access::WRITE != 0, bits & access::EXECUTE != 0);
        let needed = if write { Rights::USE.union(Rights::TAKE) } else { Rights::USE };
        let forbidden = if execute { write || !object.sealed } else { write && object.sealed };
        let taken = (at..at + pages).any(|page| self.spaces[space].contains_key(&page));
        let expected = if bits == 0 || bits > 7 {
            Err(Error::Invalid)
        } else if forbidden || !holding.rights.contains(needed) {
            Err(Error::Permission)
        } else if offset + pages > reached {
            Err(Error::Invalid)
        } else if taken {
            Err(Error::Exists)
        } else {
            Ok(())
        };
        let address = BASE + at * PAGE;
        let process = self.processes[space];
        let request = Map { process, memory: holding.handle, address, offset, pages, access: bits };
        if let Some(mapped) = self.ask(request, expected) {
            assert_eq!(mapped.pages, pages);
            for page in 0..pages {
                let through = Some(holding.handle);
                let entry = Mapped {
                    object: object.reference,
                    offset: first + offset + page,
                    access: bits | access::READ,
                    through,
                };
                self.spaces[space].insert(at + page, entry);
            }
        }
    }

    fn unmap(&mut self) {
        let (space, at, pages) = (self.random.below(2) as usize, self.random.below(PAGES), 1 + self.random.below(9));
        let request = Unmap { process: self.processes[space], address: BASE + at * PAGE, pages };
        let Some(unmapped) = self.ask(request, Ok(())) else { return };
        assert!(unmapped.pages <= pages);
        assert_eq!(unmapped.pages == 0, !self.spaces[space].contains_key(&at));
        for page in at..at + unmapped.pages {
            self.spaces[space].remove(&page).expect("only what is mapped is unmapped");
        }
    }

    fn protect(&mut self) {
        let (space, at, pages) = (self.random.below(2) as usize, self.random.below(PAGES), 1 + self.random.below(9));
        let bits = self.random.pick(&BITS);
        let both = access::WRITE | access::EXECUTE;
        let now = self.spaces[space].get(&at).map(|mapped| mapped.access);
        let expected = match now {
            _ if bits == 0 || bits > 7 => Err(Error::Invalid),
            _ if bits & both == both => Err(Error::Permission),
            None => Err(Error::BadAddress),
            Some(now) if bits & !now != 0 => Err(Error::Permission),
            Some(_) => Ok(()),
        };
        let request = Protect { process: self.processes[space], address: BASE + at * PAGE, pages, access: bits };
        if let Some(done) = self.ask(request, expected) {
            assert!((1..=pages).contains(&done.pages));
            for page in at..at + done.pages {
                let mapped = self.spaces[space].get_mut(&page).expect("only what is mapped is changed");
                assert_eq!(Some(mapped.access), now, "one record a call");
                mapped.access = bits | access::READ;
            }
        }
    }

    fn seal(&mut self) {
        let Some(holding) = self.holding() else { return };
        let object = self.object(&holding);
        let expected = if !holding.rights.contains(Rights::MANAGE) {
            Err(Error::Permission)
        } else if object.sealed {
            Err(Error::State)
        } else {
            Ok(())
        };
        if self.ask(MemorySeal { memory: holding.handle }, expected).is_some() {
            self.objects.get_mut(&object.reference).expect("it is held").sealed = true;
            for space in &mut self.spaces {
                space.retain(|_, mapped| mapped.object != object.reference || mapped.access & access::WRITE == 0);
            }
        }
    }

    fn derive(&mut self) {
        let Some(holding) = self.holding() else { return };
        let rights = Rights::from_bits(self.random.below(16)).expect("four bits");
        let rights = if self.random.below(2) == 0 { holding.rights } else { rights };
        let allowed = holding.rights.contains(rights) && self.holdings.len() < 24;
        if !allowed {
            return;
        }
        let (first, reached) = self.reached(&holding);
        let (offset, pages) = (self.random.below(reached + 1) as u32, self.random.below(5) as u32);
        let badge = Part { offset, pages }.badge();
        let part = if badge == 0 { holding.part } else { Some((first + u64::from(offset), pages.into())) };
        let expected = if badge != 0 && rights.contains(Rights::MANAGE) {
            Err(Error::Permission)
        } else if badge != 0 && (pages == 0 || u64::from(offset + pages) > reached) {
            Err(Error::Invalid)
        } else {
            Ok(())
        };
        let request = Derive { source: holding.handle, rights, badge };
        if let Some(derived) = self.ask(request, expected) {
            let (handle, parent) = (derived.handle, Some(holding.handle));
            self.holdings.push(Holding { handle, rights, parent, part, ..holding });
        }
    }

    fn close(&mut self) {
        let Some(holding) = self.holding() else { return };
        self.ask(Close { handle: holding.handle }, Ok(()));
        self.holdings.retain(|other| other.handle != holding.handle);
        for other in self.holdings.iter_mut().filter(|other| other.parent == Some(holding.handle)) {
            other.parent = holding.parent;
        }
        for mapped in self.spaces.iter_mut().flat_map(BTreeMap::values_mut) {
            if mapped.through == Some(holding.handle) {
                mapped.through = holding.parent;
            }
        }
        self.stale(holding.handle);
    }

    fn revoke(&mut self) {
        let Some(holding) = self.holding() else { return };
        self.ask(Revoke { handle: holding.handle }, Ok(()));
        let mut gone = BTreeSet::from([holding.handle.raw()]);
        while let Some(next) = self.holdings.iter().find(|other| {
            other.parent.is_some_and(|parent| gone.contains(&parent.raw())) && !gone.contains(&other.handle.raw())
        }) {
            gone.insert(next.handle.raw());
        }
        gone.remove(&holding.handle.raw());
        self.holdings.retain(|other| !gone.contains(&other.handle.raw()));
        for space in &mut self.spaces {
            space.retain(|_, mapped| mapped.through.is_none_or(|through| !gone.contains(&through.raw())));
        }
        // What was mapped elsewhere goes, whoever did it: it may be what a borrower made who then closed its handle.
        self.spaces[1].retain(|_, mapped| mapped.through != Some(holding.handle));
        if let Some(&raw) = gone.first() {
            self.stale(Handle::from_raw(raw).expect("it was a handle"));
        }
    }

    /// A handle that was closed or revoked stays refused.
    fn stale(&mut self, memory: Handle) {
        let request = Map { process: None, memory, address: BASE, offset: 0, pages: 1, access: access::READ };
        self.ask(request, Err(Error::BadHandle));
        self.ask(MemorySeal { memory }, Err(Error::BadHandle));
    }

    /// An object that neither a handle nor a mapping names is gone.
    fn forget_unnamed(&mut self) {
        let (holdings, spaces) = (&self.holdings, &self.spaces);
        self.objects.retain(|&reference, _| {
            holdings.iter().any(|holding| holding.object == reference)
                || spaces.iter().flat_map(BTreeMap::values).any(|mapped| mapped.object == reference)
        });
    }

    fn compare(&self) {
        let kernel = self.benches[0].kernel;
        assert_eq!(kernel.memories.pool.used() as usize, self.objects.len(), "objects that live");
        for (bench, space) in self.benches.iter().zip(&self.spaces) {
            for at in 0..PAGES + 16 {
                let expected = space.get(&at).map(|mapped| {
                    let object = kernel.memories.get(mapped.object).expect("a mapping keeps its object");
                    let address = kernel.page_address(object, mapped.offset as u32).expect("it has the page");
                    (address, mapped.access)
                });
                assert_eq!(bench.page(at), expected, "page {at}");
            }
        }
    }
}

/// Every way in which a step can end, over all seeds.
const ENDS: [&str; 26] = [
    "Close ok",
    "Derive EINVAL",
    "Derive EPERM",
    "Derive ok",
    "Map EBADHANDLE",
    "Map EEXIST",
    "Map EINVAL",
    "Map EPERM",
    "Map ok",
    "MemoryCreate ok",
    "MemoryGrow EINVAL",
    "MemoryGrow EOVERLIMIT",
    "MemoryGrow EPERM",
    "MemoryGrow ESTATE",
    "MemoryGrow ok",
    "MemorySeal EBADHANDLE",
    "MemorySeal EPERM",
    "MemorySeal ESTATE",
    "MemorySeal ok",
    "Protect EFAULT",
    "Protect EINVAL",
    "Protect EPERM",
    "Protect ok",
    "Revoke ok",
    "Unmap ok",
    "close frees",
];

#[test]
fn address_spaces_follow_the_model() {
    let chosen = std::env::var("NEXUS_SEED").ok().map(|text| text.parse().expect("NEXUS_SEED is a number"));
    let seeds: Vec<u64> = chosen.map_or_else(|| (1..=SEEDS).collect(), |seed| Vec::from([seed]));
    let mut ends = BTreeSet::new();
    for &seed in &seeds {
        let mut world = World::new(seed);
        for step in 0..STEPS {
            eprintln!("NEXUS_SEED={seed} step {step}");
            let (objects, handles) = (world.objects.len(), world.holdings.len());
            world.step();
            if world.objects.len() < objects && world.holdings.len() < handles {
                ends.insert(String::from("close frees"));
            }
        }
        ends.append(&mut world.outcomes);
    }
    if chosen.is_none() {
        assert_eq!(ends.iter().map(String::as_str).collect::<Vec<_>>(), ENDS);
    }
}
