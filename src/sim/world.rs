//! The whole state of a cluster, and the one loop that moves it.
//!
//! A [`World`] is a value: a clone is a snapshot. The same configuration and the same inputs
//! at the same times give the same log, byte for byte.

use crate::collections::{BTreeMap, BTreeSet};
use std::cell::RefCell;
use std::rc::Rc;

use crate::api::time::{MS, SECOND, rfc3339};
use crate::api::{Key, Kind, Obj, kind};
use crate::apiserver::admission::Parts;
use crate::apiserver::events::Recorder;
use crate::apiserver::store::Store;
use crate::config::{Config, Delay};
use crate::controllers::Execution;
use crate::log::{ChangeType, Log, Record, Seq, What};
use crate::queue::{Comp, Entry, Queue, Task};
use crate::rng::Stream;
use crate::value::{Str, decimal};

/// Why a component acted, or why it waits: a rule's name and what it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Key of static/i18n, `sts.wait-ready`.
    pub rule: &'static str,
    /// The object waited for, if any (a pod, a claim).
    pub on: Option<Key>,
    /// Further words for the sentence.
    pub detail: Str,
    /// Since when, microseconds.
    pub since: u64,
}

/// Makes wasm's memory grow in steps of some megabytes, each time that the log has grown by so
/// much. A growth costs a third of a millisecond, and the allocator asks for a page of 64 KB at a
/// time; a large block that is given back at once leaves it with room.
fn reserve(len: Seq) {
    const EVERY: Seq = 256;
    const ROOM: usize = 4 << 20;
    if cfg!(target_arch = "wasm32") && len.is_multiple_of(EVERY) {
        drop(std::hint::black_box(Vec::<u8>::with_capacity(ROOM)));
    }
}

/// A simulated cluster at one moment.
#[derive(Clone)]
pub struct World {
    /// Fixed for the life of the cluster.
    pub config: Rc<Config>,
    /// Microseconds since the cluster was made.
    pub now: u64,
    /// All objects.
    pub store: Store,
    /// All that happened.
    pub log: Log,
    /// What will happen.
    pub queue: Queue,
    pub(crate) serials: Vec<u64>,
    pub(crate) recorder: Recorder,
    queued: BTreeSet<(Comp, Key)>,
    /// When keys that were put in for later are due, and whether `settle` need not wait for that.
    delayed: BTreeMap<(Comp, Key), (u64, bool)>,
    /// A controller's long plan that is not carried out to its end yet.
    unfinished: Option<Execution>,
    failures: BTreeMap<(Comp, Key), u32>,
    /// Latest decision of a controller about an object: feeds "why not yet".
    pub verdicts: BTreeMap<(Comp, Key), Verdict>,
    /// Kubelets' knowledge of what runs.
    pub kubelet: crate::kubelet::State,
    /// The scheduler's knowledge.
    pub scheduler: crate::scheduler::State,
    /// Disks and attachments.
    pub storage: crate::storage::State,
    /// Who uses which claim, which volumes are free.
    pub claims: crate::storage::claims::Index,
    /// Addresses, caches, resolvers.
    pub net: crate::net::State,
    /// Terminals and what runs in them.
    pub terminals: crate::kubectl::State,
    /// The pods of StatefulSets.
    pub(crate) rosters: crate::controllers::statefulset::roster::State,
    /// Counters of ReplicaSets.
    pub(crate) replicasets: crate::controllers::replicaset::State,
    /// The garbage collector's graph.
    pub(crate) gc: crate::controllers::garbage_collector::State,
    /// Knowledge of the node lifecycle controllers.
    pub nodes: crate::controllers::node_lifecycle::State,
    /// What was applied server-side.
    pub(crate) managed: crate::apiserver::managed::State,
    /// What admission adds to pods.
    pub(crate) admission: Rc<Parts>,
    /// Warnings of the server's last answers that nobody has printed yet.
    pub(crate) warnings: Vec<String>,
    /// Number of inputs that this world has been given.
    pub(crate) inputs_seen: usize,
    cause: Option<Seq>,
    by: Comp,
    rule: &'static str,
    /// The second that was asked for last, and its text: objects of one moment share it.
    stamp: RefCell<(u64, Str)>,
}

impl World {
    /// A fresh cluster: namespaces, nodes, storage classes, the `kubernetes` Service.
    pub fn new(config: Config) -> Self {
        let mut world = Self {
            admission: Rc::new(Parts::of(&config)),
            config: Rc::new(config),
            now: 0,
            store: Store::default(),
            log: Log::default(),
            queue: Queue::default(),
            serials: kind::ALL.iter().map(|_| 0).collect(),
            recorder: Recorder::default(),
            queued: BTreeSet::new(),
            delayed: BTreeMap::new(),
            unfinished: None,
            failures: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            kubelet: crate::kubelet::State::default(),
            scheduler: crate::scheduler::State::default(),
            storage: crate::storage::State::default(),
            claims: crate::storage::claims::Index::default(),
            net: crate::net::State::default(),
            terminals: crate::kubectl::State::default(),
            rosters: crate::controllers::statefulset::roster::State::default(),
            replicasets: crate::controllers::replicaset::State::default(),
            gc: crate::controllers::garbage_collector::State::default(),
            nodes: crate::controllers::node_lifecycle::State::default(),
            managed: crate::apiserver::managed::State::default(),
            warnings: Vec::new(),
            inputs_seen: 0,
            cause: None,
            by: Comp::ApiServer,
            rule: "cluster",
            stamp: RefCell::default(),
        };
        crate::bootstrap::cluster(&mut world);
        world
    }

