//! Builds scenes and keeps unchanged items the same.

use podium_sim::collections::BTreeMap;
use std::rc::Rc;

use podium_sim::api::{Kind, Obj};
use podium_sim::{Str, World};

use crate::look::{Look, Signs};
use crate::model::{Board, Client, Disk, Group, NodeItem, Pod, PodState, Scene, Slot};
use crate::{net, pods, sets};

/// The items of the last scene, by what stays of them.
#[derive(Default)]
pub(crate) struct Keep {
    pods: BTreeMap<Str, Rc<Pod>>,
    disks: BTreeMap<Str, Rc<Disk>>,
    slots: BTreeMap<Str, Rc<Slot>>,
    groups: BTreeMap<Str, Rc<Group>>,
    boards: BTreeMap<Str, Rc<Board>>,
    clients: BTreeMap<Str, Rc<Client>>,
    nodes: BTreeMap<Str, Rc<NodeItem>>,
    /// Places as they were made last, and what they were made of.
    made: BTreeMap<(Str, i64), (Made, Rc<Slot>)>,
    /// States of pods, with the version and the sign that they were read from.
    states: BTreeMap<Str, (Obj, Option<Str>, PodState)>,
}

/// All that the picture of a place depends on. Where it is the same as last time, so is the
/// picture: with a thousand places, most are.
pub(crate) struct Made {
    pod: Option<Obj>,
    sign: Option<Str>,
    disks: Vec<(Obj, Option<Obj>, Option<Obj>)>,
    newest: Str,
    writes: u64,
    lost: bool,
    wanted: bool,
}

impl Made {
    /// What a place is made of now: its pod, and its claims with their attachments and volumes.
    pub(crate) fn of(
        look: &Look<'_>,
        pod: Option<&Obj>,
        claims: &[Obj],
        newest: &Str,
        wanted: bool,
    ) -> Self {
        let disks = claims.iter().map(|claim| {
            let volume = claim.spec()["volumeName"].str();
            let pv = look.w.store.get(Kind::PersistentVolume, "", volume);
            (claim.clone(), look.attachment(volume).cloned(), pv.cloned())
        });
        Self {
            pod: pod.cloned(),
            sign: pod.and_then(|p| look.signs.of(p)).cloned(),
            disks: disks.collect(),
            newest: newest.clone(),
            writes: look.w.storage.writes,
            lost: pod.is_some_and(|p| look.lost(&p.pod().node)),
            wanted,
        }
    }

    fn same(&self, other: &Self) -> bool {
        let same = |a: &Option<Obj>, b: &Option<Obj>| match (a, b) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        // what an empty place waits for is said by others
        self.pod.is_some()
            && same(&self.pod, &other.pod)
            && self.sign == other.sign
            && self.newest == other.newest
            && (self.lost, self.wanted) == (other.lost, other.wanted)
            && (self.disks.is_empty() || self.writes == other.writes)
            && self.disks.len() == other.disks.len()
            && self
                .disks
                .iter()
                .zip(&other.disks)
                .all(|(a, b)| Rc::ptr_eq(&a.0, &b.0) && same(&a.1, &b.1) && same(&a.2, &b.2))
    }
}

fn keep<T: PartialEq>(map: &mut BTreeMap<Str, Rc<T>>, id: Str, item: T) -> Rc<T> {
    if let Some(old) = map.get(&id)
        && **old == item
    {
        return old.clone();
    }
    let item = Rc::new(item);
    map.insert(id, item.clone());
    item
}

impl Keep {
    pub(crate) fn pod(&mut self, pod: Pod) -> Rc<Pod> {
        keep(&mut self.pods, pod.uid.clone(), pod)
    }
    pub(crate) fn disk(&mut self, disk: Disk) -> Rc<Disk> {
        keep(&mut self.disks, disk.uid.clone(), disk)
    }
    pub(crate) fn slot(&mut self, slot: Slot) -> Rc<Slot> {
        keep(&mut self.slots, slot.id.clone(), slot)
    }
    pub(crate) fn group(&mut self, group: Group) -> Rc<Group> {
        keep(&mut self.groups, group.uid.clone(), group)
    }
    pub(crate) fn board(&mut self, board: Board) -> Rc<Board> {
        keep(&mut self.boards, board.uid.clone(), board)
    }
    pub(crate) fn client(&mut self, client: Client) -> Rc<Client> {
        keep(&mut self.clients, client.pod.uid.clone(), client)
    }
    pub(crate) fn node(&mut self, node: NodeItem) -> Rc<NodeItem> {
        keep(&mut self.nodes, node.key.name.clone(), node)
    }

