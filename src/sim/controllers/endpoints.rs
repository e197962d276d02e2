//! EndpointSlices and the old Endpoints object: which pods stand behind a Service
//! (behaviour/services-and-dns.md 2).

use crate::api::selector::matches_map;
use crate::api::{Key, Kind, Obj, Phase};
use crate::controllers::{Action, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

mod mirror;
mod slices;

pub use mirror::reconcile as reconcile_mirror;
pub use slices::reconcile as reconcile_slices;

/// Annotation with the time of the change that led to the last write.
const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";
/// Label with the name of who keeps a slice.
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Label with the Service's name.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Services, their pods and their slices.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        Kind::Service => {
            // what is written by hand is mirrored while the Service has no selector
            let by_hand = |s: &Obj| s.spec()["selector"].is_null();
            if by_hand(new) || old.is_some_and(by_hand) {
                w.enqueue(Comp::EndpointSlice, Key::new(Kind::Endpoints, new.ns(), new.name()));
            }
            if change != ChangeType::Deleted {
                wake(w, new.key());
            } else if !new.spec()["selector"].is_empty() {
                // the Endpoints object has no owner reference: its controller removes it
                w.enqueue(Comp::Endpoints, new.key());
            }
        }
        Kind::Pod => {
            let relevant = change != ChangeType::Modified
                || old.is_none_or(|o| {
                    seen(o) != seen(new) || o.meta()["labels"] != new.meta()["labels"]
                });
            if !relevant {
                return;
            }
            let ns = new.ns();
            let services: Vec<Key> = w
                .store
                .list(Kind::Service, &ns)
                .filter(|s| {
                    let selector = &s.spec()["selector"];
                    matches_map(selector, &new.meta()["labels"])
                        || old.is_some_and(|o| matches_map(selector, &o.meta()["labels"]))
                })
                .map(|s| s.key())
                .collect();
            for key in services {
                wake(w, key);
            }
        }
        Kind::Endpoints if new.label("endpoints.kubernetes.io/managed-by").is_none() => {
            w.enqueue(Comp::EndpointSlice, new.key());
        }
        Kind::EndpointSlice if change == ChangeType::Deleted => {
            if let Some(service) = new.label(SERVICE_NAME) {
                let mirrored = new.label(MANAGED_BY) == Some(mirror::NAME);
                if mirrored {
                    let key = Key::new(Kind::Endpoints, new.ns(), value::text(service));
                    w.enqueue(Comp::EndpointSlice, key);
                }
                let key = Key::new(Kind::Service, new.ns(), value::text(service));
                if w.store.by_key(&key).is_some() {
                    w.enqueue(Comp::EndpointSlice, key);
                }
            }
        }
        _ => {}
    }
}

fn wake(w: &mut World, service: Key) {
    w.enqueue(Comp::EndpointSlice, service.clone());
    w.enqueue(Comp::Endpoints, service);
}

/// What of a pod matters to endpoints.
fn seen(pod: &Obj) -> (Phase, bool, bool, &Str, &Str) {
    let f = pod.pod();
    (f.phase, f.ready, f.terminating, &f.ip, &f.node)
}

/// Pods that the Service selects and that have an address.
fn selected<'a>(w: &'a World, service: &'a Obj, ns: &'a Str) -> impl Iterator<Item = &'a Obj> {
    w.store.list(Kind::Pod, ns).filter(|p| {
        let f = p.pod();
        !f.ip.is_empty()
            && !matches!(f.phase, Phase::Succeeded | Phase::Failed)
            && matches_map(&service.spec()["selector"], &p.meta()["labels"])
    })
}

/// Number that a Service port means in a pod: named target ports are looked up there.
fn target_port(port: &Value, pod: &Obj) -> Option<i64> {
    match &port["targetPort"] {
        Value::Int(n) if *n != 0 => Some(*n),
        Value::Str(name) => pod.spec()["containers"]
            .items()
            .iter()
            .flat_map(|c| c["ports"].items())
            .find(|p| {
                p["name"].str() == name.as_str()
                    && p["protocol"].as_str().unwrap_or("TCP")
                        == port["protocol"].as_str().unwrap_or("TCP")
            })
            .and_then(|p| p["containerPort"].as_int()),
        _ => port["port"].as_int(),
    }
}

