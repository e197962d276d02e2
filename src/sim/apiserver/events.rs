//! Events: recorded with counts, as client-go's recorder does (behaviour/pod-lifecycle.md 9):
//! repetitions are counted, many similar ones are combined, and a flood is dropped.

use std::rc::Rc;

use crate::collections::BTreeMap;

use crate::api::event::{self, Draft};
pub use crate::api::event::{EventType, Note};
use crate::api::time::{SECOND, rfc3339, rfc3339_micro};
use crate::api::{Key, Kind, Obj, Object};
use crate::apiserver::Sub;
use crate::log::ChangeType;
use crate::value;
use crate::value::Str;
use crate::world::World;

/// That many different messages of one kind about one object are told; the next are combined.
const SIMILAR: usize = 10;
/// Similar events that lie further apart are not combined, microseconds.
const SIMILAR_WITHIN: u64 = 600 * SECOND;
/// A component may tell that many events about an object at once…
const BURST: u64 = 25;
/// …and one more in each such time, microseconds.
const REFILL: u64 = 300 * SECOND;
/// The newer API forgets a series in which nothing was told for that long, microseconds.
const SERIES: u64 = 360 * SECOND;

/// Remembers which event object counts which repetition.
#[derive(Clone, Default)]
pub struct Recorder {
    told: BTreeMap<Str, Rc<Told>>,
    serial: u64,
}

/// What was told about one object.
#[derive(Clone, Default)]
struct Told {
    known: Vec<Known>,
    /// By reason and component.
    similar: Vec<(Str, Str, Similar)>,
    /// By component and host: the time at which all its tokens are back.
    buckets: Vec<(Str, Str, u64)>,
    /// What the scheduler told, through the newer API.
    series: Vec<Series>,
}

/// Appends to a list of which there is one for each object: no room for more than is there.
fn push<T>(list: &mut Vec<T>, item: T) {
    list.reserve_exact(1);
    list.push(item);
}

/// An event told so far; dropped repetitions count too.
#[derive(Clone)]
struct Known {
    reason: Str,
    field_path: Str,
    message: Str,
    /// Name of the event object; empty if all were dropped.
    name: Str,
    count: i64,
}

/// Events of the newer API: one of the same reason about the same version of the object
/// continues a series, whatever it says, and only the second one of a series is written.
#[derive(Clone)]
struct Series {
    reason: Str,
    /// `resourceVersion` of the object.
    version: Str,
    name: Str,
    count: i64,
    last: u64,
}

/// Different messages of one kind about one object.
#[derive(Clone, Default)]
struct Similar {
    messages: Vec<Str>,
    last: u64,
}

impl Told {
    /// Takes a token of the component for the object; false if there is none.
    fn admit(&mut self, note: &Note, now: u64) -> bool {
        let known =
            self.buckets.iter_mut().find(|(c, h, _)| *c == note.component && *h == note.host);
        let Some((.., full)) = known else {
            push(&mut self.buckets, (note.component.clone(), note.host.clone(), now + REFILL));
            return true;
        };
        let next = (*full).max(now) + REFILL;
        let admitted = next <= now + BURST * REFILL;
        if admitted {
            *full = next;
        }
        admitted
    }

    /// Is this one of many similar events, to be combined?
    fn combine(&mut self, note: &Note, now: u64) -> bool {
        let known =
            self.similar.iter().position(|(r, c, _)| *r == note.reason && *c == note.component);
        let i = known.unwrap_or_else(|| {
            let similar = (note.reason.clone(), note.component.clone(), Similar::default());
            push(&mut self.similar, similar);
            self.similar.len() - 1
        });
        let similar = &mut self.similar[i].2;
        if now - similar.last > SIMILAR_WITHIN {
            similar.messages.clear();
        }
        similar.last = now;
        if similar.messages.contains(&note.message) {
            return false;
        }
        // the recorder remembers the new message and forgets one of the others, any: it hardly
        // ever is the one that comes again next, so it is the oldest here
        let many = similar.messages.len() + 1 >= SIMILAR;
        if many {
            similar.messages.remove(0);
        }
        push(&mut similar.messages, note.message.clone());
        many
    }

    /// Counts the event; gives the place of its entry.
    fn count(&mut self, note: &Note, combined: bool) -> usize {
        let which = if combined { (&EMPTY, &EMPTY) } else { (&note.field_path, &note.message) };
        let known = self
            .known
            .iter()
            .position(|k| (&k.field_path, &k.message) == which && k.reason == note.reason);
        let i = known.unwrap_or_else(|| {
            let known = Known {
                reason: note.reason.clone(),
                field_path: which.0.clone(),
                message: which.1.clone(),
                name: Str::default(),
                count: 0,
            };
            push(&mut self.known, known);
            self.known.len() - 1
        });
        self.known[i].count += 1;
        i
    }
}

const EMPTY: Str = Str::Lit("");

