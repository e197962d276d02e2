//! The slices of a Service with a selector.

use super::*;
use crate::apiserver::DeleteOptions;

/// Most endpoints in one slice.
const SLICE: usize = 100;

fn endpoint(w: &World, service: &Obj, pod: &Obj) -> Value {
    let f = pod.pod();
    let all = service.spec()["publishNotReadyAddresses"].is_true();
    let mut e = value!({
        "addresses": [(f.ip.clone())],
        "conditions": {
            "ready": (all || (f.ready && !f.terminating)),
            "serving": (f.ready),
            "terminating": (f.terminating)
        },
        "targetRef": (pod_ref(pod))
    });
    if let Some(name) = hostname(service, pod) {
        e.set("hostname", name);
    }
    if !f.node.is_empty() {
        e.set("nodeName", &f.node);
        let node = w.store.get(Kind::Node, "", &f.node);
        if let Some(zone) = node.and_then(|n| n.label("topology.kubernetes.io/zone")) {
            e.set("zone", value::text(zone));
        }
    }
    e
}

/// Pods that resolve the Service's ports to the same numbers, and the slices with these ports.
struct Group<'a> {
    ports: Value,
    pods: Vec<&'a Obj>,
    slices: Vec<&'a Obj>,
}

/// Decides about the slices of a Service. Endpoints keep the slice and the place that they
/// have; new ones fill up slices with room. A slice that is not needed any more becomes the
/// next one that is.
pub fn reconcile(w: &World, key: &Key) -> Plan {
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
    let mut groups: Vec<Group<'_>> = Vec::new();
    for pod in selected(w, service, &key.ns) {
        let ports = ports_of(service, pod);
        match groups.iter_mut().find(|g| g.ports == ports) {
            Some(g) => g.pods.push(pod),
            None => groups.push(Group { ports, pods: vec![pod], slices: Vec::new() }),
        }
    }
    let mut spare: Vec<&Obj> = Vec::new();
    let own = w.store.list(Kind::EndpointSlice, &key.ns).filter(|s| {
        s.label(SERVICE_NAME) == Some(key.name.as_str())
            && s.controller_uid() == service.uid().as_str()
    });
    for slice in own {
        match groups.iter_mut().find(|g| g.ports == slice.value["ports"]) {
            Some(g) => g.slices.push(slice),
            None => spare.push(slice),
        }
    }
    // a slice with its new endpoints and ports
    let mut kept: Vec<(&Obj, Vec<Value>, Value)> = Vec::new();
    let mut made: Vec<(Vec<Value>, Value)> = Vec::new();
    for group in groups {
        let mut wanted: crate::collections::BTreeMap<Str, &Obj> =
            group.pods.iter().map(|p| (p.uid(), *p)).collect();
        let mut full: Vec<(&Obj, Vec<Value>)> = Vec::new();
        for slice in group.slices {
            let mut endpoints = Vec::new();
            for e in slice.value["endpoints"].items() {
                if let Some(pod) = wanted.remove(&e["targetRef"]["uid"].to_str()) {
                    endpoints.push(endpoint(w, service, pod));
                }
            }
            full.push((slice, endpoints));
        }
        // the rest in the order of their names, so that a fresh slice reads well
        let mut rest: Vec<&Obj> = wanted.into_values().collect();
        rest.sort_by_key(|p| natural(&p.name()));
        let mut rest = rest.into_iter().map(|p| endpoint(w, service, p));
        for (slice, mut endpoints) in full {
            let room = SLICE.saturating_sub(endpoints.len());
            endpoints.extend(rest.by_ref().take(room));
            if endpoints.is_empty() {
                spare.push(slice);
            } else {
                kept.push((slice, endpoints, group.ports.clone()));
            }
        }
        let mut rest: Vec<Value> = rest.collect();
        while !rest.is_empty() {
            let tail = rest.split_off(rest.len().min(SLICE));
            made.push((std::mem::replace(&mut rest, tail), group.ports.clone()));
        }
    }
    if kept.is_empty() && made.is_empty() {
        made.push((Vec::new(), Value::Null));
    }
    let mut made = made.into_iter();
    for slice in spare {
        match made.next() {
            Some((endpoints, ports)) => kept.push((slice, endpoints, ports)),
            None => {
                plan.act("eps.remove", Action::Delete(slice.key(), DeleteOptions::default()));
            }
        }
    }
    for (slice, endpoints, ports) in kept {
        let mut value = slice.value.clone();
        value.set("endpoints", list_or_null(endpoints));
        value.set("ports", ports);
        value.entry("metadata").set("labels", &labels);
        if value != *slice.value {
            let at = changed_at(w, &key.ns, &in_slice(&slice.value), &in_slice(&value));
            set_trigger(&mut value, at);
            plan.act("eps.update", Action::Update(Kind::EndpointSlice, value));
        }
    }
    for (endpoints, ports) in made {
        let mut slice = value!({
            "addressType": "IPv4",
            "endpoints": (list_or_null(endpoints)),
            "metadata": {
                "generateName": (format!("{}-", key.name)),
                "labels": (labels.clone()),
                "namespace": (key.ns.clone()),
                "ownerReferences": [{
                    "apiVersion": "v1", "blockOwnerDeletion": true, "controller": true,
                    "kind": "Service", "name": (key.name.clone()), "uid": (service.uid())
                }]
            },
            "ports": ports
        });
        let pods = changed_at(w, &key.ns, &[], &in_slice(&slice));
        let made = service.meta()["creationTimestamp"].to_str();
        set_trigger(&mut slice, Some(pods.map_or(made.clone(), |t| t.min(made))));
        plan.act("eps.create", Action::Create(Kind::EndpointSlice, slice));
    }
    plan
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
