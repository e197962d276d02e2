//! The event queue: by time, ties by insertion.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::api::Key;
use crate::log::Seq;
use crate::value::Str;

/// The parts of the cluster that act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Comp {
    /// A person or a program with kubectl.
    User,
    /// The API server itself.
    ApiServer,
    /// `statefulset-controller`.
    StatefulSet,
    /// `deployment-controller`.
    Deployment,
    /// `replicaset-controller`.
    ReplicaSet,
    /// `endpointslice-controller`.
    EndpointSlice,
    /// `endpoint-controller`.
    Endpoints,
    /// `persistentvolume-controller`.
    VolumeBinder,
    /// External provisioner.
    Provisioner,
    /// PVC and PV protection.
    Protection,
    /// `attachdetach-controller`.
    AttachDetach,
    /// `ephemeral-volume-controller`.
    EphemeralVolume,
    /// `volume_expand`.
    Expand,
    /// Garbage collector.
    GarbageCollector,
    /// Deletion of namespaces, and their quotas.
    Namespace,
    /// `node-controller`.
    NodeLifecycle,
    /// `taint-eviction-controller`.
    TaintEviction,
    /// Pod garbage collector.
    PodGc,
    /// Disruption (PDB) controller.
    Disruption,
    /// `default-scheduler`.
    Scheduler,
    /// The kubelets.
    Kubelet,
    /// What runs in containers.
    Workload,
    /// CoreDNS and kube-proxy.
    Net,
}

/// Something that will happen.
#[derive(Clone, Debug)]
pub enum Task {
    /// A work queue hands this key to its controller.
    Sync(Comp, Key),
    /// A delayed add: the key goes into the work queue when due.
    Requeue(Comp, Key),
    /// A step of a component on one object; `uid` guards against a namesake.
    Timer {
        /// Who acts.
        comp: Comp,
        /// On which object.
        key: Key,
        /// Its uid.
        uid: Str,
        /// Which step, in the component's own words.
        what: &'static str,
        /// A number that the step needs (an attempt, an index).
        n: u64,
    },
    /// A controller's long plan goes on.
    GoOn,
    /// A terminal's running command looks again.
    Terminal(u8),
}

/// An entry of the queue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Due time, microseconds.
    pub at: u64,
    /// Ties are broken by insertion.
    pub seq: u64,
    /// What to do.
    pub task: Task,
    /// The log entry that caused it.
    pub cause: Option<Seq>,
    /// An endless repetition (back-off, resync, lease): `settle` does not wait for it.
    pub background: bool,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.seq) == (other.at, other.seq)
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.seq).cmp(&(other.at, other.seq))
    }
}

/// The queue itself.
#[derive(Clone, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    next: u64,
    foreground: u64,
}

impl Queue {
    /// Puts a task in.
    pub fn push(&mut self, at: u64, task: Task, cause: Option<Seq>, background: bool) {
        self.next += 1;
        self.foreground += u64::from(!background);
        self.heap.push(Reverse(Entry { at, seq: self.next, task, cause, background }));
    }

    /// Puts a task in that comes before all others of its moment.
    pub fn push_first(&mut self, at: u64, task: Task, cause: Option<Seq>) {
        self.foreground += 1;
        self.heap.push(Reverse(Entry { at, seq: 0, task, cause, background: false }));
    }

    /// Takes the next task out.
    pub fn pop(&mut self) -> Option<Entry> {
        let Reverse(entry) = self.heap.pop()?;
        self.foreground -= u64::from(!entry.background);
        Some(entry)
    }

    /// When the next task is due.
    pub fn next_at(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(e)| e.at)
    }

    /// Is there anything left but endless repetitions?
    pub fn busy(&self) -> bool {
        self.foreground > 0
    }

    /// Number of waiting tasks.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}
