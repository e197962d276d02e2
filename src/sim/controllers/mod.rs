//! Controllers decide; they do not do. Each looks at the world and returns a [`Plan`]: ordered
//! effects and the rule that fired, or the decision to wait. The executor here carries plans
//! out, through the API server alone.

use crate::api::{Key, Kind, Obj};
use crate::apiserver::error::{Reason, Status};
use crate::apiserver::events::Note;
use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::world::World;

pub mod deployment;
pub mod disruption;
pub mod endpoints;
pub mod ephemeral_volume;
pub mod expansion;
pub mod garbage_collector;
pub mod namespace;
pub mod node_lifecycle;
mod own_service;
pub mod protection;
pub mod provisioner;
pub mod quota;
pub mod replicaset;
pub mod statefulset;
pub mod volume_binder;

/// What to do with an error of an effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnError {
    /// The rest of the plan is dropped and the key is retried with back-off.
    #[default]
    Stop,
    /// The rest goes on; the key is retried afterwards.
    Continue,
    /// Not found, already there or changed meanwhile: as good as done.
    Ignore,
}

/// One act of a controller.
#[derive(Clone, Debug)]
pub enum Action {
    /// Create this object.
    Create(Kind, Value),
    /// Replace this object (its `resourceVersion`, if present, must be current).
    Update(Kind, Value),
    /// Replace the status of this object.
    UpdateStatus(Kind, Value),
    /// Delete an object.
    Delete(Key, DeleteOptions),
    /// Record an event about an object.
    Event(Obj, Note),
    /// Look at the key again after that many microseconds; `true`: an endless repetition.
    Requeue(u64, bool),
    /// Put another key into a component's queue.
    Wake(Comp, Key),
    /// Set the component's own timer on an object: which step, after how many microseconds.
    Timer(Obj, &'static str, u64),
    /// The pass fails with this error (after what came before it).
    Fail(Str),
}

/// Puts a refusal into an object whose status is about to be written.
pub type Amend = fn(&World, &mut Value, &Status);

/// An act with the rule behind it and the events that tell of it.
#[derive(Clone, Debug)]
pub struct Effect {
    /// What to do.
    pub action: Action,
    /// Why: key of static/i18n.
    pub rule: &'static str,
    /// Event when done.
    pub done: Option<(Obj, Note)>,
    /// Events when refused; ` {error}` is appended to their messages.
    pub failed: Vec<(Obj, Note)>,
    /// What an error means for the rest.
    pub on_error: OnError,
    /// Carried out even if an effect before it was refused.
    pub always: bool,
    /// Tells in the status that is written that an effect before it was refused.
    pub amend: Option<Amend>,
    /// Effects of one batch are carried out side by side: a refusal of one stops what comes
    /// after the batch, not the rest of it. 0: no batch.
    pub batch: u32,
}

impl Effect {
    /// An effect without events.
    pub fn new(rule: &'static str, action: Action) -> Self {
        let on_error = OnError::Stop;
        Self {
            action,
            rule,
            done: None,
            failed: Vec::new(),
            on_error,
            always: false,
            amend: None,
            batch: 0,
        }
    }

    /// With an event when done.
    #[must_use]
    pub fn done(mut self, about: &Obj, note: Note) -> Self {
        self.done = Some((about.clone(), note));
        self
    }

    /// With an event when refused.
    #[must_use]
    pub fn failed(mut self, about: &Obj, note: Note) -> Self {
        self.failed.push((about.clone(), note));
        self
    }

    /// What an error means for the rest.
    #[must_use]
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.on_error = on_error;
        self
    }
}

/// What a controller decided in one pass.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In this order.
    pub effects: Vec<Effect>,
    /// What it waits for: rule, object, further words. `None`: nothing to wait for.
    pub waits: Option<(&'static str, Option<Key>, Str)>,
}

impl Plan {
    /// Adds an effect.
    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Adds an effect without events.
    pub fn act(&mut self, rule: &'static str, action: Action) {
        self.effects.push(Effect::new(rule, action));
    }
}

/// Effects that one step carries out. The rest of a long plan follows in steps of their own, at the
/// same moment and before anything else: who shows the cluster need not wait for all of it.
const AT_ONCE: usize = 32;

/// A plan that is being carried out for a key of a controller's queue.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    /// Whose plan it is.
    pub(crate) comp: Comp,
    key: Key,
    effects: std::vec::IntoIter<Effect>,
    waits: Option<(&'static str, Option<Key>, Str)>,
    /// The first refusal that counts.
    failed: Option<Status>,
    /// The batch in which an effect was refused.
    stopped: Option<u32>,
}

impl Execution {
    fn of(comp: Comp, key: &Key, plan: Plan) -> Self {
        let Plan { effects, waits } = plan;
        let (key, effects) = (key.clone(), effects.into_iter());
        Self { comp, key, effects, waits, failed: None, stopped: None }
    }

    /// Carries out the next effects of the plan, or what comes after them.
    pub(crate) fn go_on(mut self, w: &mut World) {
        for _ in 0..AT_ONCE {
            let Some(effect) = self.effects.next() else { break };
            self.carry_out(w, effect);
        }
        if self.effects.len() > 0 {
            w.unfinished(self);
            return;
        }
        w.verdict(self.comp, self.key.clone(), self.waits);
        if self.failed.is_some() {
            w.retry(self.comp, self.key);
        } else {
            w.forget(self.comp, &self.key);
        }
    }

