//! Boot images that differ from the built one in one thing: the world of a counterfactual.
//!
//! The built image is taken apart and sealed again, so that kernel and stage 0 stay bit for bit what ships.

use nexus_abi::image::{Entry, EntryKind, Image, seal};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::{Name, ServiceId};

/// The one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The program is not there.
    Without(String),
    /// Under the first name lies the second one's file.
    Replaced(String, String),
    /// The program's file is a service's too, under the same last name.
    Served(String),
    /// One byte of the file is another.
    Damaged(String),
    /// The program is on the list of those who may raise classes.
    Raising(String),
    /// The service is not on that list.
    Unlisted(String),
    /// The manifest is this one, resolved.
    Manifest(Vec<u8>),
}

/// The image with its difference. Programs are named as their crates.
pub fn vary(image: &[u8], difference: &Difference) -> Result<Vec<u8>, String> {
    let read = Image::read(image).map_err(|error| format!("the boot image: {}", error.name()))?;
    let mut entries: Vec<Entry> = read.entries().collect();
    let (mut bytes, mut header) = (image.to_vec(), *read.header());
    match difference {
        Difference::Without(name) => _ = entries.remove(find(&entries, name)?),
        Difference::Replaced(name, other) => {
            let (to, from) = (find(&entries, name)?, entries[find(&entries, other)?]);
            (entries[to].offset, entries[to].length, entries[to].digest) = (from.offset, from.length, from.digest);
        }
        Difference::Served(name) => {
            let program = entries[find(&entries, name)?];
            let called = Name::new(name).ok_or_else(|| format!("`{name}` is no name"))?;
            entries.push(Entry { name: called, id: ServiceId::service(name), kind: EntryKind::Service, ..program });
        }
        Difference::Damaged(name) => {
            let entry = &entries[find(&entries, name)?];
            let middle = entry.offset as usize + entry.length as usize / 2;
            bytes[middle] ^= 1;
        }
        Difference::Raising(name) => {
            let id = entries[find(&entries, name)?].id;
            let place = header.raisers.iter_mut().find(|raiser| **raiser == 0).ok_or("the list of raisers is full")?;
            *place = id.0;
        }
        Difference::Unlisted(name) => {
            let id = entries[find(&entries, name)?].id;
            let place = header.raisers.iter_mut().find(|raiser| **raiser == id.0);
            *place.ok_or_else(|| format!("`{name}` is on no list"))? = 0;
        }
        Difference::Manifest(wiring) => {
            let is_manifest = |entry: &&mut Entry| entry.kind == EntryKind::Manifest;
            let entry = entries.iter_mut().find(is_manifest).ok_or("the boot image has no manifest")?;
            (entry.offset, entry.length) = (bytes.len() as u64, wiring.len() as u64);
            entry.digest = wiring::digest(wiring);
            bytes.extend(wiring);
            bytes.resize(bytes.len().next_multiple_of(PAGE_SIZE), 0);
        }
    }
    (header.entries, header.length) = (entries.len(), bytes.len() as u64);
    seal(&mut bytes, &header, &entries).map_err(|error| format!("the changed image: {}", error.name()))?;
    Ok(bytes)
}

/// A service by its name, a program by the last part of it.
fn find(entries: &[Entry], name: &str) -> Result<usize, String> {
    let called = |entry: &Entry| entry.name.as_str().rsplit('/').next() == Some(name);
    entries.iter().position(called).ok_or_else(|| format!("no `{name}` in the boot image"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_abi::image::Header;

    /// A manifest, a service `a` and a program `app/boot/b`, one page each.
    fn image() -> Vec<u8> {
        let mut bytes = vec![0; 4 * PAGE_SIZE];
        let files = [("manifest", EntryKind::Manifest), ("a", EntryKind::Service), ("app/boot/b", EntryKind::Program)];
        let mut entries = Vec::new();
        for (at, (name, kind)) in files.into_iter().enumerate() {
            let offset = (at + 1) * PAGE_SIZE;
            bytes[offset..offset + 8].fill(at as u8 + 1);
            let (digest, name) = (wiring::digest(&[at as u8 + 1; 8]), Name::new(name).unwrap());
            entries.push(Entry { name, id: ServiceId(at as u64), kind, offset: offset as u64, length: 8, digest });
        }
        let header = Header { length: bytes.len() as u64, stack_pages: 1, entries: 3, ..Header::default() };
        seal(&mut bytes, &header, &entries).unwrap();
        bytes
    }

    fn contents(image: &[u8], name: &str) -> Option<Vec<u8>> {
        let image = Image::read(image).unwrap();
        let entry = image.find(name)?;
        let bytes = image.contents(&entry).unwrap();
        let sound = wiring::digest(bytes) == entry.digest;
        Some(if sound { bytes.to_vec() } else { b"damaged".to_vec() })
    }

    #[test]
    fn a_program_is_served_under_its_last_name_too() {
        let changed = vary(&image(), &Difference::Served("b".into())).unwrap();
        assert_eq!(contents(&changed, "b"), contents(&changed, "app/boot/b"));
        let served = Image::read(&changed).unwrap().find("b").unwrap();
        assert_eq!((served.kind, served.id), (EntryKind::Service, ServiceId::service("b")));
    }

    #[test]
    fn a_program_is_left_out_and_the_rest_stays() {
        let changed = vary(&image(), &Difference::Without("b".into())).unwrap();
        assert_eq!((contents(&changed, "app/boot/b"), contents(&changed, "a")), (None, Some(vec![2; 8])));
    }

    #[test]
    fn a_program_is_replaced_under_its_own_name_and_identity() {
        let changed = vary(&image(), &Difference::Replaced("a".into(), "b".into())).unwrap();
        assert_eq!(contents(&changed, "a"), Some(vec![3; 8]));
        assert_eq!(Image::read(&changed).unwrap().find("a").unwrap().id, ServiceId(1));
    }

    #[test]
    fn a_damaged_program_no_longer_has_its_digest() {
        let changed = vary(&image(), &Difference::Damaged("b".into())).unwrap();
        assert_eq!(contents(&changed, "app/boot/b"), Some(b"damaged".to_vec()));
        assert_eq!(contents(&changed, "a"), Some(vec![2; 8]));
    }

    #[test]
    fn a_program_is_put_on_the_list_of_those_who_may_raise_and_taken_off_it() {
        let changed = vary(&image(), &Difference::Raising("b".into())).unwrap();
        assert_eq!(Image::read(&changed).unwrap().header().raisers, [2, 0, 0, 0]);
        let changed = vary(&changed, &Difference::Unlisted("b".into())).unwrap();
        assert_eq!(Image::read(&changed).unwrap().header().raisers, [0; 4]);
    }

    #[test]
    fn the_manifest_is_exchanged() {
        let changed = vary(&image(), &Difference::Manifest(vec![7; 5000])).unwrap();
        assert_eq!(contents(&changed, "manifest"), Some(vec![7; 5000]));
    }

    #[test]
    fn what_is_not_there_cannot_be_changed() {
        assert_eq!(vary(&image(), &Difference::Without("c".into())).unwrap_err(), "no `c` in the boot image");
        assert!(vary(b"no image", &Difference::Without("a".into())).is_err());
    }
}
