//! The slices of a Service, and those that mirror Endpoints which somebody wrote.

use super::{
    SERVICE_NAME, by_hash, changed_at, endpoint, in_slice, ports_of, selected, service_labels,
    set_trigger,
};
use crate::api::{Key, Kind, Obj};
use crate::apiserver::DeleteOptions;
use crate::controllers::{Action, Plan};
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Most endpoints in one slice.
const SLICE: usize = 100;
/// Label with the controller that keeps a slice.
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Annotation that must not go from Endpoints to slices.
const TRIGGER: &str = super::TRIGGER;

/// Endpoints that have the same ports.
type Group = (Value, Vec<Value>);

/// What all slices of a Service, or of Endpoints, have.
struct Owner<'a> {
    obj: &'a Obj,
    labels: Value,
    annotations: Value,
    /// Do slices say when the change that led to them began?
    triggers: bool,
}

/// Decides about the slices of a Service, or of Endpoints that no controller keeps. Endpoints
/// keep the slice and the place that they have; new ones fill up slices with room.
pub fn reconcile_slices(w: &World, key: &Key) -> Plan {
    if key.kind == Kind::Endpoints {
        return mirror(w, key);
    }
    let mut plan = Plan::default();
    let Some(service) = w.store.by_key(key) else { return plan };
    let spec = service.spec();
    if spec["selector"].is_empty() || spec["type"].str() == "ExternalName" || service.terminating()
    {
        return plan;
    }
    let mut labels = service_labels(service);
    labels.set(MANAGED_BY, "endpointslice-controller.k8s.io");
    labels.set(SERVICE_NAME, &key.name);
    // in the order of their names, so that a fresh slice reads well
    let mut pods: Vec<&Obj> = selected(w, service, &key.ns).collect();
    pods.sort_by_cached_key(|p| natural(&p.name()));
    // only names are looked up in each pod
    let named = spec["ports"].items().iter().any(|p| p["targetPort"].as_str().is_some());
    let mut groups: Vec<Group> = Vec::new();
    for pod in pods {
        let known = if named || groups.is_empty() {
            let mut ports = ports_of(service, pod).items().to_vec();
            by_hash(&mut ports, true);
            let ports = Value::from(ports);
            let known = groups.iter().position(|(p, _)| *p == ports);
            known.unwrap_or_else(|| {
                groups.push((ports, Vec::new()));
                groups.len() - 1
            })
        } else {
            0
        };
        if let Some((_, endpoints)) = groups.get_mut(known) {
            endpoints.push(endpoint(w, service, pod));
        }
    }
    // a Service always has a slice
    if groups.is_empty() {
        groups.push((Value::Null, Vec::new()));
    }
    let owner = Owner { obj: service, labels, annotations: Value::Null, triggers: true };
    arrange(w, &owner, groups, &mut plan);
    plan
}

/// What makes an endpoint the same one later.
fn identity(e: &Value) -> Str {
    let uid = &e["targetRef"]["uid"];
    if uid.is_empty() { e["addresses"][0].to_str() } else { uid.to_str() }
}

