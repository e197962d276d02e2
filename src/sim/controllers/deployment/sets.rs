//! The ReplicaSets of a Deployment: which one stands for the template as it is now, and what
//! their annotations remember.

use crate::api::{Kind, Obj};
use crate::apiserver::DeleteOptions;
use crate::controllers::deployment::{HASH_LABEL, Pass, REVISION, fence, hash};
use crate::controllers::statefulset::identity::controller_ref;
use crate::controllers::{Action, Effect, OnError};
use crate::value;
use crate::value::{Str, Value};

/// Annotation: earlier numbers of a ReplicaSet that was rolled back to.
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// Annotation: replicas of the Deployment when it last scaled this ReplicaSet.
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// Annotation: the same with the surge.
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";
/// Annotations that a ReplicaSet does not take over from its Deployment.
const OWN: [&str; 5] =
    ["kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAX];

/// A ReplicaSet in a pass.
pub(super) struct Set {
    /// As stored when the pass began, or as it was created.
    pub(super) obj: Obj,
    /// With what the pass has changed so far.
    pub(super) value: Value,
}

impl Set {
    pub(super) fn of(obj: &Obj) -> Self {
        let mut value = obj.value.clone();
        value.entry("metadata").remove("resourceVersion");
        Self { obj: obj.clone(), value }
    }

    /// `spec.replicas` when the pass began.
    pub(super) fn replicas(&self) -> i64 {
        self.obj.spec()["replicas"].int_or(1)
    }

    /// `spec.replicas` as the pass leaves it.
    pub(super) fn now(&self) -> i64 {
        self.value["spec"]["replicas"].int_or(1)
    }

    pub(super) fn available(&self) -> i64 {
        self.obj.status()["availableReplicas"].int_or(0)
    }

    pub(super) fn age(&self) -> (Str, Str) {
        (self.obj.meta()["creationTimestamp"].to_str(), self.obj.name())
    }

    pub(super) fn annotated(&self, key: &str) -> Option<i64> {
        self.value["metadata"]["annotations"].get(key).str().parse().ok()
    }

    fn annotate(&mut self, key: &'static str, value: impl Into<Value>) -> bool {
        let value = value.into();
        let slot = self.value.entry("metadata").entry("annotations").entry(key);
        let other = *slot != value;
        *slot = value;
        other
    }
}

/// All sets but that one.
pub(super) fn others(sets: &[Set], new: Option<usize>) -> impl Iterator<Item = &Set> {
    sets.iter().enumerate().filter(move |(i, _)| Some(*i) != new).map(|(_, s)| s)
}

/// The oldest set that has the Deployment's template, whatever its hash label says.
pub(super) fn newest(d: &Obj, sets: &[Set]) -> Option<usize> {
    let template = &d.spec()["template"];
    sets.iter().position(|s| {
        let other = &s.obj.spec()["template"];
        other["spec"] == template["spec"] && {
            let mut meta = other["metadata"].clone();
            meta.entry("labels").remove(HASH_LABEL);
            meta == template["metadata"]
        }
    })
}

/// One more than the highest number of the other sets.
fn next_revision(sets: &[Set], new: Option<usize>) -> i64 {
    others(sets, new).filter_map(|s| s.annotated(REVISION)).max().unwrap_or(0) + 1
}

impl Pass<'_> {
    /// The set of the current template, its annotations put right; it is not created here.
    pub(super) fn find_new(&mut self, sets: &mut [Set]) -> Option<usize> {
        let new = newest(self.d, sets)?;
        let revision = next_revision(sets, Some(new));
        let set = &mut sets[new];
        let mut changed = self.annotate_new(set, revision, true);
        let min_ready = self.d.spec()["minReadySeconds"].int_or(0);
        if set.value["spec"]["minReadySeconds"].int_or(0) != min_ready {
            set.value.entry("spec").set("minReadySeconds", min_ready);
            changed = true;
        }
        if changed {
            let action = Action::Update(Kind::ReplicaSet, set.value.clone());
            self.plan.act("deploy.annotate", action);
        }
        let number = set.value["metadata"]["annotations"].get(REVISION).to_str();
        let name = set.obj.name();
        let found = format!("Found new replica set \"{name}\"");
        let mut write = self.set_revision(number);
        if self.has_deadline() && self.progress().is_null() {
            self.set_condition("Progressing", "True", "FoundNewReplicaSet", found);
            write = true;
        }
        if write {
            self.write("deploy.revision");
        }
        Some(new)
    }

    /// As [`Pass::find_new`]; makes the set where there is none.
    pub(super) fn find_or_make_new(&mut self, sets: &mut Vec<Set>) -> Option<usize> {
        if let Some(new) = self.find_new(sets) {
            return Some(new);
        }
        let d = self.d;
        let (ns, template) = (d.ns(), &d.spec()["template"]);
        let collisions = self.value["status"]["collisionCount"].as_int();
        let hash: Str = hash::of(template, collisions).into();
        let name: Str = format!("{}-{hash}", d.name()).into();
        if self.w.store.get(Kind::ReplicaSet, &ns, &name).is_some() {
            // another template has the same hash: the next try counts it in
            let next = collisions.unwrap_or(0) + 1;
            self.value.entry("status").set("collisionCount", next);
            self.write("deploy.collision");
            return None;
        }
        let mut labels = template["metadata"]["labels"].clone();
        labels.set(HASH_LABEL, &hash);
        let mut template = template.clone();
        template.entry("metadata").set("labels", &labels);
        let mut selector = d.spec()["selector"].clone();
        selector.entry("matchLabels").set(HASH_LABEL, &hash);
        let mut spec = value!({"selector": selector, "template": template});
        if !d.spec()["minReadySeconds"].is_empty() {
            spec.set("minReadySeconds", &d.spec()["minReadySeconds"]);
        }
        let owner = controller_ref("apps/v1", "Deployment", &d.name(), &d.uid());
        let value = value!({
            "metadata": {
                "labels": labels, "name": (name.clone()), "namespace": ns,
                "ownerReferences": [owner]
            },
            "spec": spec
        });
        let revision = next_revision(sets, None);
        let obj = std::rc::Rc::new(crate::api::Object::new(Kind::ReplicaSet, value.clone()));
        let mut set = Set { obj, value };
        let count = self.new_count(sets, 0);
        set.value.entry("spec").set("replicas", count);
        self.annotate_new(&mut set, revision, false);
        set.obj = std::rc::Rc::new(crate::api::Object::new(Kind::ReplicaSet, set.value.clone()));
        let action = Action::Create(Kind::ReplicaSet, set.value.clone());
        if count > 0 {
            self.tell_scaled("deploy.new-set", action, &name, 0, count);
        } else {
            self.plan.act("deploy.new-set", action);
        }
        sets.push(set);
        self.set_revision(revision.to_string().into());
        if self.has_deadline() {
            let message = format!("Created new replica set \"{name}\"");
            self.set_condition("Progressing", "True", "NewReplicaSetCreated", message);
        }
        self.write("deploy.revision");
        Some(sets.len() - 1)
    }

    /// Copies the Deployment's annotations, numbers the set; true if anything changed.
    fn annotate_new(&self, set: &mut Set, revision: i64, exists: bool) -> bool {
        let mut changed = false;
        for (key, v) in self.d.meta()["annotations"].pairs() {
            if !OWN.contains(&key.as_str()) {
                let slot = set.value.entry("metadata").entry("annotations").entry(key);
                changed |= slot != v;
                *slot = v.clone();
            }
        }
        let before = set.annotated(REVISION);
        if before.unwrap_or(0) < revision {
            changed |= set.annotate(REVISION, revision.to_string());
            if let Some(before) = before {
                let history = set.value["metadata"]["annotations"].get(HISTORY).str();
                let history = match history {
                    "" => before.to_string(),
                    history => format!("{history},{before}"),
                };
                set.annotate(HISTORY, history);
            }
        }
        if !exists {
            changed |= self.annotate_size(set);
        }
        changed
    }

    /// Notes the Deployment's size on a set; true if it was another one.
    fn annotate_size(&self, set: &mut Set) -> bool {
        let (surge, _) = fence(self.d, self.replicas);
        let desired = set.annotate(DESIRED, self.replicas.to_string());
        let max = set.annotate(MAX, (self.replicas + surge).to_string());
        desired || max
    }

    fn set_revision(&mut self, revision: Str) -> bool {
        let slot = self.value.entry("metadata").entry("annotations").entry(REVISION);
        if slot.str() == revision.as_str() {
            return false;
        }
        *slot = revision.into();
        true
    }

    /// Scales a set and says so; true if its size changed.
    pub(super) fn scale(&mut self, set: &mut Set, to: i64) -> bool {
        let from = set.now();
        if from == to {
            return false;
        }
        self.annotate_size(set);
        set.value.entry("spec").set("replicas", to);
        let rule = if to > from { "deploy.scale-up" } else { "deploy.scale-down" };
        let action = Action::Update(Kind::ReplicaSet, set.value.clone());
        self.tell_scaled(rule, action, &set.obj.name(), from, to);
        true
    }

    /// Notes the Deployment's size on a set whose own size stays.
    pub(super) fn keep_size(&mut self, set: &mut Set) {
        if self.annotate_size(set) {
            let action = Action::Update(Kind::ReplicaSet, set.value.clone());
            self.plan.act("deploy.annotate", action);
        }
    }

    /// Removes the oldest empty sets beyond `revisionHistoryLimit`.
    pub(super) fn clean_up(&mut self, sets: &[Set], new: Option<usize>) {
        let Some(limit) = self.d.spec()["revisionHistoryLimit"].as_int() else { return };
        let mut old: Vec<&Set> = others(sets, new).filter(|s| !s.obj.terminating()).collect();
        let surplus = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        old.sort_by_key(|s| s.annotated(REVISION).unwrap_or(0));
        for set in old.into_iter().take(surplus) {
            let status = set.obj.status();
            let observed = status["observedGeneration"].int_or(0);
            let idle = status["replicas"].int_or(0) == 0
                && set.now() == 0
                && set.obj.meta()["generation"].int_or(0) <= observed;
            if idle {
                let action = Action::Delete(set.obj.key(), DeleteOptions::default());
                self.plan
                    .push(Effect::new("deploy.truncate-history", action).on_error(OnError::Ignore));
            }
        }
    }
}
