//! The timeline's lanes, read from the log as it grows.

use std::rc::Rc;

use podium_sim::api::object::condition;
use podium_sim::api::{Key, Kind, Obj};
use podium_sim::collections::BTreeMap;
use podium_sim::log::{ChangeType, Record, Seq, What};
use podium_sim::{Str, Value, World};

use crate::pods;

/// A stretch of a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// The object's uid: a namesake's segments are not its own.
    pub uid: Str,
    /// Name of the state: class, and key `state.<name>`.
    pub state: Str,
    /// From, microseconds.
    pub from: u64,
    /// Until; none while it lasts.
    pub until: Option<u64>,
}

/// A moment on a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Number in the log.
    pub seq: Seq,
    /// When.
    pub at: u64,
    /// What to show: a command, `web-0 → 10.244.1.2`.
    pub text: Str,
    /// Something bad (NXDOMAIN, nobody there).
    pub bad: bool,
}

/// What a lane is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LaneKind {
    /// Acts of people.
    You,
    /// A node that was away.
    Node,
    /// A pod's name.
    Pod,
    /// Names.
    Dns,
    /// A claim.
    Claim,
}

/// A lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// What it is about.
    pub kind: LaneKind,
    /// The object; none for acts and names.
    pub key: Option<Key>,
    /// Stretches in order.
    pub segments: Vec<Segment>,
    /// Moments in order.
    pub marks: Vec<Mark>,
}

/// All lanes of a branch, grown with its log.
#[derive(Default)]
pub struct Lanes {
    seen: Seq,
    branch: u32,
    lanes: Vec<Rc<Lane>>,
    /// Where the lane of something stands in that list.
    places: BTreeMap<(LaneKind, Option<Key>), usize>,
    /// The places in the order in which they are shown.
    order: Vec<usize>,
    list: Rc<Vec<Rc<Lane>>>,
}

impl Lanes {
    /// The lanes of this branch up to its furthest moment. Reads only what is new.
    pub fn update(&mut self, tip: &World, branch: u32) -> Rc<Vec<Rc<Lane>>> {
        if branch != self.branch || tip.log.len() < self.seen {
            *self = Self { branch, ..Self::default() };
        }
        if tip.log.len() == self.seen {
            return self.list.clone();
        }
        for (seq, record) in tip.log.since(self.seen) {
            self.read(seq, record);
        }
        self.seen = tip.log.len();
        if self.order.len() < self.lanes.len() {
            self.order = (0..self.lanes.len()).collect();
            self.order.sort_by_cached_key(|i| order(&self.lanes[*i]));
        }
        self.list = Rc::new(self.order.iter().map(|i| self.lanes[*i].clone()).collect());
        self.list.clone()
    }

    fn lane(&mut self, kind: LaneKind, key: Option<Key>) -> &mut Lane {
        let id = (kind, key);
        let place = self.places.get(&id).copied().unwrap_or_else(|| {
            let (segments, marks) = (Vec::new(), Vec::new());
            self.lanes.push(Rc::new(Lane { kind, key: id.1.clone(), segments, marks }));
            let place = self.lanes.len() - 1;
            self.places.insert(id, place);
            place
        });
        Rc::make_mut(&mut self.lanes[place])
    }

    fn read(&mut self, seq: Seq, record: &Record) {
        let at = record.at;
        match &record.what {
            What::Act(text) => {
                let mark = Mark { seq, at, text: text.clone(), bad: false };
                self.lane(LaneKind::You, None).marks.push(mark);
            }
            What::Lookup { client, name, answer, .. } => {
                let shown = answer.first().map_or("NXDOMAIN", Str::as_str);
                let text = format!("{}: {name} → {shown}", client.name).into();
                let mark = Mark { seq, at, text, bad: answer.is_empty() };
                self.lane(LaneKind::Dns, None).marks.push(mark);
            }
            What::Connect { client, ip, server, .. } => {
                let shown = server.as_ref().map_or("✕", |s| s.name.as_str());
                let text = format!("{}: {ip} → {shown}", client.name).into();
                let mark = Mark { seq, at, text, bad: server.is_none() };
                self.lane(LaneKind::Dns, None).marks.push(mark);
            }
            What::Change { change, new, old } => match new.kind {
                Kind::Pod if new.ns() != "kube-system" => {
                    let state = (*change != ChangeType::Deleted)
                        .then(|| pods::state(new, None).0.name().into());
                    self.lane(LaneKind::Pod, Some(new.key())).goes(at, new.uid(), state);
                }
                Kind::Event => self.sign(at, new),
                Kind::EndpointSlice => {
                    let gone = *change == ChangeType::Deleted;
                    self.names(seq, at, old.as_ref(), (!gone).then_some(new));
                }
                Kind::PersistentVolumeClaim => {
                    let state = match change {
                        ChangeType::Deleted => None,
                        _ if new.terminating() => Some("terminating".into()),
                        _ => Some(new.status()["phase"].str().to_ascii_lowercase().into()),
                    };
                    self.lane(LaneKind::Claim, Some(new.key())).goes(at, new.uid(), state);
                }
                Kind::Node => {
                    let away = condition(&new.value, "Ready")["status"].str() != "True"
                        && *change != ChangeType::Deleted;
                    let known = self.places.contains_key(&(LaneKind::Node, Some(new.key())));
                    if away || known {
                        let state = away.then(|| "lost".into());
                        self.lane(LaneKind::Node, Some(new.key())).goes(at, new.uid(), state);
                    }
                }
                _ => {}
            },
        }
    }