/// Brings the slices to what is wanted: groups go to slices with their ports; a slice whose
/// ports nobody has any more is taken for a new group, or goes.
fn arrange(w: &World, owner: &Owner<'_>, groups: Vec<Group>, plan: &mut Plan) {
    let (ns, name) = (owner.obj.ns(), owner.obj.name());
    let mut own: Vec<&Obj> = w
        .store
        .list(Kind::EndpointSlice, &ns)
        .filter(|s| {
            s.label(SERVICE_NAME) == Some(name.as_str())
                && s.controller_uid() == owner.obj.uid().as_str()
        })
        .collect();
    let mut homeless: Vec<(Value, Vec<Value>)> = Vec::new();
    for (ports, wanted) in groups {
        let (with, without): (Vec<&Obj>, Vec<&Obj>) =
            own.into_iter().partition(|s| same_ports(&s.value["ports"], &ports));
        own = without;
        let rest = keep(w, owner, &ports, wanted, &with, plan);
        if with.is_empty() || !rest.is_empty() {
            homeless.push((ports, rest));
        }
    }
    let mut free = own.into_iter();
    for (ports, mut rest) in homeless {
        loop {
            let tail = rest.split_off(rest.len().min(SLICE));
            let endpoints = std::mem::replace(&mut rest, tail);
            match free.next() {
                Some(slice) => write(w, owner, slice, &ports, endpoints, plan),
                None => create(w, owner, &ports, endpoints, plan),
            }
            if rest.is_empty() {
                break;
            }
        }
    }
    for slice in free {
        plan.act("eps.remove", Action::Delete(slice.key(), DeleteOptions::default()));
    }
}

/// No list of ports and an empty one are the same.
fn same_ports(a: &Value, b: &Value) -> bool {
    a == b || a.is_empty() && b.is_empty()
}

/// Fills the slices of a group; gives the endpoints that found no room.
fn keep(
    w: &World,
    owner: &Owner<'_>,
    ports: &Value,
    wanted: Vec<Value>,
    slices: &[&Obj],
    plan: &mut Plan,
) -> Vec<Value> {
    let empty = wanted.is_empty();
    let mut at: crate::collections::BTreeMap<Str, usize> =
        wanted.iter().enumerate().map(|(i, e)| (identity(e), i)).collect();
    let mut wanted: Vec<Option<Value>> = wanted.into_iter().map(Some).collect();
    let mut kept: Vec<(&Obj, Vec<Value>)> = Vec::new();
    for slice in slices {
        let known = slice.value["endpoints"].items().iter();
        let still = known.filter_map(|e| {
            let i = at.remove(&identity(e))?;
            wanted.get_mut(i)?.take()
        });
        kept.push((slice, still.collect()));
    }
    let mut rest = wanted.into_iter().flatten();
    for (_, endpoints) in &mut kept {
        let room = SLICE.saturating_sub(endpoints.len());
        endpoints.extend(rest.by_ref().take(room));
    }
    let mut first = true;
    for (slice, endpoints) in kept {
        // the last slice stays as a place for what comes
        if endpoints.is_empty() && !(empty && std::mem::take(&mut first)) {
            plan.act("eps.remove", Action::Delete(slice.key(), DeleteOptions::default()));
        } else {
            write(w, owner, slice, ports, endpoints, plan);
        }
    }
    rest.collect()
}

/// Writes a slice that is there, if it changes.
fn write(
    w: &World,
    owner: &Owner<'_>,
    slice: &Obj,
    ports: &Value,
    endpoints: Vec<Value>,
    plan: &mut Plan,
) {
    let mut value = slice.value.clone();
    value.set("endpoints", list_or_null(endpoints));
    value.set("ports", ports_or_null(ports));
    value.entry("metadata").set("labels", &owner.labels);
    if !owner.triggers {
        match &owner.annotations {
            Value::Null => value.entry("metadata").remove("annotations"),
            a => value.entry("metadata").map_mut().insert("annotations", a),
        };
    }
    if value == *slice.value {
        return;
    }
    if owner.triggers {
        let at = changed_at(w, &owner.obj.ns(), &in_slice(&slice.value), &in_slice(&value));
        set_trigger(&mut value, at);
    }
    plan.act("eps.update", Action::Update(Kind::EndpointSlice, value));
}

