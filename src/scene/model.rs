//! The items on stage.

use std::rc::Rc;

use podium_sim::Str;
use podium_sim::api::Key;

/// A sentence to be said in the reader's language: a key of static/i18n and its words.
/// A word that begins with `@` is itself a key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Msg {
    /// `wait.sts.wait-ready`.
    pub key: Str,
    /// Name of the placeholder and the word for it.
    pub args: Vec<(&'static str, Str)>,
}

impl Msg {
    /// A sentence without words to fill in.
    pub fn new(key: impl Into<Str>) -> Self {
        Self { key: key.into(), args: Vec::new() }
    }

    /// With a word.
    #[must_use]
    pub fn with(mut self, name: &'static str, word: impl Into<Str>) -> Self {
        self.args.push((name, word.into()));
        self
    }
}

/// What a pod is doing, as a learner should see it: finer than its phase.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PodState {
    /// Accepted, not yet bound to a node.
    Pending,
    /// The scheduler found no node.
    Unschedulable,
    /// Bound to a node; its kubelet has not answered yet.
    Scheduled,
    /// Its volume is being attached to the node.
    Attaching,
    /// Its image is being pulled.
    Pulling,
    /// Its containers are being started (or init containers run).
    Starting,
    /// Runs, but is not ready.
    Running,
    /// Runs and is ready.
    Ready,
    /// Told to stop.
    Terminating,
    /// Crashes, or its image cannot be pulled: tried again later.
    BackOff,
    /// Ended with success.
    Succeeded,
    /// Ended in failure.
    Failed,
}

impl PodState {
    /// Name for classes and for the key `state.<name>`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unschedulable => "unschedulable",
            Self::Scheduled => "scheduled",
            Self::Attaching => "attaching",
            Self::Pulling => "pulling",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Terminating => "terminating",
            Self::BackOff => "backoff",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A pod's card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pod {
    /// Its key in the store.
    pub key: Key,
    /// A recreated namesake has another one.
    pub uid: Str,
    /// What it is doing.
    pub state: PodState,
    /// A technical word that goes with the state (`ImagePullBackOff`), or nothing.
    pub reason: Str,
    /// Address, empty without one.
    pub ip: Str,
    /// Node, empty without one.
    pub node: Str,
    /// Does the node answer?
    pub node_down: bool,
    /// Hash of the revision, empty for pods without one.
    pub revision: Str,
    /// It is not of the newest revision.
    pub outdated: bool,
    /// Image of the first container, without registry.
    pub image: Str,
    /// Restarts of its containers.
    pub restarts: i64,
}

/// How a disk and a pod hang together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plug {
    /// No volume behind the claim yet.
    Empty,
    /// Nobody uses it.
    Out,
    /// On its way into a pod: being attached, or waiting for the pod to start.
    Going,
    /// The pod uses it.
    In,
    /// The pod is leaving; being detached from its node.
    Leaving,
}

impl Plug {
    /// Name for classes and for the key `plug.<name>`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Out => "out",
            Self::Going => "going",
            Self::In => "in",
            Self::Leaving => "leaving",
        }
    }
}

/// A claim with the volume behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// The claim.
    pub key: Key,
    /// Its uid.
    pub uid: Str,
    /// `Pending`, `Bound`, `Lost`, `Terminating`.
    pub phase: Str,
    /// `1Gi`.
    pub size: Str,
    /// The volume, empty without one.
    pub volume: Str,
    /// Node that it is attached to, empty if to none.
    pub node: Str,
    /// Cable to the pod.
    pub plug: Plug,
    /// First files on it: name and a bit of contents.
    pub files: Vec<(Str, Str)>,
    /// Number of its pattern and hue: its ordinal.
    pub tint: i64,
}

/// A place of a workload: one ordinal of a StatefulSet, or one pod of something else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Key for lists: stable for an ordinal, the uid for pods without one.
    pub id: Str,
    /// The workload's key, and the ordinal if it has ordinals.
    pub set: Key,
    /// Ordinal.
    pub ordinal: Option<i64>,
    /// Name of the pod that is, or belongs, here.
    pub name: Str,
    /// The pod, if there is one.
    pub pod: Option<Rc<Pod>>,
    /// Why there is no pod yet.
    pub wait: Option<Msg>,
    /// Its disks.
    pub disks: Vec<Rc<Disk>>,
    /// Inside the wanted number? Otherwise it is to go, or only its disk is left.
    pub wanted: bool,
}

