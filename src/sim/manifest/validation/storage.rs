//! Claims, volumes, storage classes (behaviour/validation.md 5).

use super::{Errors, diff, names, quoted};
use crate::api::quantity;
use crate::value::Value;

const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_SOURCES: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

fn amount(v: &Value) -> Option<i128> {
    match v {
        Value::Int(i) => Some(i128::from(*i) * 1000),
        v => quantity::milli(v.str()),
    }
}

fn modes(e: &mut Errors, field: &str, list: &Value) {
    for m in list.items() {
        e.one_of(field, m, MODES);
    }
    if list.len() > 1 && list.items().iter().any(|m| m.str() == "ReadWriteOncePod") {
        e.forbidden(field, "may not use ReadWriteOncePod with other access modes");
    }
}

/// A claim's spec, in a claim or in a template.
pub(super) fn claim_spec(e: &mut Errors, path: &str, s: &Value) {
    let field = format!("{path}.accessModes");
    if s["accessModes"].items().is_empty() {
        e.required(&*field, "at least 1 access mode is required");
    }
    if !s["selector"].is_null() {
        names::selector(e, &format!("{path}.selector"), &s["selector"]);
    }
    modes(e, &field, &s["accessModes"]);
    let storage = &s["resources"]["requests"]["storage"];
    let field = format!("{path}.resources[storage]");
    match amount(storage) {
        None if storage.is_null() => e.required(field, ""),
        Some(n) if n <= 0 => {
            let shown = crate::manifest::canonical_quantity(storage);
            e.invalid(field, quoted(shown.str()), "must be greater than zero");
        }
        _ => {}
    }
    if let Some(class) = s["storageClassName"].as_str().filter(|c| !c.is_empty()) {
        names::check_subdomain(e, &format!("{path}.storageClassName"), class);
    }
    e.one_of(format!("{path}.volumeMode"), &s["volumeMode"], &["Block", "Filesystem"]);
}

/// An update of a claim: only growth, a late class, the volume's name once.
pub(super) fn claim_update(e: &mut Errors, new: &Value, old: &Value) {
    let (n, o) = (&new["spec"], &old["spec"]);
    let rest = |s: &Value| {
        let mut s = s.clone();
        if o["volumeName"].is_empty() {
            s.remove("volumeName");
        }
        if o["storageClassName"].is_null() {
            s.remove("storageClassName");
        }
        s.remove("volumeAttributesClassName");
        if let Some(requests) = s["resources"].as_map().and_then(|m| m.get("requests")).cloned() {
            let mut requests = requests;
            requests.remove("storage");
            s.entry("resources").set("requests", requests);
        }
        s
    };
    if rest(n) != rest(o) {
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        e.forbidden("spec", format!("{detail}\n{}", diff::claim(o, n)));
    }
    let size = |s: &Value| amount(&s["resources"]["requests"]["storage"]).unwrap_or(0);
    let have = amount(&old["status"]["capacity"]["storage"]).unwrap_or(0);
    if size(n) < size(o) && size(n) < have.max(1) {
        e.forbidden(
            "spec.resources.requests.storage",
            "field can not be less than status.capacity",
        );
    }
}

/// A volume.
pub(super) fn volume(e: &mut Errors, pv: &Value) {
    let s = &pv["spec"];
    if s["accessModes"].items().is_empty() {
        e.required("spec.accessModes", "");
    }
    modes(e, "spec.accessModes", &s["accessModes"]);
    let capacity = &s["capacity"];
    if capacity.is_empty() {
        e.required("spec.capacity", "");
    }
    if capacity["storage"].is_null() || capacity.len() > 1 {
        e.add(
            "spec.capacity",
            format!("Unsupported value: {capacity}: supported values: \"storage\""),
        );
    } else if let Some(n) = amount(&capacity["storage"]).filter(|n| *n <= 0) {
        let _ = n;
        e.invalid(
            "spec.capacity[storage]",
            quoted(capacity["storage"].str()),
            "must be greater than zero",
        );
    }
    let reclaim = &s["persistentVolumeReclaimPolicy"];
    e.one_of("spec.persistentVolumeReclaimPolicy", reclaim, &["Delete", "Recycle", "Retain"]);
    let sources: Vec<&str> =
        VOLUME_SOURCES.iter().copied().filter(|k| !s.get(k).is_null()).collect();
    match sources.as_slice() {
        [] => e.required("spec", "must specify a volume type"),
        [_, more @ ..] => {
            for source in more {
                e.forbidden(format!("spec.{source}"), "may not specify more than 1 volume type");
            }
        }
    }
    if !s["local"].is_null() && s["nodeAffinity"].is_null() {
        e.required("spec.nodeAffinity", "Local volume requires node affinity");
    }
    if let Some(class) = s["storageClassName"].as_str().filter(|c| !c.is_empty()) {
        names::check_subdomain(e, "spec.storageClassName", class);
    }
    e.one_of("spec.volumeMode", &s["volumeMode"], &["Block", "Filesystem"]);
}

/// An update of a volume: its source stays.
pub(super) fn volume_update(e: &mut Errors, new: &Value, old: &Value) {
    if VOLUME_SOURCES.iter().any(|k| new["spec"].get(k) != old["spec"].get(k)) {
        e.forbidden(
            "spec.persistentvolumesource",
            "spec.persistentvolumesource is immutable after creation",
        );
    }
}

/// A storage class.
pub(super) fn class(e: &mut Errors, sc: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        if sc["parameters"] != old["parameters"] {
            e.forbidden("parameters", "updates to parameters are forbidden.");
        }
        if sc["provisioner"] != old["provisioner"] {
            e.forbidden("provisioner", "updates to provisioner are forbidden.");
        }
        for key in ["reclaimPolicy", "volumeBindingMode"] {
            if sc[key] != old[key] {
                e.invalid(key, sc[key].to_string(), "field is immutable");
            }
        }
        return;
    }
    if sc["provisioner"].str().is_empty() {
        e.required("provisioner", "");
    }
    e.one_of("reclaimPolicy", &sc["reclaimPolicy"], &["Delete", "Retain"]);
    e.one_of("volumeBindingMode", &sc["volumeBindingMode"], &["Immediate", "WaitForFirstConsumer"]);
}