    /// The place as it was made last, if it is made of the same now.
    pub(crate) fn made(&self, id: &Str, n: i64, now: &Made) -> Option<Rc<Slot>> {
        let (made, slot) = self.made.get(&(id.clone(), n))?;
        // whether a disk is being attached also shows in volumes that are no claims of the place
        let settled = |p: &Rc<Pod>| !matches!(p.state, PodState::Starting | PodState::Attaching);
        let settled = made.sign.is_some() || slot.pod.as_ref().is_some_and(settled);
        (settled && made.same(now)).then(|| slot.clone())
    }

    /// Keeps what a place was made of.
    pub(crate) fn remember(&mut self, id: &Str, n: i64, made: Made, slot: &Rc<Slot>) {
        if made.pod.is_some() {
            self.made.insert((id.clone(), n), (made, slot.clone()));
        }
    }

    /// The state of a pod, for a node's small picture of it.
    pub(crate) fn state(&mut self, look: &Look<'_>, pod: &Obj) -> PodState {
        let sign = look.signs.of(pod);
        if let Some((seen, read, state)) = self.states.get(pod.uid_ref())
            && Rc::ptr_eq(seen, pod)
            && read.as_ref() == sign
        {
            return *state;
        }
        let state = pods::state(pod, sign.map(Str::as_str)).0;
        self.states.insert(pod.uid(), (pod.clone(), sign.cloned(), state));
        state
    }

    /// Forgets what is no longer on stage.
    fn sweep(&mut self, w: &World) {
        self.made.retain(|_, (_, slot)| Rc::strong_count(slot) > 2);
        if self.states.len() > w.store.count(Kind::Pod) + 64 {
            self.states.retain(|_, (pod, ..)| w.store.by_key(&pod.key()).is_some());
        }
        self.pods.retain(|_, v| Rc::strong_count(v) > 1);
        self.disks.retain(|_, v| Rc::strong_count(v) > 1);
        self.slots.retain(|_, v| Rc::strong_count(v) > 1);
        self.groups.retain(|_, v| Rc::strong_count(v) > 1);
        self.boards.retain(|_, v| Rc::strong_count(v) > 1);
        self.clients.retain(|_, v| Rc::strong_count(v) > 1);
    }
}

/// Makes the scene of a moment; keeps the last one to share what is the same.
#[derive(Default)]
pub struct Director {
    keep: Keep,
    signs: Signs,
    scene: Rc<Scene>,
    /// Length of the log, writes to disks, and the time at which something under way ends.
    seen: Option<(u64, u64, Option<u64>)>,
    at: u64,
}

impl Director {
    /// The scene of this world. The same `Rc` as before if nothing on stage has changed.
    pub fn scene(&mut self, w: &World) -> Rc<Scene> {
        if let Some((len, writes, next)) = self.seen
            && (len, writes) == (w.log.len(), w.storage.writes)
            && w.now >= self.at
            && next.is_none_or(|n| w.now < n)
        {
            return self.scene.clone();
        }
        self.signs.follow(w);
        let look = Look::new(w, &self.signs);
        let talk = net::talk(w);
        let groups = sets::groups(&look, &mut self.keep);
        let boards = net::boards(w, &mut self.keep);
        let clients = net::clients(&look, &mut self.keep, &talk);
        let nodes = net::nodes(&look, &mut self.keep);
        self.seen = Some((w.log.len(), w.storage.writes, talk.next));
        self.at = w.now;
        let scene = Scene { groups, boards, clients, nodes, packets: talk.packets };
        if scene != *self.scene {
            self.scene = Rc::new(scene);
            self.keep.sweep(w);
        }
        self.scene.clone()
    }

    /// Forgets the last scene: another world comes next.
    pub fn forget(&mut self) {
        self.seen = None;
        self.signs = Signs::default();
    }
}
