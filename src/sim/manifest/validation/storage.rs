//! Claims, volumes, storage classes (behaviour/validation.md 5).

use super::{Errors, amount, amount_text, diff, names, placement, quoted, volume as sources};
use crate::value::Value;

const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/// Sources of a volume, in the order in which the server looks at them.
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
        None => e.required(field, ""),
        Some(n) if n <= 0 => {
            e.invalid(field, quoted(&amount_text(storage)), "must be greater than zero");
        }
        _ => {}
    }
    if let Some(class) = s["storageClassName"].as_str().filter(|c| !c.is_empty()) {
        names::check_subdomain(e, &format!("{path}.storageClassName"), class);
    }
    e.one_of(format!("{path}.volumeMode"), &s["volumeMode"], &["Block", "Filesystem"]);
    for key in ["dataSource", "dataSourceRef"] {
        let (at, from) = (format!("{path}.{key}"), s.get(key));
        if from.is_null() {
            continue;
        }
        for key in ["name", "kind"].iter().filter(|k| from.get(k).is_empty()) {
            e.required(format!("{at}.{key}"), "");
        }
        let (group, kind) = (from["apiGroup"].str(), from["kind"].str());
        if !group.is_empty() {
            names::check_subdomain(e, &format!("{at}.apiGroup"), group);
        } else if kind != "PersistentVolumeClaim" {
            e.invalid(
                at,
                quoted(kind),
                "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
            );
        }
    }
    if let Some(class) = s["volumeAttributesClassName"].as_str().filter(|c| !c.is_empty()) {
        names::check_subdomain(e, &format!("{path}.volumeAttributesClassName"), class);
    }
}

/// An update of a claim: only growth once it is bound, a late class, the volume's name once.
pub(super) fn claim_update(e: &mut Errors, new: &Value, old: &Value) {
    const BETA: &str = "volume.beta.kubernetes.io/storage-class";
    let (n, o) = (&new["spec"], &old["spec"]);
    let note = |v: &Value| v["metadata"]["annotations"].get(BETA).to_str();
    if note(new) != note(old) {
        let shown = quoted(&note(new));
        e.invalid(format!("metadata.annotations.{BETA}"), shown, "field is immutable");
    }
    let (mut a, mut b) = (n.clone(), o.clone());
    if o["volumeName"].is_empty() && !n["volumeName"].is_empty() {
        b.set("volumeName", &n["volumeName"]);
    }
    if o["storageClassName"].is_null() && !n["storageClassName"].is_null() {
        a.remove("storageClassName");
    }
    if new["status"]["phase"].str() == "Bound" {
        if !a["resources"]["requests"].is_null() {
            let size = &o["resources"]["requests"]["storage"];
            a.entry("resources").entry("requests").set("storage", size);
        }
        if o["volumeAttributesClassName"].is_null() {
            a.remove("volumeAttributesClassName");
        } else {
            a.set("volumeAttributesClassName", &o["volumeAttributesClassName"]);
        }
    }
    if a != b {
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        e.forbidden("spec", format!("{detail}\n{}", diff::claim(&b, &a)));
    }
    let size = |s: &Value| amount(&s["resources"]["requests"]["storage"]).unwrap_or(0);
    let have = amount(&old["status"]["capacity"]["storage"]).unwrap_or(0);
    if size(n) < size(o) && size(n) <= have {
        e.forbidden(
            "spec.resources.requests.storage",
            "field can not be less than status.capacity",
        );
    }
    if n["volumeMode"] != o["volumeMode"] {
        e.invalid("volumeMode", n["volumeMode"].to_string(), "field is immutable");
    }
    let class = &n["volumeAttributesClassName"];
    if !old["status"]["currentVolumeAttributesClassName"].is_null() && class.is_empty() {
        let to = if class.is_null() { "nil" } else { "empty string" };
        e.forbidden("spec.volumeAttributesClassName", format!("update to {to} is forbidden when status.currentVolumeAttributesClassName is not nil"));
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
    }
    for (name, q) in capacity.pairs() {
        let (field, n) = (format!("spec.capacity[{name}]"), amount(q).unwrap_or(0));
        if n < 0 {
            let whole = n.div_euclid(1000) + i128::from(n % 1000 != 0);
            e.invalid(&*field, whole.to_string(), "must be a valid resource quantity");
        }
        if n <= 0 {
            e.invalid(field, quoted(&amount_text(q)), "must be greater than zero");
        }
    }
    let reclaim = &s["persistentVolumeReclaimPolicy"];
    e.one_of("spec.persistentVolumeReclaimPolicy", reclaim, &["Delete", "Recycle", "Retain"]);
    let affinity = &s["nodeAffinity"];
    if !affinity.is_null() {
        if affinity["required"].is_null() {
            e.required("spec.nodeAffinity.required", "must specify required node constraints");
        } else {
            placement::node_selector(e, "spec.nodeAffinity.required", &affinity["required"]);
        }
    }
    sources::any_source(e, "spec", s, VOLUME_SOURCES, false);
    let first = VOLUME_SOURCES.iter().find(|k| !s.get(k).is_null());
    if first == Some(&"local") && affinity.is_null() {
        e.required("spec.nodeAffinity", "Local volume requires node affinity");
    }
    let whole_disk = !s["hostPath"].is_null()
        && s["hostPath"]["path"].str().split('/').all(|p| matches!(p, "" | "."));
    if whole_disk && reclaim.str() == "Recycle" {
        e.forbidden(
            "spec.persistentVolumeReclaimPolicy",
            "may not be 'recycle' for a hostPath mount of '/'",
        );
    }
    if let Some(class) = s["storageClassName"].as_str().filter(|c| !c.is_empty()) {
        names::check_subdomain(e, "spec.storageClassName", class);
    }
    e.one_of("spec.volumeMode", &s["volumeMode"], &["Block", "Filesystem"]);
    if let Some(class) = s["volumeAttributesClassName"].as_str() {
        let field = "spec.volumeAttributesClassName";
        if class.is_empty() {
            e.required(field, "an empty string is disallowed");
        } else {
            names::check_subdomain(e, field, class);
        }
        if s["csi"].is_null() {
            e.required("spec.csi", "has to be specified when using volumeAttributesClassName");
        }
    }
}