/// Does an event continue what is there, and if not, how does it begin?
enum Turn {
    /// Nothing has to be written.
    Told,
    /// It is written, and counts as that many; its entry is there.
    First(i64, usize),
}

impl World {
    /// Records an event about an object; a repetition counts up the event that is there.
    pub fn event(&mut self, about: &Obj, note: Note) {
        let ns = if about.ns().is_empty() { Str::Lit("default") } else { about.ns() };
        let scheduler = note.by_scheduler();
        let mut note = note;
        let turn = if scheduler {
            self.continue_series(about, &note, &ns)
        } else {
            self.count(about, &mut note, &ns)
        };
        let Turn::First(count, place) = turn else { return };
        self.recorder.serial += 1;
        let name = event::name(about, self.now, self.recorder.serial);
        let open = |n: &Obj| !n.terminating();
        if !self.store.get(Kind::Namespace, "", &ns).is_some_and(open) {
            return;
        }
        let serial = self.next_serial(Kind::Event);
        self.store.revision += 1;
        let draft = Draft {
            name: name.clone(),
            ns,
            about: about.clone(),
            note,
            count,
            at: self.now,
            origin: (self.config.seed, serial),
            revision: self.store.revision,
        };
        self.keep(ChangeType::Added, None, Object::event(draft));
        let told = Rc::make_mut(self.recorder.told.entry(about.uid()).or_default());
        if scheduler {
            told.series[place].name = name;
        } else {
            told.known[place].name = name;
        }
    }

    /// Counts an event of the older API up, or says that it is new.
    fn count(&mut self, about: &Obj, note: &mut Note, ns: &Str) -> Turn {
        let told = Rc::make_mut(self.recorder.told.entry(about.uid()).or_default());
        let combined = told.combine(note, self.now);
        let dropped = !told.admit(note, self.now);
        let place = told.count(note, combined);
        let (name, count) = (told.known[place].name.clone(), told.known[place].count);
        if combined {
            note.message = format!("(combined from similar events): {}", note.message).into();
        }
        if dropped {
            return Turn::Told;
        }
        let now = self.now;
        let counted = !name.is_empty()
            && self
                .modify(&Key::new(Kind::Event, ns.clone(), name), Sub::Main, |e| {
                    e.set("count", count);
                    e.set("lastTimestamp", rfc3339(now));
                    e.set("message", &note.message);
                })
                .is_some();
        if counted { Turn::Told } else { Turn::First(count, place) }
    }

    /// The same for the newer API.
    fn continue_series(&mut self, about: &Obj, note: &Note, ns: &Str) -> Turn {
        let now = self.now;
        let told = Rc::make_mut(self.recorder.told.entry(about.uid()).or_default());
        told.series.retain(|s| now - s.last <= SERIES);
        let version = about.resource_version();
        let known =
            told.series.iter_mut().find(|s| s.reason == note.reason && s.version == version);
        let Some(series) = known else {
            let (reason, version) = (note.reason.clone(), value::text(version));
            push(
                &mut told.series,
                Series { reason, version, name: Str::default(), count: 1, last: now },
            );
            return Turn::First(1, told.series.len() - 1);
        };
        series.count += 1;
        series.last = now;
        if series.count == 2 {
            let key = Key::new(Kind::Event, ns.clone(), series.name.clone());
            // an event that is gone is not made again
            let _ = self.modify(&key, Sub::Main, |e| {
                e.set("series", value!({"count": 2, "lastObservedTime": (rfc3339_micro(now))}));
            });
        }
        Turn::Told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn events(w: &World) -> Vec<(Str, i64)> {
        w.store
            .all(Kind::Event)
            .map(|e| (e.value["message"].to_str(), e.value["count"].int_or(0)))
            .collect()
    }

    #[test]
    fn repetitions_count_similar_ones_combine_floods_drop() {
        let mut w = World::new(Config::default());
        let about = w.store.get(Kind::Node, "", "worker-1").expect("node").clone();
        let tell = |w: &mut World, n: usize| {
            w.event(&about, Note::normal("test", "Tested", format!("message {n}")));
        };
        tell(&mut w, 1);
        tell(&mut w, 1);
        assert_eq!(events(&w), [(Str::Lit("message 1"), 2)]);
        for n in 2..=11 {
            tell(&mut w, n);
        }
        let found = events(&w);
        assert_eq!(found.len(), 10);
        // the tenth and the eleventh message are one event
        let combined = (Str::Lit("(combined from similar events): message 11"), 2);
        assert!(found.contains(&combined), "{found:?}");
        for _ in 0..100 {
            tell(&mut w, 11);
        }
        // a message that is remembered is an event of its own when it comes again;
        // twelve were told before, this is what is left of 25
        assert!(events(&w).contains(&(Str::Lit("message 11"), 13)));
        w.now += REFILL;
        tell(&mut w, 11);
        tell(&mut w, 11);
        // what was dropped was counted all the same
        assert!(events(&w).contains(&(Str::Lit("message 11"), 101)));
    }
}
