//! Builds scenes and keeps unchanged items the same.

use podium_sim::collections::BTreeMap;
use std::rc::Rc;

use podium_sim::{Str, World};

use crate::model::{Board, Client, Disk, Group, NodeItem, Pod, Scene, Slot};
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

    /// Forgets what is no longer on stage.
    fn sweep(&mut self) {
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
        let signs = pods::signs(w);
        let talk = net::talk(w);
        let groups = sets::groups(w, &mut self.keep, &signs);
        let boards = net::boards(w, &mut self.keep);
        let clients = net::clients(w, &mut self.keep, &signs, &talk);
        let nodes = net::nodes(w, &mut self.keep, &signs);
        self.seen = Some((w.log.len(), w.storage.writes, talk.next));
        self.at = w.now;
        let scene = Scene { groups, boards, clients, nodes, packets: talk.packets };
        if scene != *self.scene {
            self.scene = Rc::new(scene);
            self.keep.sweep();
        }
        self.scene.clone()
    }

    /// Forgets the last scene: another world comes next.
    pub fn forget(&mut self) {
        self.seen = None;
    }
}