/// An update of a volume: its source stays.
pub(super) fn volume_update(e: &mut Errors, new: &Value, old: &Value) {
    let (n, o) = (&new["spec"], &old["spec"]);
    if VOLUME_SOURCES.iter().any(|k| n.get(k) != o.get(k)) {
        let detail = "spec.persistentvolumesource is immutable after creation";
        let text = diff::source(o, n);
        e.forbidden("spec.persistentvolumesource", format!("{detail}\n{text}"));
    }
    if n["volumeMode"] != o["volumeMode"] {
        e.invalid("volumeMode", n["volumeMode"].to_string(), "field is immutable");
    }
    if !o["nodeAffinity"].is_null() && n["nodeAffinity"] != o["nodeAffinity"] {
        let shown = format!("{{\"Required\":{}}}", n["nodeAffinity"]["required"]);
        let shown = if n["nodeAffinity"].is_null() { "null".into() } else { shown };
        e.invalid(
            "nodeAffinity",
            shown,
            "field is immutable, except for updating from beta label to GA",
        );
    }
}

/// A storage class.
pub(super) fn class(e: &mut Errors, sc: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        for key in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
            if sc[key] != old[key] {
                e.invalid(key, sc[key].to_string(), "field is immutable");
            }
        }
        return;
    }
    let provisioner = sc["provisioner"].str();
    if provisioner.is_empty() {
        e.required("provisioner", "");
    } else {
        for fault in names::qualified_faults(&provisioner.to_ascii_lowercase()) {
            e.invalid("provisioner", quoted(provisioner), fault);
        }
    }
    if sc["parameters"].has("") {
        e.invalid("parameters", "\"\"", "field can not be empty.");
    }
    e.one_of("reclaimPolicy", &sc["reclaimPolicy"], &["Delete", "Retain"]);
    e.one_of("volumeBindingMode", &sc["volumeBindingMode"], &["Immediate", "WaitForFirstConsumer"]);
    let mut seen: Vec<&Value> = Vec::new();
    for (i, t) in sc["allowedTopologies"].items().iter().enumerate() {
        let at = format!("allowedTopologies[{i}]");
        for (j, x) in t["matchLabelExpressions"].items().iter().enumerate() {
            let at = format!("{at}.matchLabelExpressions[{j}]");
            if x["values"].is_empty() {
                e.required(format!("{at}.values"), "");
            }
            for (k, v) in x["values"].items().iter().enumerate() {
                if x["values"].items()[..k].contains(v) {
                    e.duplicate(format!("{at}.values[{k}]"), &v.to_string());
                }
            }
            names::check_qualified(e, &format!("{at}.key"), x["key"].str());
        }
        if seen.contains(&t) {
            e.duplicate(format!("{at}.matchLabelExpressions"), "\"\"");
        }
        seen.push(t);
    }
}