    /// Appends to the log under the current actor, rule and cause.
    pub fn record(&mut self, what: What) -> Seq {
        let record = Record { at: self.now, cause: self.cause, by: self.by, rule: self.rule, what };
        reserve(self.log.len());
        self.log.push(record)
    }

    /// Runs `f` as that component under that rule; causes stay as they are.
    pub fn acting<R>(&mut self, by: Comp, rule: &'static str, f: impl FnOnce(&mut Self) -> R) -> R {
        let before = (self.by, self.rule);
        (self.by, self.rule) = (by, rule);
        let result = f(self);
        (self.by, self.rule) = before;
        result
    }

    /// Runs `f` as a person's act: the log gets the command, and it causes what follows.
    pub fn user_act<R>(&mut self, command: impl Into<Str>, f: impl FnOnce(&mut Self) -> R) -> R {
        let before = (self.by, self.rule, self.cause);
        (self.by, self.rule, self.cause) = (Comp::User, "user", None);
        let seq = self.record(What::Act(command.into()));
        self.cause = Some(seq);
        let result = f(self);
        (self.by, self.rule, self.cause) = before;
        result
    }

    /// Runs `f` with another cause (a command that goes on later).
    pub fn caused<R>(&mut self, cause: Option<Seq>, f: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.cause, cause);
        let result = f(self);
        self.cause = before;
        result
    }

    /// The current cause.
    pub fn cause(&self) -> Option<Seq> {
        self.cause
    }

    /// A moment as the API shows it, in whole seconds.
    pub fn stamp(&self, at: u64) -> Str {
        let second = at / SECOND;
        let mut last = self.stamp.borrow_mut();
        if last.0 != second || last.1.is_empty() {
            *last = (second, rfc3339(at));
        }
        last.1.clone()
    }

    /// How long something takes now; `label` names the stream (use a uid, so that one more
    /// draw does not shift the others).
    pub fn delay(&self, what: Delay, label: &[&str]) -> u64 {
        let stream = Stream::new(self.config.seed, &["delay", what.name()]);
        self.config.delay(what, &mut label.iter().fold(stream, |s, part| s.and(part)))
    }

    /// Puts a key into a component's work queue; does nothing if it is there already.
    pub fn enqueue(&mut self, comp: Comp, key: Key) {
        self.put_in(comp, key, false);
    }

    /// The same for an endless repetition, which `settle` does not wait for.
    pub fn enqueue_again(&mut self, comp: Comp, key: Key) {
        self.put_in(comp, key, true);
    }

    fn put_in(&mut self, comp: Comp, key: Key, background: bool) {
        if self.queued.insert((comp, key.clone())) {
            let what = if comp == Comp::Scheduler { Delay::Schedule } else { Delay::Controller };
            let mut after = self.delay(what, &[&key.name, decimal(self.now).as_str()]);
            if comp == Comp::Disruption {
                // those who make pods need several requests for the first one; who counts them
                // has looked by then
                after = after.min(MS);
            }
            let at = self.now + after;
            self.queue.push(at, Task::Sync(comp, key), self.cause, background);
        }
    }

    /// Puts a key into a component's work queue `after` microseconds from now.
    /// As in client-go's delaying queue, the earliest moment counts: a later one is forgotten.
    pub fn enqueue_after(&mut self, comp: Comp, key: Key, after: u64, background: bool) {
        let at = self.now.saturating_add(after);
        let (due, quiet) = self.delayed.entry((comp, key.clone())).or_insert((u64::MAX, true));
        if *due > at || *quiet && !background {
            // what is waited for stays so, whichever moment counts
            (*due, *quiet) = ((*due).min(at), *quiet && background);
            self.queue.push(*due, Task::Requeue(comp, key), self.cause, *quiet);
        }
    }

    /// A key that is put in for later is not a mere repetition any more: what it waits for has come.
    pub fn expect(&mut self, comp: Comp, key: Key) {
        if let Some((due, true)) = self.delayed.get(&(comp, key.clone())) {
            self.enqueue_after(comp, key, due.saturating_sub(self.now), false);
        }
    }

    /// A plan goes on in the next step, before anything else.
    pub(crate) fn unfinished(&mut self, plan: Execution) {
        self.unfinished = Some(plan);
        self.queue.push_first(self.now, Task::GoOn, self.cause);
    }

    /// Puts a key back after a failure: 5 ms, doubled each time, at most 1000 s.
    /// Repetitions after the first few do not keep `settle` waiting.
    pub fn retry(&mut self, comp: Comp, key: Key) {
        let n = self.failures.entry((comp, key.clone())).or_insert(0);
        *n += 1;
        let after = (5 * MS).saturating_mul(1 << (*n - 1).min(28)).min(1_000_000 * MS);
        let background = *n > 9;
        self.enqueue_after(comp, key, after, background);
    }

    /// A success: the next failure starts at 5 ms again.
    pub fn forget(&mut self, comp: Comp, key: &Key) {
        self.failures.remove(&(comp, key.clone()));
    }

    /// Sets a timer for a component's own step on an object.
    pub fn timer(&mut self, comp: Comp, obj: &Obj, what: &'static str, n: u64, after: u64) {
        self.timer_at(comp, obj.key(), obj.uid(), what, n, self.now + after, false);
    }

    /// Sets a timer, all of it said.
    #[allow(clippy::too_many_arguments, reason = "one call site a component; names say what")]
    pub fn timer_at(
        &mut self,
        comp: Comp,
        key: Key,
        uid: Str,
        what: &'static str,
        n: u64,
        at: u64,
        background: bool,
    ) {
        self.queue.push(at, Task::Timer { comp, key, uid, what, n }, self.cause, background);
    }

    /// Keeps the latest decision of a controller about an object; `since` stays while the
    /// decision stays the same.
    pub fn verdict(
        &mut self,
        comp: Comp,
        key: Key,
        verdict: Option<(&'static str, Option<Key>, Str)>,
    ) {
        match verdict {
            None => {
                self.verdicts.remove(&(comp, key));
            }
            Some((rule, on, detail)) => {
                let now = self.now;
                let slot = self.verdicts.entry((comp, key)).or_insert_with(|| Verdict {
                    rule,
                    on: on.clone(),
                    detail: detail.clone(),
                    since: now,
                });
                if (slot.rule, &slot.on) != (rule, &on) {
                    slot.since = now;
                }
                *slot = Verdict { rule, on, detail, since: slot.since };
            }
        }
    }

    /// Hands a change to everything that watches.
    pub(crate) fn notify(&mut self, seq: Seq, change: ChangeType, old: Option<&Obj>, new: &Obj) {
        let before = self.cause.replace(seq);
        if new.kind != Kind::Event {
            crate::storage::claims::on_change(self, change, old, new);
            crate::controllers::route(self, change, old, new);
            crate::scheduler::on_change(self, change, old, new);
            crate::kubelet::on_change(self, change, old, new);
            crate::storage::on_change(self, change, old, new);
            crate::net::on_change(self, change, old, new);
        }
        self.cause = before;
    }

    /// Does the next thing that is due; false if nothing is left.
    pub fn step(&mut self) -> bool {
        let Some(Entry { at, task, cause, background, .. }) = self.queue.pop() else {
            return false;
        };
        self.now = self.now.max(at);
        self.cause = cause;
        match task {
            Task::Requeue(comp, key) => {
                let slot = (comp, key.clone());
                // put in again for an earlier moment, or twice for this one, it has been there
                if self.delayed.get(&slot).is_none_or(|(due, _)| *due != at) {
                    self.cause = None;
                    return true;
                }
                self.delayed.remove(&slot);
                // the key is due now: no second reaction time; an endless repetition stays one
                if self.queued.insert((comp, key.clone())) {
                    self.queue.push(self.now, Task::Sync(comp, key), cause, background);
                }
            }
            Task::Sync(comp, key) => {
                self.queued.remove(&(comp, key.clone()));
                self.by = comp;
                self.rule = "sync";
                match comp {
                    Comp::Scheduler => crate::scheduler::sync(self, &key),
                    _ => crate::controllers::sync(self, comp, &key),
                }
            }
            Task::GoOn => {
                if let Some(plan) = self.unfinished.take() {
                    self.by = plan.comp;
                    self.rule = "sync";
                    plan.go_on(self);
                }
            }
            Task::Timer { comp, key, uid, what, n } => {
                self.by = comp;
                self.rule = what;
                match comp {
                    Comp::Kubelet => crate::kubelet::timer(self, &key, &uid, what, n),
                    Comp::AttachDetach => {
                        crate::storage::timer(self, comp, &key, &uid, what, n);
                    }
                    Comp::Scheduler => crate::scheduler::timer(self, &key, what),
                    Comp::Net | Comp::Workload => crate::net::timer(self, &key, &uid, what, n),
                    _ => crate::controllers::timer(self, comp, &key, &uid, what, n),
                }
            }
            Task::Terminal(n) => crate::kubectl::wake(self, n),
        }
        // commands that wait look at each change, but not into the middle of a plan
        if self.unfinished.is_none() {
            crate::kubectl::poll(self);
        }
        self.cause = None;
        true
    }

    /// Goes on until `until` (microseconds); time stands there afterwards.
    pub fn run_until(&mut self, until: u64) {
        while self.queue.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// Goes on until nothing more happens by itself, at most `limit` microseconds longer;
    /// endless repetitions do not count. True if it came to rest.
    pub fn settle(&mut self, limit: u64) -> bool {
        let end = self.now.saturating_add(limit);
        while self.queue.busy() {
            match self.queue.next_at() {
                Some(at) if at <= end => self.step(),
                _ => {
                    self.now = end;
                    return false;
                }
            };
        }
        true
    }
}