/// Ports of a slice, as one pod resolves them.
fn ports_of(service: &Obj, pod: &Obj) -> Value {
    let ports: Vec<Value> = service.spec()["ports"]
        .items()
        .iter()
        .filter_map(|p| {
            let number = target_port(p, pod)?;
            let mut port = value!({
                "name": (p["name"].to_str()), "port": number,
                "protocol": (Str::from(p["protocol"].as_str().unwrap_or("TCP").to_owned()))
            });
            if !p["appProtocol"].is_null() {
                port.set("appProtocol", &p["appProtocol"]);
            }
            Some(port)
        })
        .collect();
    ports.into()
}

fn pod_ref(pod: &Obj) -> Value {
    value!({"kind": "Pod", "name": (pod.name()), "namespace": (pod.ns()), "uid": (pod.uid())})
}

/// The host name under which the pod is found: only if its subdomain is this Service.
fn hostname(service: &Obj, pod: &Obj) -> Option<Value> {
    let spec = pod.spec();
    (!spec["hostname"].is_empty() && spec["subdomain"] == service.meta()["name"])
        .then(|| spec["hostname"].clone())
}

fn service_labels(service: &Obj) -> Value {
    let mut labels = service.meta()["labels"].clone();
    if labels.is_null() {
        labels = Value::map();
    }
    if service.spec()["clusterIP"].str() == "None" {
        labels.set("service.kubernetes.io/headless", "");
    }
    labels
}

/// A pod (uid and name) that a slice or an Endpoints object has, and whether it serves.
type Served<'a> = (&'a str, &'a str, bool);

fn in_slice(slice: &Value) -> Vec<Served<'_>> {
    let serves = |e: &Value| e["conditions"]["serving"].is_true();
    let all = slice["endpoints"].items().iter();
    all.map(|e| (e["targetRef"]["uid"].str(), e["targetRef"]["name"].str(), serves(e))).collect()
}

fn in_endpoints(endpoints: &Value) -> Vec<Served<'_>> {
    let list = |name: &'static str, ready: bool| {
        let all = endpoints["subsets"].items().iter().flat_map(move |s| s[name].items());
        all.map(move |a| (a["targetRef"]["uid"].str(), a["targetRef"]["name"].str(), ready))
    };
    list("addresses", true).chain(list("notReadyAddresses", false)).collect()
}

/// When the change began: the earliest of the moments at which pods that are new, or are ready
/// now and were not, or the other way round, became so. None if pods only went.
fn changed_at(w: &World, ns: &str, before: &[Served<'_>], after: &[Served<'_>]) -> Option<Str> {
    let changed = after.iter().filter(|(uid, _, serves)| {
        before.iter().all(|(known, _, served)| known != uid || served != serves)
    });
    changed
        .filter_map(|(_, name, _)| w.store.get(Kind::Pod, ns, name))
        .map(|p| crate::api::object::condition(&p.value, "Ready")["lastTransitionTime"].to_str())
        .filter(|t| !t.is_empty())
        .min()
}

fn set_trigger(object: &mut Value, at: Option<Str>) {
    let meta = object.entry("metadata");
    match at {
        Some(at) => meta.entry("annotations").set(TRIGGER, at),
        None => {
            meta.entry("annotations").remove(TRIGGER);
            if meta["annotations"].is_empty() {
                meta.remove("annotations");
            }
        }
    }
}

/// Go prints an empty list that was never filled as `null`.
fn list_or_null(list: Vec<Value>) -> Value {
    if list.is_empty() { Value::Null } else { list.into() }
}

/// Most addresses of an Endpoints object; ready ones go first.
const MOST_ADDRESSES: usize = 1000;
/// Tells that there are more.
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";

