//! The Deployment controller: a ReplicaSet for each version of a template, and the walk from
//! one to the next. It follows Kubernetes' `pkg/controller/deployment`, which is divided alike:
//! `sets` finds and makes ReplicaSets, `rollout` scales them, `status` reports.

mod hash;
mod rollout;
mod sets;
mod status;
#[cfg(test)]
mod tests;

use crate::api::{Key, Kind, Obj, Phase, selector};
use crate::apiserver::events::Note;
use crate::controllers::statefulset::identity::controller_ref;
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value::{Str, Value};
use crate::world::World;
use sets::Set;

/// Name under which the controller's events appear.
pub const COMPONENT: &str = "deployment-controller";
/// Annotation of Deployments and ReplicaSets: number of the version.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// Label that keeps the pods of two versions apart.
pub const HASH_LABEL: &str = "pod-template-hash";

/// Wakes for Deployments, their ReplicaSets, and for the last pod that goes when nothing may
/// overlap (`Recreate`).
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match (new.kind, change) {
        (Kind::Deployment, ChangeType::Added | ChangeType::Modified) => {
            w.enqueue(Comp::Deployment, new.key());
        }
        (Kind::ReplicaSet, _) => {
            let owners = [Some(new), old].into_iter().flatten();
            let mut wake: Vec<Key> =
                owners.filter_map(|rs| owner(w, rs)).map(|d| d.key()).collect();
            if wake.is_empty() && new.controller_ref().is_none() && change != ChangeType::Deleted {
                let ns = new.ns();
                let matching = w
                    .store
                    .list(Kind::Deployment, &ns)
                    .filter(|d| selector::matches(&d.spec()["selector"], &new.meta()["labels"]));
                wake.extend(matching.map(|d| d.key()));
            }
            for key in wake {
                w.enqueue(Comp::Deployment, key);
            }
        }
        (Kind::Pod, ChangeType::Deleted) => {
            let Some(r) = new.controller_ref().filter(|r| r["kind"].str() == "ReplicaSet") else {
                return;
            };
            let set = w.store.get(Kind::ReplicaSet, new.meta()["namespace"].str(), r["name"].str());
            if let Some(d) = set.and_then(|s| owner(w, s)).filter(recreates) {
                w.enqueue(Comp::Deployment, d.key());
            }
        }
        _ => {}
    }
}

fn recreates(d: &Obj) -> bool {
    d.spec()["strategy"]["type"].str() == "Recreate"
}

/// The Deployment that controls a ReplicaSet, if that very one is still there.
fn owner(w: &World, rs: &Obj) -> Option<Obj> {
    let r = rs.controller_ref().filter(|r| r["kind"].str() == "Deployment")?;
    let d = w.store.get(Kind::Deployment, rs.meta()["namespace"].str(), r["name"].str())?;
    (d.meta()["uid"] == r["uid"]).then(|| d.clone())
}

/// One pass over a Deployment.
struct Pass<'a> {
    w: &'a World,
    d: &'a Obj,
    /// The Deployment with the annotations and the status that this pass gives it.
    value: Value,
    /// `spec.replicas`.
    replicas: i64,
    /// Has this pass written the Deployment?
    written: bool,
    plan: Plan,
}

/// Decides about one Deployment.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let Some(d) = w.store.by_key(key) else { return Plan::default() };
    let mut value = d.value.clone();
    value.entry("metadata").remove("resourceVersion");
    let replicas = d.spec()["replicas"].int_or(1);
    let mut pass = Pass { w, d, value, replicas, written: false, plan: Plan::default() };
    pass.run();
    pass.plan
}

