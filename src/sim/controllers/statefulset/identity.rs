//! What makes a pod of a set that pod: name, labels, host name, claims (section 7), and the
//! owner references that the retention policy wants on claims (section 9).

use std::cell::OnceCell;

use crate::api::{Kind, Obj, Object};
use crate::value;
use crate::value::{Str, Value, text};

/// Label with the pod's own name.
pub const POD_NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";
/// Label with the ordinal.
pub const POD_INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";
/// Label with the full name of the revision.
pub const REVISION_LABEL: &str = "controller-revision-hash";

/// The set, read once for a pass.
pub struct Set<'a> {
    /// The object.
    pub obj: &'a Obj,
    /// Its name.
    pub name: Str,
    /// Its namespace.
    pub ns: Str,
    /// Its uid.
    pub uid: Str,
    /// `spec.replicas`, 1 if missing.
    pub replicas: i64,
    /// `spec.ordinals.start`.
    pub start: i64,
    /// `podManagementPolicy: Parallel`.
    pub parallel: bool,
    /// `spec.minReadySeconds`.
    pub min_ready: i64,
    /// The owner references of its pods, shared by those that one pass makes.
    owners: OnceCell<Value>,
}

impl<'a> Set<'a> {
    /// Reads the set.
    pub fn of(obj: &'a Obj) -> Self {
        let spec = obj.spec();
        Self {
            obj,
            name: obj.name(),
            ns: obj.ns(),
            uid: obj.uid(),
            replicas: spec["replicas"].int_or(1),
            start: spec["ordinals"]["start"].int_or(0),
            parallel: spec["podManagementPolicy"].str() == "Parallel",
            min_ready: spec["minReadySeconds"].int_or(0),
            owners: OnceCell::new(),
        }
    }

    /// `web-0`.
    pub fn pod_name(&self, ordinal: i64) -> Str {
        format!("{}-{ordinal}", self.name).into()
    }

    /// `updateStrategy.type`.
    pub fn strategy(&self) -> &str {
        self.obj.spec()["updateStrategy"]["type"].str()
    }

    /// `updateStrategy.rollingUpdate`, `Null` if missing.
    pub fn rolling(&self) -> &Value {
        &self.obj.spec()["updateStrategy"]["rollingUpdate"]
    }

    /// Lowest slot that a rollout may touch, as an index into the slots.
    pub fn partition(&self) -> i64 {
        self.rolling()["partition"].int_or(0)
    }

    /// Ordinal of a pod if its name is `<this set>-<digits>`.
    pub fn ordinal(&self, pod: &Object) -> Option<i64> {
        let facts = pod.pod();
        let (set, n) = pod.numbered()?;
        // the first question is the same, and cheaper: it is asked for every pod on every pass
        let own = facts.named_after_owner && facts.owner == self.uid;
        (own || *self.name == *set).then_some(n)
    }

    /// Claim templates in order; of several with the same name the last one counts.
    pub fn templates(&self) -> impl Iterator<Item = &'a Value> {
        let all = self.obj.spec()["volumeClaimTemplates"].items();
        let name = |t: &'a Value| t["metadata"]["name"].str();
        all.iter()
            .enumerate()
            .filter(move |(i, t)| all[i + 1..].iter().all(|later| name(later) != name(t)))
            .map(|(_, t)| t)
    }

    /// Have its pods claims?
    pub fn has_claims(&self) -> bool {
        !self.obj.spec()["volumeClaimTemplates"].is_empty()
    }

    /// Does a retention policy ask for deletion on that occasion (`whenDeleted`, `whenScaled`)?
    pub fn deletes(&self, when: &str) -> bool {
        self.obj.spec()["persistentVolumeClaimRetentionPolicy"].get(when).str() == "Delete"
    }

    /// An owner reference with `controller` to this set.
    pub fn owner_ref(&self) -> Value {
        controller_ref("apps/v1", "StatefulSet", &self.name, &self.uid)
    }
}