/// One subset for all ports that the same addresses have.
fn subsets(addresses: &[(Value, bool, Value)]) -> Vec<Value> {
    // each port, and which addresses have it
    let mut ports: Vec<(Value, Vec<usize>)> = Vec::new();
    for (i, (.., own)) in addresses.iter().enumerate() {
        let none = [Value::Null];
        let own = if own.is_empty() { &none } else { own.items() };
        for port in own {
            match ports.iter_mut().find(|(p, _)| p == port) {
                Some((_, who)) => who.push(i),
                None => ports.push((port.clone(), vec![i])),
            }
        }
    }
    let mut groups: Vec<(Vec<usize>, Vec<Value>)> = Vec::new();
    for (mut port, who) in ports {
        if port["name"].is_empty() {
            port.remove("name");
        }
        match groups.iter_mut().find(|(w, _)| *w == who) {
            Some((_, list)) => list.push(port),
            None => groups.push((who, vec![port])),
        }
    }
    let subset = |(who, ports): (Vec<usize>, Vec<Value>)| {
        let mut subset = Value::map();
        for (name, ready) in [("addresses", true), ("notReadyAddresses", false)] {
            let list: Vec<Value> = who
                .iter()
                .filter_map(|i| addresses.get(*i))
                .filter(|(_, r, _)| *r == ready)
                .map(|(a, ..)| a.clone())
                .collect();
            if !list.is_empty() {
                subset.set(name, list);
            }
        }
        let ports: Vec<Value> = ports.into_iter().filter(|p| !p.is_null()).collect();
        if !ports.is_empty() {
            subset.set("ports", ports);
        }
        subset
    };
    groups.into_iter().map(subset).collect()
}