    fn carry_out(&mut self, w: &mut World, effect: Effect) {
        let Effect { mut action, rule, done, failed: refused, on_error, always, amend, batch } =
            effect;
        if self.stopped.is_some_and(|b| b == 0 || b != batch) && !always {
            return;
        }
        if let (Some(amend), Some(e)) = (amend, &self.failed)
            && let Action::UpdateStatus(_, value) = &mut action
        {
            amend(w, value, e);
        }
        let comp = self.comp;
        let result = w.acting(comp, rule, |w| perform(w, comp, &self.key, action));
        match result {
            Ok(()) => {
                if let Some((about, note)) = done {
                    w.acting(comp, rule, |w| w.event(&about, note));
                }
            }
            Err(e) => {
                let benign =
                    matches!(e.reason, Reason::NotFound | Reason::AlreadyExists | Reason::Conflict);
                if on_error == OnError::Ignore && benign {
                    return;
                }
                // a taken name, or a write that came too late, is retried in silence
                if !matches!(e.reason, Reason::AlreadyExists | Reason::Conflict) {
                    for (about, mut note) in refused {
                        note.message = format!("{} {e}", note.message).into();
                        w.acting(comp, rule, |w| w.event(&about, note));
                    }
                }
                self.failed.get_or_insert(e);
                if on_error == OnError::Stop {
                    self.stopped = Some(batch);
                }
            }
        }
    }
}

/// A pod whose name is no longer than this has no label that is too long because of it.
const LONG: usize = 40;

fn perform(w: &mut World, comp: Comp, key: &Key, action: Action) -> Result<(), Status> {
    let trusted = WriteOptions::TRUSTED;
    match action {
        Action::Create(kind, value) => {
            // names made of long names: all other checks were those of the template
            let long = kind == Kind::Pod && value["metadata"]["name"].str().len() > LONG;
            let options = if long { WriteOptions::default() } else { trusted };
            w.create(kind, value, options).map(drop)
        }
        Action::Update(kind, value) => {
            let meta = &value["metadata"];
            let pod = w.store.get(Kind::Pod, meta["namespace"].str(), meta["name"].str());
            // a live pod's spec may hardly change, whoever asks for it
            let fixed = kind == Kind::Pod && pod.is_some_and(|p| *p.spec() != value["spec"]);
            let options = if fixed { WriteOptions::default() } else { trusted };
            w.update(kind, value, Sub::Main, options).map(drop)
        }
        Action::UpdateStatus(kind, value) => w.update(kind, value, Sub::Status, trusted).map(drop),
        Action::Delete(target, opts) => w.delete(&target, &opts).map(drop),
        Action::Event(about, note) => {
            w.event(&about, note);
            Ok(())
        }
        Action::Requeue(after, background) => {
            w.enqueue_after(comp, key.clone(), after, background);
            Ok(())
        }
        Action::Wake(other, key) => {
            w.enqueue(other, key);
            Ok(())
        }
        Action::Timer(obj, what, after) => {
            w.timer(comp, &obj, what, 0, after);
            Ok(())
        }
        Action::Fail(message) => Err(Status::new(Reason::InternalError, message)),
    }
}

/// Hands a key from a work queue to its controller.
pub fn sync(w: &mut World, comp: Comp, key: &Key) {
    let plan = match comp {
        Comp::StatefulSet => statefulset::reconcile(w, key),
        Comp::Deployment => deployment::reconcile(w, key),
        Comp::ReplicaSet => replicaset::reconcile(w, key),
        Comp::EndpointSlice => endpoints::reconcile_slices(w, key),
        Comp::Endpoints => endpoints::reconcile_endpoints(w, key),
        Comp::VolumeBinder => volume_binder::reconcile(w, key),
        Comp::Provisioner => provisioner::reconcile(w, key),
        Comp::Protection => protection::reconcile(w, key),
        Comp::EphemeralVolume => ephemeral_volume::reconcile(w, key),
        Comp::Expand => expansion::reconcile(w, key),
        Comp::GarbageCollector => garbage_collector::reconcile(w, key),
        Comp::Namespace if key.kind == Kind::ResourceQuota => quota::reconcile(w, key),
        Comp::Namespace => namespace::reconcile(w, key),
        Comp::Disruption => disruption::reconcile(w, key),
        Comp::ApiServer => own_service::reconcile(w, key),
        Comp::NodeLifecycle | Comp::TaintEviction | Comp::PodGc => {
            node_lifecycle::reconcile(w, comp, key)
        }
        _ => Plan::default(),
    };
    Execution::of(comp, key, plan).go_on(w);
}

/// A controller's own timer.
pub fn timer(w: &mut World, comp: Comp, key: &Key, uid: &Str, what: &'static str, n: u64) {
    match comp {
        Comp::NodeLifecycle | Comp::TaintEviction | Comp::PodGc => {
            node_lifecycle::timer(w, comp, key, uid, what, n);
        }
        Comp::Provisioner => provisioner::timer(w, key, uid, what),
        Comp::Expand => expansion::timer(w, key, uid, what),
        _ => {}
    }
}

/// Each change wakes the controllers that watch its kind.
pub fn route(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    statefulset::on_change(w, change, old, new);
    deployment::on_change(w, change, old, new);
    replicaset::on_change(w, change, old, new);
    endpoints::on_change(w, change, old, new);
    volume_binder::on_change(w, change, old, new);
    provisioner::on_change(w, change, old, new);
    protection::on_change(w, change, old, new);
    ephemeral_volume::on_change(w, change, new);
    expansion::on_change(w, change, old, new);
    garbage_collector::on_change(w, change, old, new);
    namespace::on_change(w, change, old, new);
    own_service::on_change(w, change, new);
    quota::on_change(w, change, old, new);
    node_lifecycle::on_change(w, change, old, new);
    disruption::on_change(w, change, old, new);
}