/// A controlling owner reference.
pub fn controller_ref(
    api_version: &'static str,
    kind: &'static str,
    name: &Str,
    uid: &Str,
) -> Value {
    value!({
        "apiVersion": api_version, "blockOwnerDeletion": true, "controller": true,
        "kind": kind, "name": name, "uid": uid
    })
}

/// `www-web-0`.
pub fn claim_name(template: &Value, pod: &str) -> Str {
    format!("{}-{pod}", template["metadata"]["name"].str()).into()
}

/// The pod object of an ordinal at a revision: `template` is that revision's pod template.
pub fn new_pod(set: &Set<'_>, template: &Value, ordinal: i64, revision: &Str) -> Value {
    let name = set.pod_name(ordinal);
    let mut meta = Value::with_room(11);
    for part in ["labels", "annotations", "finalizers"] {
        if !template["metadata"].get(part).is_empty() {
            meta.set(part, template["metadata"].get(part));
        }
    }
    meta.set("name", &name);
    meta.set("generateName", format!("{}-", set.name));
    meta.set("namespace", &set.ns);
    meta.set("ownerReferences", set.owners.get_or_init(|| [set.owner_ref()].into()));
    let labels = meta.entry("labels");
    labels.set(POD_NAME_LABEL, &name);
    labels.set(POD_INDEX_LABEL, ordinal.to_string());
    labels.set(REVISION_LABEL, revision);
    let mut spec = template["spec"].clone();
    spec.set("hostname", &name);
    // an empty name of a Service takes the template's subdomain away as well
    if set.obj.spec()["serviceName"].is_empty() {
        spec.remove("subdomain");
    } else {
        spec.set("subdomain", &set.obj.spec()["serviceName"]);
    }
    if let Some(volumes) = storage(set, &spec["volumes"], &name) {
        spec.set("volumes", volumes);
    }
    value!({"metadata": meta, "spec": spec} + 3)
}

/// The pod's volumes: one for each claim template first, then the template's own, except
/// those of the same name. `None` if there are none.
fn storage(set: &Set<'_>, own: &Value, pod: &str) -> Option<Value> {
    let mut volumes: Vec<Value> = set
        .templates()
        .map(|t| {
            value!({
                "name": (t["metadata"]["name"].to_str()),
                "persistentVolumeClaim": {"claimName": (claim_name(t, pod))}
            })
        })
        .collect();
    let claimed: Vec<Str> = volumes.iter().map(|v| v["name"].to_str()).collect();
    volumes.extend(own.items().iter().filter(|v| !claimed.contains(&v["name"].to_str())).cloned());
    (!volumes.is_empty()).then(|| volumes.into())
}

/// A claim as the set would create it for a pod.
pub fn new_claim(set: &Set<'_>, template: &Value, pod: &str) -> Value {
    let mut labels = template["metadata"]["labels"].clone();
    for (k, v) in set.obj.spec()["selector"]["matchLabels"].pairs() {
        labels.set(k, v);
    }
    let mut meta = value!({"name": (claim_name(template, pod)), "namespace": (set.ns.clone())});
    if !labels.is_empty() {
        meta.set("labels", labels);
    }
    for part in ["annotations", "finalizers"] {
        if !template["metadata"].get(part).is_empty() {
            meta.set(part, template["metadata"].get(part));
        }
    }
    value!({"metadata": meta, "spec": (template["spec"].clone())})
}

/// Has the live pod its identity? Pods are listed by the set's namespace: only the label with
/// its name can be lost.
pub fn identity_matches(pod: &Object) -> bool {
    pod.pod().named
}

/// Does the pod mount the claims of its ordinal?
pub fn storage_matches(set: &Set<'_>, pod: &Object) -> bool {
    let name = pod.meta()["name"].str();
    set.templates().all(|t| {
        let wanted = claim_name(t, name);
        pod.spec()["volumes"].items().iter().any(|v| {
            v["name"].str() == t["metadata"]["name"].str()
                && v["persistentVolumeClaim"]["claimName"].str() == wanted.as_str()
        })
    })
}