/// Decides about the Endpoints object of a Service; terminating pods are left out.
pub fn reconcile_endpoints(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let own = Key::new(Kind::Endpoints, key.ns.clone(), key.name.clone());
    let existing = w.store.by_key(&own);
    let Some(service) = w.store.by_key(key) else {
        if existing.is_some() {
            plan.act("ep.remove", Action::Delete(own, crate::apiserver::DeleteOptions::default()));
        }
        return plan;
    };
    let spec = service.spec();
    if spec["selector"].is_empty() || spec["type"].str() == "ExternalName" {
        return plan;
    }
    let all = spec["publishNotReadyAddresses"].is_true();
    let mut addresses: Vec<(Value, bool, Value)> = Vec::new();
    for pod in selected(w, service, &key.ns) {
        let f = pod.pod();
        if f.terminating && !all {
            continue;
        }
        let mut address = value!({"ip": (f.ip.clone()), "nodeName": (f.node.clone()), "targetRef": (pod_ref(pod))});
        if let Some(name) = hostname(service, pod) {
            address.set("hostname", name);
        }
        addresses.push((address, all || f.ready, ports_of(service, pod)));
    }
    let over = addresses.len() > MOST_ADDRESSES;
    // ready ones first
    addresses.sort_by(|a, b| (!a.1, a.0["ip"].str()).cmp(&(!b.1, b.0["ip"].str())));
    addresses.truncate(MOST_ADDRESSES);
    let subsets = subsets(&addresses);
    let mut labels = service_labels(service);
    labels.set("endpoints.kubernetes.io/managed-by", "endpoint-controller");
    let mut value = existing.map_or_else(
        || value!({"metadata": {"name": (key.name.clone()), "namespace": (key.ns.clone())}}),
        |e| e.value.clone(),
    );
    if subsets.is_empty() {
        value.remove("subsets");
    } else {
        value.set("subsets", subsets);
    }
    value.entry("metadata").set("labels", labels);
    if over {
        value.path_mut("metadata.annotations").set(OVER_CAPACITY, "truncated");
    } else if value["metadata"]["annotations"].has(OVER_CAPACITY) {
        value.path_mut("metadata.annotations").remove(OVER_CAPACITY);
    }
    if existing.is_some_and(|e| *e.value == value) {
        return plan;
    }
    let before = existing.map_or_else(Vec::new, |e| in_endpoints(&e.value));
    let pods = changed_at(w, &key.ns, &before, &in_endpoints(&value));
    if existing.is_some() {
        set_trigger(&mut value, pods);
        plan.act("ep.update", Action::Update(Kind::Endpoints, value));
    } else {
        let made = service.meta()["creationTimestamp"].to_str();
        set_trigger(&mut value, Some(pods.map_or(made.clone(), |t| t.min(made))));
        plan.act("ep.create", Action::Create(Kind::Endpoints, value));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::time::SECOND;
    use crate::apiserver::{DeleteOptions, WriteOptions};
    use crate::config::{Config, Latency};

    const OPTS: WriteOptions = WriteOptions::TRUSTED;

    /// Slices have all pods, the old object a thousand of them.
    #[test]
    fn endpoints_are_cut_at_a_thousand() {
        let mut w = World::new(Config { latency: Latency::Instant, ..Config::default() });
        let service = value!({
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"clusterIP": "None", "selector": {"app": "web"}}
        });
        w.create(Kind::Service, service, OPTS).expect("created");
        for i in 0..1003 {
            let pod = value!({
                "metadata": {
                    "labels": {"app": "web"}, "name": (format!("p{i}")), "namespace": "default"
                },
                "spec": {"containers": [{"image": "nginx", "name": "a"}], "nodeName": "worker-1"}
            });
            let pod = w.create(Kind::Pod, pod, OPTS).expect("created");
            w.modify(&pod.key(), crate::apiserver::Sub::Status, |v| {
                let ip = format!("10.{}.{}.1", i / 250, i % 250);
                v.entry("status").set("podIP", ip.clone());
                v.entry("status").set("podIPs", value!([{"ip": ip}]));
            });
        }
        let plan = reconcile_endpoints(&w, &Key::new(Kind::Service, "default", "web"));
        let made = plan.effects.iter().find_map(|e| match &e.action {
            Action::Create(Kind::Endpoints, v) => Some(v.clone()),
            _ => None,
        });
        let made = made.expect("an object is made");
        let subset = &made["subsets"][0];
        assert_eq!(subset["addresses"].len() + subset["notReadyAddresses"].len(), 1000);
        assert_eq!(made["metadata"]["annotations"][OVER_CAPACITY].str(), "truncated");
    }

    /// The annotation has the moment at which a pod became ready; an update because a pod goes
    /// has no such moment.
    #[test]
    fn the_trigger_is_when_pods_became_ready() {
        let mut w = World::new(Config { latency: Latency::Recording, ..Config::default() });
        w.run_until(100 * SECOND);
        let service = value!({
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"clusterIP": "None", "selector": {"app": "web"}}
        });
        w.create(Kind::Service, service, OPTS).expect("created");
        w.run_until(150 * SECOND);
        let pod = value!({
            "metadata": {"labels": {"app": "web"}, "name": "web-0", "namespace": "default"},
            "spec": {
                "containers": [{"image": "nginx:1", "name": "c"}], "nodeName": "worker-1",
                "terminationGracePeriodSeconds": 30
            }
        });
        let pod = w.create(Kind::Pod, pod, OPTS).expect("created").key();
        assert!(w.settle(10 * SECOND));
        let triggers = |w: &World| -> Vec<String> {
            let own = |kind| w.store.all(kind).find(|o| o.name().starts_with("web"));
            [Kind::EndpointSlice, Kind::Endpoints]
                .map(|kind| own(kind).and_then(|o| o.annotation(TRIGGER).map(str::to_owned)))
                .map(Option::unwrap_or_default)
                .to_vec()
        };
        assert_eq!(triggers(&w), ["2026-01-05T09:02:30Z"; 2]);
        w.delete(&pod, &DeleteOptions::default()).expect("marked");
        w.run_until(w.now + SECOND / 10);
        assert_eq!(triggers(&w), [""; 2]);
    }
}
