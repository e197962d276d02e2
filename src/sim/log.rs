//! The log of everything that happened, each entry with its cause.

use std::rc::Rc;

use crate::api::{Key, Obj};
use crate::queue::Comp;
use crate::value::Str;

/// Number of an entry in the log, from 0.
pub type Seq = u64;

/// One thing that happened.
#[derive(Clone)]
pub struct Record {
    /// When, in microseconds.
    pub at: u64,
    /// The entry that caused it; none for a user's act.
    pub cause: Option<Seq>,
    /// Who did it.
    pub by: Comp,
    /// The rule of the component that fired, a key of static/i18n (`sts.create-missing`).
    pub rule: &'static str,
    /// What happened.
    pub what: What,
}

/// How an object changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeType {
    /// It is new.
    Added,
    /// It has a new version.
    Modified,
    /// It is gone; the record holds its last version.
    Deleted,
}

/// What happened.
#[derive(Clone)]
pub enum What {
    /// An object was added, changed or removed.
    Change {
        /// How.
        change: ChangeType,
        /// The version before, if there was one.
        old: Option<Obj>,
        /// The version after (the last one, if it was removed).
        new: Obj,
    },
    /// A person did something: the command that does it.
    Act(Str),
    /// A client asked for a name.
    Lookup {
        /// Who asked: the pod.
        client: Key,
        /// The name as typed.
        name: Str,
        /// The addresses; empty with NXDOMAIN.
        answer: Rc<[Str]>,
        /// When the answer is back, microseconds.
        until: u64,
    },
    /// A client opened a connection.
    Connect {
        /// Who: the pod.
        client: Key,
        /// The address that it dialled.
        ip: Str,
        /// The pod that answered, if any did.
        server: Option<Key>,
        /// When the answer, or the failure, is there, microseconds.
        until: u64,
    },
}

const CHUNK: usize = 128;

/// Append-only; a clone shares all full chunks.
#[derive(Clone, Default)]
pub struct Log {
    full: Vec<Rc<[Record]>>,
    tail: Vec<Record>,
}

impl Log {
    /// Number of entries, which is also the number of the next one.
    pub fn len(&self) -> Seq {
        (self.full.len() * CHUNK + self.tail.len()) as Seq
    }

    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends an entry and gives its number.
    pub fn push(&mut self, record: Record) -> Seq {
        let seq = self.len();
        self.tail.push(record);
        if self.tail.len() == CHUNK {
            self.full.push(std::mem::take(&mut self.tail).into());
        }
        seq
    }

    /// The entry of that number.
    pub fn get(&self, seq: Seq) -> Option<&Record> {
        let i = usize::try_from(seq).ok()?;
        match self.full.get(i / CHUNK) {
            Some(chunk) => chunk.get(i % CHUNK),
            None => self.tail.get(i.checked_sub(self.full.len() * CHUNK)?),
        }
    }

    /// Entries from `seq` on, in order, with their numbers.
    pub fn since(&self, seq: Seq) -> impl Iterator<Item = (Seq, &Record)> {
        (seq..self.len()).filter_map(|s| self.get(s).map(|r| (s, r)))
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, &Record)> {
        self.since(0)
    }

    /// The chain of causes of an entry, itself first, back to a user's act.
    pub fn chain(&self, seq: Seq) -> Vec<Seq> {
        let mut chain = vec![seq];
        let mut at = seq;
        while let Some(cause) = self.get(at).and_then(|r| r.cause) {
            if cause >= at {
                break;
            }
            chain.push(cause);
            at = cause;
        }
        chain
    }
}
