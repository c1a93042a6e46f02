//! What `logs` promises to those who add and to those who read.

use alloc::string::String;
use alloc::vec::Vec;

use nexus_abi::{Error, Handle, ServiceId};
use nexus_ipc::Transport;

use super::{Broken, Kept, malformed};
use crate::logs::{self, ANYBODY, BURST, Client, Found, Sender};
use crate::record::{self, Level, MAX_BYTES, Record};

/// Attempts after which a sender without rest must have met its rate.
const FLOOD: u32 = 40 * BURST;

/// The bytes of a record whose parts may break their bounds, as a hostile sender would write them.
fn raw(level: u8, target: &str, text: &str, fields: &str) -> Vec<u8> {
    let mut bytes = Vec::from([level, target.len() as u8]);
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend((fields.len() as u16).to_le_bytes());
    [target, text, fields].iter().for_each(|part| bytes.extend(part.as_bytes()));
    bytes
}

fn sound(level: Level, text: &str) -> Vec<u8> {
    let record = Record { level, target: "contract", text, fields: "kind=proof\0" };
    record.write(&mut [0; MAX_BYTES]).map(<[u8]>::to_vec).unwrap_or_default()
}

fn stated<T: Transport>(client: &mut Client<T>, own: ServiceId) -> Result<Sender, Broken> {
    let mut index = 0;
    loop {
        match client.sender(index) {
            Ok(sender) if sender.sender == own => return Ok(sender),
            Ok(_) => index += 1,
            Err(Error::NotFound) => return Ok(Sender { sender: own, kept: 0, malformed: 0, limited: 0, dropped: 0 }),
            Err(_) => return Err(Broken("senders are listed to the end, which is ENOENT")),
        }
    }
}

/// Every record of `own` behind number `after`.
fn found<T: Transport>(client: &mut Client<T>, own: ServiceId, after: u64, level: Level) -> Vec<Found> {
    let (mut after, mut all) = (after, Vec::new());
    while let Ok(found) = client.next(after, level as u8, own) {
        after = found.sequence;
        all.push(found);
    }
    all
}

fn end<T: Transport>(client: &mut Client<T>) -> Result<u64, Broken> {
    client.tail(0, Level::Trace as u8, ANYBODY).map(|tailed| tailed.after).map_err(|_| Broken("the log has an end"))
}

/// Records that must be refused with `EINVAL`: nothing is kept of them, and each is counted.
fn refused<T: Transport>(caller: T, own: ServiceId, records: &[Vec<u8>]) -> Kept {
    let mut client = Client::new(caller);
    let (before, behind) = (stated(&mut client, own)?, end(&mut client)?);
    for bytes in records {
        let refusal = client.append(bytes).err();
        promise!(refusal == Some(Error::Invalid), "such a record is EINVAL");
    }
    let after = stated(&mut client, own)?;
    let counted = after.malformed - before.malformed == records.len() as u64;
    promise!(counted && after.kept == before.kept, "each refusal is counted and none is kept");
    promise!(found(&mut client, own, behind, Level::Trace).is_empty(), "a refused record cannot be read");
    Ok(())
}

/// Targets, texts and fields over their bounds, and too many fields.
pub fn oversized_fields<T: Transport>(caller: T, own: ServiceId) -> Kept {
    let long = |length: usize| "x".repeat(length);
    let many = "k=v\0".repeat(record::MAX_FIELDS + 1);
    let wide = alloc::format!("k={}\0", long(record::MAX_FIELD_BYTES - 2));
    let records = [
        raw(3, &long(record::MAX_TARGET + 1), "text", ""),
        raw(3, "target", &long(record::MAX_TEXT + 1), ""),
        raw(3, "target", "text", &wide),
        raw(3, "target", "text", &many),
        raw(3, "target", "text", &alloc::format!("{}=v\0", long(record::MAX_KEY + 1))),
    ];
    refused(caller, own, &records)
}

/// Fields that claim to be the sender; and a record without one carries the kernel's identity all the same.
pub fn identity_spoof<T: Transport + Clone>(caller: T, own: ServiceId) -> Kept {
    let claim = |field: &str| raw(3, "target", "text", field);
    refused(caller.clone(), own, &[claim("sender=init\0"), claim("service_id=1\0"), claim("k=v\0pid=1\0")])?;
    let mut client = Client::new(caller);
    let behind = end(&mut client)?;
    let appended = client.append(&raw(3, "init", "service=init", "by=init\0")).map(|appended| appended.sequence);
    let kept = found(&mut client, own, behind, Level::Info);
    let own_alone = kept.len() == 1 && kept[0].sender == own && Ok(kept[0].sequence) == appended;
    promise!(own_alone, "a record is the sender's by the kernel's word, whatever its text names");
    Ok(())
}