impl Pass<'_> {
    fn run(&mut self) {
        let Some(mut sets) = self.owned() else { return };
        if self.d.terminating() {
            let new = sets::newest(self.d, &sets);
            return self.write_plain_status(&sets, new);
        }
        self.note_pause();
        let paused = self.d.spec()["paused"].is_true();
        if paused || self.resized(&mut sets) {
            let new = self.find_new(&mut sets);
            self.resize(&mut sets, new);
            if paused {
                self.clean_up(&sets, new);
            }
            self.write_plain_status(&sets, new);
        } else if recreates(self.d) {
            self.recreate(&mut sets);
        } else {
            self.roll(&mut sets);
        }
    }

    /// ReplicaSets of this Deployment, oldest first. `None` if an orphan is to be adopted or a
    /// stranger released first: that wakes the Deployment again.
    fn owned(&mut self) -> Option<Vec<Set>> {
        let (w, d) = (self.w, self.d);
        let (ns, uid) = (d.ns(), d.uid());
        let mut found = Vec::new();
        let mut rewired = false;
        for rs in w.store.list(Kind::ReplicaSet, &ns) {
            let owned = rs.controller_uid() == uid.as_str();
            if !owned && rs.controller_ref().is_some() {
                continue;
            }
            let matches = selector::matches(&d.spec()["selector"], &rs.meta()["labels"]);
            let mut value = rs.value.clone();
            let rule = match (owned, matches) {
                (true, true) => {
                    found.push(Set::of(rs));
                    continue;
                }
                (true, false) => {
                    let refs = value.path_mut("metadata.ownerReferences").list_mut();
                    refs.retain(|r| r["uid"].str() != uid.as_str());
                    "deploy.release-set"
                }
                (false, true) if !rs.terminating() => {
                    let owner = controller_ref("apps/v1", "Deployment", &d.name(), &uid);
                    value.path_mut("metadata.ownerReferences").list_mut().push(owner);
                    "deploy.adopt-set"
                }
                (false, _) => continue,
            };
            if !d.terminating() {
                rewired = true;
                self.plan.act(rule, Action::Update(Kind::ReplicaSet, value));
            }
        }
        found.sort_by_key(Set::age);
        (!rewired).then_some(found)
    }

    /// Is any pod of another ReplicaSet than the new one still running?
    fn old_pods_run(&self, sets: &[Set], new: Option<usize>) -> bool {
        let old: Vec<&Set> = sets::others(sets, new).collect();
        if old.iter().any(|s| s.obj.status()["replicas"].int_or(0) > 0) {
            return true;
        }
        let uids: Vec<Str> = old.iter().map(|s| s.obj.uid()).collect();
        let ns = self.d.ns();
        self.w.store.list(Kind::Pod, &ns).any(|p| {
            let facts = p.pod();
            !matches!(facts.phase, Phase::Succeeded | Phase::Failed) && uids.contains(&facts.owner)
        })
    }

    fn tell_scaled(&mut self, rule: &'static str, action: Action, set: &Str, from: i64, to: i64) {
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {set} from {from} to {to}");
        let note = Note::normal(COMPONENT, "ScalingReplicaSet", message);
        self.plan.push(Effect::new(rule, action).done(self.d, note));
    }

    /// Writes annotations and status as they are now. Only once in a pass: the version that a
    /// second write would build on is old by then, so it is left to the next pass, which the
    /// first write wakes.
    fn write(&mut self, rule: &'static str) {
        if std::mem::replace(&mut self.written, true) {
            return;
        }
        let action = Action::UpdateStatus(Kind::Deployment, self.value.clone());
        self.plan.push(Effect::new(rule, action).on_error(OnError::Ignore));
    }
}

/// A count that may be a percentage of `total`, rounded up or down.
fn scaled(v: &Value, total: i64, up: bool) -> i64 {
    match v.as_str().and_then(|s| s.strip_suffix('%')).and_then(|s| s.parse::<i64>().ok()) {
        Some(percent) => (percent * total + if up { 99 } else { 0 }) / 100,
        None => v.int_or(0),
    }
}

/// `maxSurge` and `maxUnavailable` in pods; never both 0.
fn fence(d: &Obj, replicas: i64) -> (i64, i64) {
    if recreates(d) || d.spec()["strategy"].is_null() {
        return (0, 0);
    }
    let rolling = &d.spec()["strategy"]["rollingUpdate"];
    let surge = scaled(&rolling["maxSurge"], replicas, true);
    let unavailable = scaled(&rolling["maxUnavailable"], replicas, false);
    (surge, if surge == 0 && unavailable == 0 { 1 } else { unavailable })
}
