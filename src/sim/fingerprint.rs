//! One number that stands for a whole history: equal histories give equal numbers, in native
//! code and in wasm.

use std::fmt::Write as _;

use crate::log::{ChangeType, What};
use crate::world::World;

/// FNV-1a over text, as it is written.
struct Hasher(u64);

impl std::fmt::Write for Hasher {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        for b in s.bytes() {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

impl World {
    /// Hash of everything in the log: times, causes, rules, whole objects, lookups.
    pub fn fingerprint(&self) -> u64 {
        let mut h = Hasher(0xcbf2_9ce4_8422_2325);
        for (seq, r) in self.log.iter() {
            // writing into the hasher cannot fail
            let _ = write!(h, "{seq} {} {:?} {:?} {} ", r.at, r.cause, r.by, r.rule);
            let _ = match &r.what {
                What::Change { change, new, .. } => {
                    let kind = match change {
                        ChangeType::Added => "ADDED",
                        ChangeType::Modified => "MODIFIED",
                        ChangeType::Deleted => "DELETED",
                    };
                    writeln!(h, "{kind} {}", *new.value)
                }
                What::Act(text) => writeln!(h, "act {text}"),
                What::Lookup { client, name, answer, until } => {
                    writeln!(h, "lookup {} {name} {answer:?} {until}", client.name)
                }
                What::Connect { client, ip, server, until } => {
                    let server = server.as_ref().map(|s| s.name.clone());
                    writeln!(h, "connect {} {ip} {server:?} {until}", client.name)
                }
            };
        }
        h.0
    }
}