/// A sender that does not rest is refused with `ERATELIMITED`; exactly what was answered so is counted so.
pub fn rate_limited<T: Transport>(caller: T, own: ServiceId) -> Kept {
    let mut client = Client::new(caller);
    let before = stated(&mut client, own)?;
    let flood = sound(Level::Trace, "flood");
    let (mut kept, mut limited) = (0, 0);
    for _ in 0..FLOOD {
        match client.append(&flood) {
            Ok(_) => kept += 1,
            Err(Error::RateLimited) => limited += 1,
            Err(_) => return Err(Broken("a flood is ERATELIMITED and nothing else")),
        }
        if limited == 16 {
            break;
        }
    }
    promise!(limited == 16, "a sender that does not rest is refused");
    let after = stated(&mut client, own)?;
    promise!(after.limited - before.limited == limited, "every refused record is counted, and no other");
    promise!(after.kept - before.kept == kept, "every accepted record is counted, and no other");
    Ok(())
}

/// Malformed requests, and a caller whose handle permits nothing.
pub fn hardened<T: Transport, D: Transport>(mut caller: T, powerless: D, events: Handle) -> Kept {
    malformed(&mut caller, logs::NAME, logs::METHODS)?;
    let mut client = Client::new(caller);
    let behind = end(&mut client)?;
    promise!(client.append(&[]).err() == Some(Error::Invalid), "an empty record is EINVAL");
    promise!(client.append(&[0xff; 64]).err() == Some(Error::Invalid), "bytes that are no record are EINVAL");
    promise!(client.next(behind, 0, ANYBODY).err() == Some(Error::Invalid), "a level that does not exist is EINVAL");
    promise!(client.tail(1, 6, ANYBODY).err() == Some(Error::Invalid), "nor does any above the last");
    promise!(client.next(u64::MAX, 5, ANYBODY).err() == Some(Error::NotFound), "behind the end is nothing");
    promise!(client.name(ServiceId(2)).err() == Some(Error::NotFound), "who is not in the manifest has no name");
    let mut stranger = Client::new(powerless);
    let denied = [
        stranger.append(&sound(Level::Info, "stranger")).err(),
        stranger.next(0, 5, ANYBODY).err(),
        stranger.tail(1, 5, ANYBODY).err(),
        stranger.sender(0).err(),
        stranger.watch(0, events, 1).err(),
    ];
    promise!(denied.iter().all(|error| *error == Some(Error::Permission)), "who has no permission gets EPERM");
    Ok(())
}

/// What was added can be asked for: by sender, by level, from a place on, the last ones; and a watch fires.
pub fn queried<T: Transport>(caller: T, own: ServiceId, events: Handle, mut fired: impl FnMut() -> bool) -> Kept {
    let mut client = Client::new(caller);
    let behind = end(&mut client)?;
    promise!(client.watch(behind, events, 1).is_ok() && !fired(), "a watch waits for what is not there yet");
    for (level, text) in [(Level::Warn, "first"), (Level::Debug, "second"), (Level::Error, "third")] {
        promise!(client.append(&sound(level, text)).is_ok(), "a sound record is kept");
    }
    promise!(fired(), "a watch fires when there is a record");
    let texts = |all: &[Found]| -> Vec<String> {
        all.iter().filter_map(|found| Some(Record::read(&found.record).ok()?.text.into())).collect()
    };
    let all = found(&mut client, own, behind, Level::Trace);
    promise!(texts(&all) == ["first", "second", "third"], "records of all levels come in the order of adding");
    promise!(all.iter().all(|found| found.sender == own), "each with its sender");
    promise!(all.is_sorted_by_key(|found| found.at), "and the time at which it came");
    let grave = found(&mut client, own, behind, Level::Warn);
    promise!(texts(&grave) == ["first", "third"], "a level leaves out what matters less");
    let others = client.next(behind, Level::Trace as u8, ServiceId(3)).err();
    promise!(others == Some(Error::NotFound), "another's records are not this sender's");
    let last = client.tail(2, Level::Trace as u8, own).map(|tailed| tailed.after);
    promise!(last == Ok(all[0].sequence), "the last two stand behind the one before them");
    let named = client.name(own);
    promise!(named.is_ok(), "a sender of the manifest has its name there");
    Ok(())
}