/// A workload: a podium and its slots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// StatefulSet, Deployment, or the claims that a set left behind.
    pub key: Key,
    /// Uid, for lists.
    pub uid: Str,
    /// Wanted pods.
    pub replicas: i64,
    /// Ready pods.
    pub ready: i64,
    /// `OrderedReady` or `Parallel`; empty for a Deployment.
    pub policy: Str,
    /// `RollingUpdate` or `OnDelete`; empty for a Deployment.
    pub strategy: Str,
    /// Ordinals from here on are updated.
    pub partition: i64,
    /// Governing Service.
    pub service: Str,
    /// An update is under way.
    pub updating: bool,
    /// The workload itself is being deleted, or gone.
    pub leaving: bool,
    /// It exists; false for claims left behind.
    pub exists: bool,
    /// What its controller waits for.
    pub wait: Option<Msg>,
    /// Its places.
    pub slots: Vec<Rc<Slot>>,
    /// Claims per slot at most: the height of its rows.
    pub disks: usize,
}

/// One line of the name board.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// `web-0.nginx`.
    pub name: Str,
    /// Addresses, first ones only; empty with NXDOMAIN.
    pub ips: Vec<Str>,
    /// How many addresses in all.
    pub count: usize,
    /// The pod that it names, if one.
    pub pod: Option<Key>,
    /// Tint of that pod's ordinal.
    pub tint: Option<i64>,
    /// The name is that of the service itself.
    pub whole: bool,
    /// Dimmed: nothing has been made yet that could have this name.
    pub dim: bool,
}

/// A service's part of the name board.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Board {
    /// The Service.
    pub key: Key,
    /// Its uid.
    pub uid: Str,
    /// No cluster IP?
    pub headless: bool,
    /// The cluster IP, if it has one.
    pub vip: Str,
    /// Ready backends behind the cluster IP.
    pub backends: Vec<Str>,
    /// Its lines.
    pub rows: Vec<Row>,
    /// Rows left out.
    pub more: usize,
}

/// What a client did last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Asked for a name: name, answer (empty: NXDOMAIN or not there yet), is it back?
    Name(Str, Str, bool),
    /// Connected: address, pod that answered, is it over?
    Address(Str, Option<Str>, bool),
}

/// A pod outside of any workload: a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// Its pod.
    pub pod: Rc<Pod>,
    /// What it did last.
    pub asked: Option<Asked>,
    /// Address that it got from its first lookup, and the name.
    pub remembers: Option<(Str, Str)>,
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeItem {
    /// Its key.
    pub key: Key,
    /// Condition Ready is True.
    pub ready: bool,
    /// It does not answer any more (the cluster may not know it yet).
    pub silent: bool,
    /// Cordoned.
    pub cordoned: bool,
    /// `a`.
    pub zone: Str,
    /// Pods on it: name, tint, state.
    pub pods: Vec<(Str, Option<i64>, PodState)>,
}

/// What travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PacketKind {
    /// A question to the name board and its answer.
    Lookup,
    /// A connection that is answered.
    Request,
    /// A connection to an address where nobody is.
    Lost,
}

/// Something under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Number in the log.
    pub seq: u64,
    /// What it is.
    pub kind: PacketKind,
    /// From this client.
    pub client: Key,
    /// To this pod, or to the last owner of the address.
    pub to: Option<Key>,
    /// Name or address written on it.
    pub label: Str,
    /// Left at, microseconds.
    pub from: u64,
    /// Back at, microseconds.
    pub until: u64,
    /// The answer is bad: NXDOMAIN, or nobody there.
    pub bad: bool,
}

/// All that is on stage at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scene {
    /// Workloads.
    pub groups: Vec<Rc<Group>>,
    /// Name boards.
    pub boards: Vec<Rc<Board>>,
    /// Clients.
    pub clients: Vec<Rc<Client>>,
    /// Nodes.
    pub nodes: Vec<Rc<NodeItem>>,
    /// Packets under way.
    pub packets: Vec<Packet>,
}

impl Scene {
    /// Is there nothing to see but the nodes?
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.boards.is_empty() && self.clients.is_empty()
    }

    /// The pods that have a card.
    pub fn pods(&self) -> impl Iterator<Item = &Rc<Pod>> {
        let slots = self.groups.iter().flat_map(|g| &g.slots);
        slots.filter_map(|s| s.pod.as_ref()).chain(self.clients.iter().map(|c| &c.pod))
    }
}

/// What is selected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// An object.
    Object(Key),
    /// A place of a set, filled or not.
    Slot(Key, i64),
}

impl Target {
    /// The object selected, or the set of the place.
    pub fn key(&self) -> &Key {
        match self {
            Self::Object(key) | Self::Slot(key, _) => key,
        }
    }
}
