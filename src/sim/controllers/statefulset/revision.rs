//! History of a set's pod template: ControllerRevision objects with the real hash (section 6).

use crate::api::{Kind, Obj};
use crate::apiserver::DeleteOptions;
use crate::controllers::statefulset::identity::Set;
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::value;
use crate::value::{Str, Value, text};
use crate::world::World;

/// Label with the hash alone.
pub const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// The snapshot that a revision stores: the template, to be replaced as a whole.
pub fn patch_of(template: &Value) -> Value {
    let mut template = template.clone();
    template.set("$patch", "replace");
    value!({"spec": {"template": template}})
}

/// The template that a revision stores.
pub fn template_of(revision: &Value) -> Value {
    let mut template = revision["data"]["spec"]["template"].clone();
    template.remove("$patch");
    template
}

/// FNV-1 (32 bit) of the snapshot's bytes and the collision count, in Kubernetes' safe
/// alphabet.
pub fn hash(data: &Value, collisions: i64) -> String {
    const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut h: u32 = 0x811c_9dc5;
    for b in data.to_string().bytes().chain(collisions.to_string().bytes()) {
        h = h.wrapping_mul(0x0100_0193) ^ u32::from(b);
    }
    h.to_string().bytes().map(|b| char::from(SAFE[usize::from(b) % SAFE.len()])).collect()
}

/// Name of a revision.
fn name(set: &str, hash: &str) -> Str {
    let cut = set.get(..223).unwrap_or(set);
    format!("{cut}-{hash}").into()
}

/// Current and update revision of a pass, and what has to be written for them.
pub struct Revisions {
    /// Name and snapshot of `status.currentRevision`.
    pub current: Revision,
    /// Name and snapshot of the set's template as it is now.
    pub update: Revision,
    /// `status.collisionCount` after the pass.
    pub collisions: i64,
}

impl Revisions {
    /// Is the current revision another one than the update revision?
    pub fn outdated(&self) -> bool {
        self.current.name != self.update.name
    }
}

/// A revision, stored or about to be.
#[derive(Clone)]
pub struct Revision {
    /// `web-7d8559755f`.
    pub name: Str,
    /// The pod template that it stands for.
    pub template: Value,
}

/// Revisions that belong to the set, oldest first (by number, then age, then name).
pub fn history(w: &World, set: &Set<'_>) -> Vec<Obj> {
    let mut found: Vec<Obj> = w
        .store
        .list(Kind::ControllerRevision, &set.ns)
        .filter(|r| {
            let owner = r.controller_uid();
            owner == set.uid.as_str()
                || (owner.is_empty()
                    && crate::api::selector::matches(
                        &set.obj.spec()["selector"],
                        &r.meta()["labels"],
                    ))
        })
        .cloned()
        .collect();
    found.sort_by(|a, b| {
        let key = |o: &Obj| {
            (o.value["revision"].int_or(0), o.meta()["creationTimestamp"].to_str(), o.name())
        };
        key(a).cmp(&key(b))
    });
    found
}

/// Adopts orphaned revisions, finds or makes the update revision, finds the current one.
pub fn resolve(w: &World, set: &Set<'_>, history: &[Obj], plan: &mut Plan) -> Revisions {
    let orphans = history.iter().filter(|r| r.controller_ref().is_none());
    for orphan in orphans.filter(|_| !set.obj.terminating()) {
        let mut value = orphan.value.clone();
        value.entry("metadata").entry("ownerReferences").list_mut().push(set.owner_ref());
        plan.act("sts.adopt-revision", Action::Update(Kind::ControllerRevision, value));
    }
    let data = patch_of(&set.obj.spec()["template"]);
    let status = set.obj.status();
    let mut collisions = status["collisionCount"].int_or(0);
    let next = history.iter().map(|r| r.value["revision"].int_or(0)).max().unwrap_or(0) + 1;
    let equal = history.iter().rev().find(|r| r.value["data"] == data);
    let update = if let Some(found) = equal {
        let newest = history.last().is_some_and(|l| l.uid() == found.uid());
        if !newest {
            // a rollback renumbers the old revision, it makes no new one
            let mut value = found.value.clone();
            value.set("revision", next);
            plan.act("sts.renumber-revision", Action::Update(Kind::ControllerRevision, value));
        }
        found.name()
    } else {
        let mut hash = hash(&data, collisions);
        while w
            .store
            .get(Kind::ControllerRevision, &set.ns, &name(&set.name, &hash))
            .is_some_and(|taken| taken.value["data"] != data)
        {
            collisions += 1;
            hash = self::hash(&data, collisions);
        }
        let name = name(&set.name, &hash);
        plan.push(
            Effect::new(
                "sts.new-revision",
                Action::Create(
                    Kind::ControllerRevision,
                    new_revision(set, data.clone(), &name, &hash, next),
                ),
            )
            .on_error(OnError::Ignore),
        );
        name
    };
    let update = Revision { name: update, template: set.obj.spec()["template"].clone() };
    let current = status["currentRevision"].str();
    let current = history.iter().find(|r| r.meta()["name"].str() == current).map_or_else(
        || update.clone(),
        |r| Revision { name: r.name(), template: template_of(&r.value) },
    );
    Revisions { current, update, collisions }
}

fn new_revision(set: &Set<'_>, data: Value, name: &Str, hash: &str, number: i64) -> Value {
    let mut labels = set.obj.spec()["template"]["metadata"]["labels"].clone();
    labels.set(HASH_LABEL, text(hash));
    let mut meta = value!({
        "labels": labels,
        "name": name,
        "namespace": (set.ns.clone()),
        "ownerReferences": [(set.owner_ref())]
    });
    if !set.obj.meta()["annotations"].is_empty() {
        meta.set("annotations", &set.obj.meta()["annotations"]);
    }
    value!({"data": data, "metadata": meta, "revision": number})
}

/// Removes the oldest revisions that nothing uses, beyond the limit, also when the pass fails.
pub fn truncate(
    set: &Set<'_>,
    history: &[Obj],
    revisions: &Revisions,
    used: impl Fn(&str) -> bool,
    plan: &mut Plan,
) {
    let limit = set.obj.spec()["revisionHistoryLimit"].int_or(10);
    let Ok(limit) = usize::try_from(limit) else { return };
    let live = |name: &str| {
        name == revisions.current.name.as_str()
            || name == revisions.update.name.as_str()
            || used(name)
    };
    let idle: Vec<&Obj> = history.iter().filter(|r| !live(r.meta()["name"].str())).collect();
    for old in idle.iter().take(idle.len().saturating_sub(limit)) {
        let delete = Action::Delete(old.key(), DeleteOptions::default());
        let mut effect = Effect::new("sts.truncate-history", delete);
        effect.always = true;
        plan.push(effect);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of section 6, recomputed from the real algorithm.
    #[test]
    fn hash_is_the_real_one() {
        let template = value!({
            "metadata": {"annotations": {"test": "value"}, "labels": {"app": "foo"}},
            "spec": {
                "containers": [{
                    "image": "test", "imagePullPolicy": "Always", "name": "test", "resources": {},
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"
                }],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
                "schedulerName": "default-scheduler", "securityContext": {},
                "terminationGracePeriodSeconds": 30
            }
        });
        assert_eq!(hash(&patch_of(&template), 0), "776999688b");
    }
}
