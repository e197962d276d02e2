//! EndpointSlices and the old Endpoints object: which pods stand behind a Service
//! (behaviour/services-and-dns.md 2).

mod slices;

pub use slices::reconcile_slices;

use crate::api::selector::matches_map;
use crate::api::{Key, Kind, Obj, Phase};
use crate::controllers::{Action, Plan};
use crate::log::ChangeType;
use crate::queue::Comp;
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Annotation with the time of the change that led to the last write.
const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";
/// Label of an Endpoints object that its controller keeps.
const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
/// Label with the Service's name.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Services, their pods and their slices.
pub fn on_change(w: &mut World, change: ChangeType, old: Option<&Obj>, new: &Obj) {
    match new.kind {
        Kind::Service => {
            if change == ChangeType::Deleted {
                // the Endpoints object has no owner reference: its controller removes it, even
                // one that somebody wrote
                w.enqueue(Comp::Endpoints, new.key());
            } else {
                wake(w, new.key());
            }
            let own = Key::new(Kind::Endpoints, new.ns(), new.name());
            if new.spec()["selector"].is_empty() && w.store.by_key(&own).is_some() {
                w.enqueue(Comp::EndpointSlice, own);
            }
        }
        Kind::Endpoints => {
            // what a controller keeps has slices of its own
            if new.label(MANAGED_BY).is_none() {
                w.enqueue(Comp::EndpointSlice, new.key());
            }
            let service = Key::new(Kind::Service, new.ns(), new.name());
            if change == ChangeType::Deleted && w.store.by_key(&service).is_some() {
                w.enqueue(Comp::Endpoints, service);
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
        Kind::EndpointSlice if change == ChangeType::Deleted => {
            if let Some(service) = new.label(SERVICE_NAME) {
                for kind in [Kind::Service, Kind::Endpoints] {
                    let key = Key::new(kind, new.ns(), value::text(service));
                    if w.store.by_key(&key).is_some() {
                        w.enqueue(Comp::EndpointSlice, key);
                    }
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

/// Ports as one pod resolves them, in the order of the Service.
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

/// Puts ports into the order in which Kubernetes stores them: by the hash (FNV-1a, 128 bit) of
/// what Go prints of them, which for slices has pointers.
fn by_hash(ports: &mut [Value], pointers: bool) {
    let hash = |p: &Value| {
        let (name, number) = (p["name"].str(), p["port"].int_or(0));
        let protocol = p["protocol"].as_str().unwrap_or("TCP");
        let app = p["appProtocol"].as_str().unwrap_or("<nil>");
        let text = if pointers {
            format!(
                "(v1.EndpointPort){{Name:(*string){name} Protocol:(*v1.Protocol){protocol} Port:(*int32){number} AppProtocol:(*string){app}}}"
            )
        } else {
            format!(
                "(v1.EndpointPort){{Name:(string){name} Port:(int32){number} Protocol:(v1.Protocol){protocol} AppProtocol:(*string){app}}}"
            )
        };
        text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |h, b| {
            (h ^ u128::from(b)).wrapping_mul((1 << 88) + 0x13b)
        })
    };
    if ports.len() > 1 {
        ports.sort_by_cached_key(hash);
    }
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
    let list = |subset: &'static str, ready: bool| {
        let all = endpoints["subsets"].items().iter().flat_map(move |s| s.get(subset).items());
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

/// Most addresses of an Endpoints object; ready ones go first.
const MOST_ADDRESSES: usize = 1000;
/// Tells that there are more.
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";

/// Addresses by whether they are ready, with the ports that all of them have.
type Group = (Vec<Value>, [Vec<Value>; 2]);

/// The subsets of a Service's Endpoints: addresses that offer the same ports together. Tells
/// whether there are more than there is room for.
fn subsets(w: &World, service: &Obj, ns: &Str) -> (Vec<Value>, bool) {
    let all = service.spec()["publishNotReadyAddresses"].is_true();
    // first each port with its addresses, then the ports whose addresses are the same
    let mut by_port: Vec<(Value, [Vec<Value>; 2])> = Vec::new();
    for pod in selected(w, service, ns) {
        let f = pod.pod();
        if f.terminating && !all {
            continue;
        }
        let mut address = value!({"ip": (f.ip.clone()), "nodeName": (f.node.clone()), "targetRef": (pod_ref(pod))});
        if let Some(name) = hostname(service, pod) {
            address.set("hostname", name);
        }
        let side = usize::from(!all && !f.ready);
        let mut ports = ports_of(service, pod).items().to_vec();
        // a Service without ports has addresses all the same
        if service.spec()["ports"].is_empty() {
            ports.push(Value::Null);
        }
        for port in ports {
            match by_port.iter_mut().find(|(p, _)| *p == port) {
                Some((_, sides)) => sides[side].push(address.clone()),
                None => {
                    let mut sides = [Vec::new(), Vec::new()];
                    sides[side].push(address.clone());
                    by_port.push((port, sides));
                }
            }
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    for (port, sides) in by_port {
        match groups.iter_mut().find(|(_, s)| *s == sides) {
            Some((ports, _)) => ports.push(port),
            None => groups.push((vec![port], sides)),
        }
    }
    let total: usize = groups.iter().flat_map(|(_, sides)| sides).map(Vec::len).sum();
    let mut room = MOST_ADDRESSES;
    let mut found = Vec::new();
    for (mut ports, sides) in groups {
        let mut subset = Value::map();
        for (name, mut addresses) in ["addresses", "notReadyAddresses"].into_iter().zip(sides) {
            addresses.sort_by(|a, b| a["ip"].str().cmp(b["ip"].str()));
            addresses.truncate(room);
            room -= addresses.len();
            if !addresses.is_empty() {
                subset.set(name, addresses);
            }
        }
        ports.retain(|p| !p.is_null());
        by_hash(&mut ports, false);
        for p in ports.iter_mut().filter(|p| p["name"].is_empty()) {
            p.remove("name");
        }
        if !ports.is_empty() {
            subset.set("ports", ports);
        }
        if !subset.is_empty() {
            found.push(subset);
        }
    }
    (found, total > MOST_ADDRESSES)
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
    let (subsets, over) = subsets(w, service, &key.ns);
    let mut labels = service_labels(service);
    labels.set(MANAGED_BY, "endpoint-controller");
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