/// The live pod with its identity and storage put right.
pub fn repaired(set: &Set<'_>, pod: &Object) -> Value {
    let mut value = pod.value.clone();
    let name = pod.name();
    let labels = value.path_mut("metadata.labels");
    labels.set(POD_NAME_LABEL, &name);
    if let Some(n) = set.ordinal(pod) {
        labels.set(POD_INDEX_LABEL, n.to_string());
    }
    if !storage_matches(set, pod)
        && let Some(volumes) = storage(set, &pod.spec()["volumes"], &name)
    {
        value.entry("spec").set("volumes", volumes);
    }
    value
}

/// A pod of a set as its claims see it: it may not exist yet.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its uid; empty while it does not exist.
    pub uid: &'a str,
    /// Does its ordinal lie outside the set's range?
    pub condemned: bool,
}

fn refers(r: &Value, api_version: &str, kind: &str, name: &str) -> bool {
    r["apiVersion"].str() == api_version && r["kind"].str() == kind && r["name"].str() == name
}

/// Does the owner reference name the set, whatever uid it had?
fn names_set(set: &Set<'_>, r: &Value) -> bool {
    refers(r, "apps/v1", "StatefulSet", &set.name)
}

/// Does the owner reference name the pod, whatever uid it had?
fn names_pod(pod: &str, r: &Value) -> bool {
    refers(r, "v1", "Pod", pod)
}

/// Does the owner reference name an earlier set or pod of the same name?
fn outdated(set: &Set<'_>, pod: Member<'_>, r: &Value) -> bool {
    (names_set(set, r) && r["uid"].str() != set.uid.as_str())
        || (names_pod(pod.name, r) && r["uid"].str() != pod.uid)
}

/// The claim's owner references as the policy wants them (the table of section 9); `None` if
/// they are right already, or if the claim is not to be touched: the garbage collector has yet
/// to follow an earlier set or pod.
pub fn claim_owner_refs(set: &Set<'_>, claim: &Object, pod: Member<'_>) -> Option<Value> {
    let refs = claim.meta()["ownerReferences"].items();
    if refs.iter().any(|r| outdated(set, pod, r)) {
        return None;
    }
    let own = |r: &Value| names_set(set, r) || names_pod(pod.name, r);
    let mut next: Vec<Value> = refs.iter().filter(|r| !own(r)).cloned().collect();
    if !foreign_controller(set, claim, pod) {
        let (deleted, scaled) = (set.deletes("whenDeleted"), set.deletes("whenScaled"));
        if deleted && !(scaled && pod.condemned) {
            next.push(set.owner_ref());
        }
        if scaled && pod.condemned {
            next.push(controller_ref("v1", "Pod", &text(pod.name), &text(pod.uid)));
        }
    }
    let same = next.len() == refs.len() && next.iter().all(|n| refs.contains(n));
    (!same).then(|| next.into())
}

/// Does another controller own the claim, so that the policy cannot act on it?
pub fn foreign_controller(set: &Set<'_>, claim: &Object, pod: Member<'_>) -> bool {
    let policy = set.deletes("whenDeleted") || set.deletes("whenScaled");
    policy
        && claim.meta()["ownerReferences"].items().iter().any(|r| {
            let own = names_set(set, r) || names_pod(pod.name, r);
            if own { outdated(set, pod, r) } else { r["controller"].is_true() }
        })
}

/// Is the claim owned by an earlier pod of this name, which the garbage collector has yet to
/// follow? Then the pod must not be created yet. Claims that outlive scaling down are never.
pub fn stale(set: &Set<'_>, claim: &Object, pod: &str) -> bool {
    set.deletes("whenScaled")
        && claim.meta()["ownerReferences"].items().iter().any(|r| names_pod(pod, r))
}

/// Kind of claims, for readers of [`claim_name`].
pub const CLAIM: Kind = Kind::PersistentVolumeClaim;