fn create(w: &World, owner: &Owner<'_>, ports: &Value, endpoints: Vec<Value>, plan: &mut Plan) {
    let obj = owner.obj;
    let mut slice = value!({
        "addressType": "IPv4",
        "endpoints": (list_or_null(endpoints)),
        "metadata": {
            "generateName": (format!("{}-", obj.name())),
            "labels": (owner.labels.clone()),
            "namespace": (obj.ns()),
            "ownerReferences": [{
                "apiVersion": "v1", "blockOwnerDeletion": true, "controller": true,
                "kind": (obj.kind.info().kind), "name": (obj.name()), "uid": (obj.uid())
            }]
        },
        "ports": (ports_or_null(ports))
    });
    if owner.triggers {
        let pods = changed_at(w, &obj.ns(), &[], &in_slice(&slice));
        let made = obj.meta()["creationTimestamp"].to_str();
        set_trigger(&mut slice, Some(pods.map_or(made.clone(), |t| t.min(made))));
    } else if !owner.annotations.is_null() {
        slice.entry("metadata").set("annotations", &owner.annotations);
    }
    plan.act("eps.create", Action::Create(Kind::EndpointSlice, slice));
}

/// Slices that say what Endpoints say which somebody wrote for a Service without a selector.
fn mirror(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(endpoints) = w.store.by_key(key) else { return plan };
    let service = w.store.get(Kind::Service, &key.ns, &key.name);
    if service.is_some_and(|s| !s.spec()["selector"].is_empty()) {
        return plan;
    }
    let mut labels = endpoints.meta()["labels"].clone();
    if labels.is_null() {
        labels = Value::map();
    }
    labels.set(SERVICE_NAME, &key.name);
    labels.set(MANAGED_BY, "endpointslicemirroring-controller.k8s.io");
    let mut annotations = endpoints.meta()["annotations"].clone();
    for own in [TRIGGER, crate::kubectl::LAST_APPLIED] {
        annotations.remove(own);
    }
    if annotations.is_empty() {
        annotations = Value::Null;
    }
    let unwanted = endpoints.label("endpointslice.kubernetes.io/skip-mirror") == Some("true")
        || endpoints.annotation("control-plane.alpha.kubernetes.io/leader").is_some();
    let mut groups: Vec<Group> = Vec::new();
    if service.is_some() && !unwanted && !endpoints.terminating() {
        for subset in endpoints.value["subsets"].items() {
            let mut ports = subset["ports"].items().to_vec();
            for p in ports.iter_mut().filter(|p| p["name"].is_null()) {
                p.set("name", "");
            }
            by_hash(&mut ports, true);
            let ports = Value::from(ports);
            let sides = [("addresses", true), ("notReadyAddresses", false)];
            let all = sides.iter().flat_map(|(list, ready)| {
                subset.get(list).items().iter().map(|a| mirrored(a, *ready))
            });
            match groups.iter_mut().find(|(p, _)| *p == ports) {
                Some((_, endpoints)) => endpoints.extend(all),
                None => groups.push((ports, all.collect())),
            }
        }
        groups.retain(|(_, endpoints)| !endpoints.is_empty());
    }
    let owner = Owner { obj: endpoints, labels, annotations, triggers: false };
    arrange(w, &owner, groups, &mut plan);
    plan
}

fn mirrored(address: &Value, ready: bool) -> Value {
    let mut e = value!({"addresses": [(&address["ip"])], "conditions": {"ready": ready}});
    for field in ["hostname", "nodeName", "targetRef"] {
        if !address.get(field).is_null() {
            e.set(field, address.get(field));
        }
    }
    e
}

fn ports_or_null(ports: &Value) -> Value {
    if ports.is_empty() { Value::Null } else { ports.clone() }
}

/// Go prints an empty list that was never filled as `null`.
fn list_or_null(list: Vec<Value>) -> Value {
    if list.is_empty() { Value::Null } else { list.into() }
}

/// `web-10` after `web-9`.
fn natural(name: &Str) -> (Str, i64, Str) {
    let split =
        name.rsplit_once('-').and_then(|(set, n)| Some((value::text(set), n.parse().ok()?)));
    match split {
        Some((set, n)) => (set, n, name.clone()),
        None => (name.clone(), 0, name.clone()),
    }
}
