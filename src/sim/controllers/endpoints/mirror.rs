//! Slices that repeat an Endpoints object which was written by hand for a Service without a
//! selector.

use super::*;
use crate::apiserver::DeleteOptions;

/// Who keeps these slices.
pub(super) const NAME: &str = "endpointslicemirroring-controller.k8s.io";
/// Annotation that is not repeated.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Is there a Service for which the object was written?
fn mirrored(w: &World, key: &Key, object: &Obj) -> bool {
    let service = w.store.get(Kind::Service, &key.ns, &key.name);
    object.label("endpointslice.kubernetes.io/skip-mirror") != Some("true")
        && object.annotation("control-plane.alpha.kubernetes.io/leader").is_none()
        && service.is_some_and(|s| s.spec()["selector"].is_null())
}

/// Addresses of one kind of a subset, as endpoints.
fn endpoints(subset: &Value, six: bool) -> Vec<Value> {
    let mut all = Vec::new();
    for (list, ready) in [("addresses", true), ("notReadyAddresses", false)] {
        for a in subset[list].items().iter().filter(|a| a["ip"].str().contains(':') == six) {
            let mut e = value!({"addresses": [(a["ip"].clone())], "conditions": {"ready": ready}});
            for field in ["hostname", "nodeName", "targetRef"] {
                if !a[field].is_empty() {
                    e.set(field, &a[field]);
                }
            }
            all.push(e);
        }
    }
    all
}

/// Decides about the slices that mirror an Endpoints object.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let mut own: Vec<&Obj> = w
        .store
        .list(Kind::EndpointSlice, &key.ns)
        .filter(|s| {
            s.label(SERVICE_NAME) == Some(key.name.as_str()) && s.label(MANAGED_BY) == Some(NAME)
        })
        .collect();
    let mut wanted: Vec<(&str, Vec<Value>, Value)> = Vec::new();
    let object = w.store.by_key(key).filter(|o| mirrored(w, key, o));
    for subset in object.map_or(&Value::Null, |o| &o.value["subsets"]).items() {
        let mut ports = subset["ports"].items().to_vec();
        for p in &mut ports {
            if p["name"].is_null() {
                p.set("name", "");
            }
        }
        let ports = Value::from(ports);
        for (family, six) in [("IPv4", false), ("IPv6", true)] {
            let list = endpoints(subset, six);
            if list.is_empty() {
                continue;
            }
            match wanted.iter_mut().find(|(f, _, p)| *f == family && *p == ports) {
                Some((_, all, _)) => all.extend(list),
                None => wanted.push((family, list, ports.clone())),
            }
        }
    }
    for (family, endpoints, ports) in wanted {
        let Some(object) = object else { break };
        let mut labels = object.meta()["labels"].clone();
        labels.set(SERVICE_NAME, &key.name);
        labels.set(MANAGED_BY, NAME);
        let mut notes = object.meta()["annotations"].clone();
        notes.remove(TRIGGER);
        notes.remove(LAST_APPLIED);
        // the slice that has these ports, or any of that family
        let at = own
            .iter()
            .position(|s| s.value["addressType"].str() == family && s.value["ports"] == ports);
        let at = at.or_else(|| own.iter().position(|s| s.value["addressType"].str() == family));
        let mut value = match at.map(|i| own.remove(i)) {
            Some(slice) => slice.value.clone(),
            None => value!({
                "addressType": family,
                "metadata": {
                    "generateName": (format!("{}-", key.name)), "namespace": (key.ns.clone()),
                    "ownerReferences": [{
                        "apiVersion": "v1", "blockOwnerDeletion": true, "controller": true,
                        "kind": "Endpoints", "name": (key.name.clone()), "uid": (object.uid())
                    }]
                }
            }),
        };
        let before = value.clone();
        value.set("endpoints", endpoints);
        value.set("ports", ports);
        let meta = value.entry("metadata");
        meta.set("labels", labels);
        if notes.is_empty() {
            meta.remove("annotations");
        } else {
            meta.set("annotations", notes);
        }
        if before["metadata"]["uid"].is_empty() {
            plan.act("eps.mirror", Action::Create(Kind::EndpointSlice, value));
        } else if value != before {
            plan.act("eps.mirror", Action::Update(Kind::EndpointSlice, value));
        }
    }
    for slice in own {
        plan.act("eps.mirror", Action::Delete(slice.key(), DeleteOptions::default()));
    }
    plan
}