    /// Names whose addresses change.
    fn names(&mut self, seq: Seq, at: u64, old: Option<&Obj>, new: Option<&Obj>) {
        let (before, after) =
            (old.map(hosts).unwrap_or_default(), new.map(hosts).unwrap_or_default());
        let marks: Vec<Mark> = before
            .keys()
            .filter(|name| !after.contains_key(*name))
            .map(|name| (name, "NXDOMAIN", true))
            .chain(
                after
                    .iter()
                    .filter(|(name, ip)| before.get(*name) != Some(ip))
                    .map(|(name, ip)| (name, ip.as_str(), false)),
            )
            .map(|(name, ip, bad)| Mark { seq, at, text: format!("{name} → {ip}").into(), bad })
            .collect();
        if !marks.is_empty() {
            self.lane(LaneKind::Dns, None).marks.extend(marks);
        }
    }

    /// Kubelets tell of pulls by events.
    fn sign(&mut self, at: u64, event: &Obj) {
        let Some(told) = event.told().filter(|t| t.kind == "Pod") else { return };
        let state = match told.reason.as_str() {
            "Pulling" => "pulling",
            "Pulled" => "starting",
            _ => return,
        };
        let key = Key::new(Kind::Pod, told.ns, told.name);
        let uid = told.uid.clone();
        let lane = self.lane(LaneKind::Pod, Some(key));
        let starting = lane.segments.last().is_some_and(|s| {
            s.uid == uid
                && matches!(s.state.as_str(), "starting" | "pulling" | "scheduled" | "attaching")
        });
        if starting {
            lane.goes(at, uid, Some(state.into()));
        }
    }
}

/// Names of a slice that lead to a ready pod, with its address.
fn hosts(slice: &Obj) -> BTreeMap<String, Str> {
    let service = slice.label("kubernetes.io/service-name").unwrap_or_default();
    let ready = |e: &&Value| e["conditions"]["ready"].is_true() && !e["hostname"].is_null();
    slice.value["endpoints"]
        .items()
        .iter()
        .filter(ready)
        .map(|e| (format!("{}.{service}", e["hostname"].str()), e["addresses"][0].to_str()))
        .collect()
}

/// Numbered things in their order first, others as they came.
fn order(lane: &Lane) -> (LaneKind, bool, u64, Option<(Str, Str, i64)>) {
    let place = lane.key.as_ref().map(|k| {
        let (head, n) = k.name.rsplit_once('-').unwrap_or((&k.name, ""));
        match n.parse::<i64>() {
            Ok(n) => (k.ns.clone(), head.to_owned().into(), n),
            Err(_) => (k.ns.clone(), k.name.clone(), -1),
        }
    });
    let numbered = place.as_ref().is_none_or(|(.., n)| *n >= 0);
    let begin = lane.segments.first().map_or(0, |s| s.from);
    (lane.kind, !numbered, if numbered { 0 } else { begin }, place)
}

impl Lane {
    fn goes(&mut self, at: u64, uid: Str, state: Option<Str>) {
        if let Some(last) = self.segments.last_mut().filter(|s| s.until.is_none()) {
            let same = last.uid == uid && state.as_ref() == Some(&last.state);
            // a status write while the image is being pulled says no more than "starting"
            let pulling = last.uid == uid
                && last.state == "pulling"
                && state.as_ref().is_some_and(|s| *s == "starting");
            if same || (pulling && at == last.from) {
                return;
            }
            last.until = Some(at);
            if last.from == at {
                self.segments.pop();
            }
        }
        if let Some(state) = state {
            self.segments.push(Segment { uid, state, from: at, until: None });
        }
    }
}
