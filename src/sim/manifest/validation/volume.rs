//! Volumes of pods, and the sources that they share with persistent volumes
//! (behaviour/validation.md 4 and 5).

use super::{Errors, names, quoted, storage};
use crate::api::quantity;
use crate::value::Value;

/// Sources of a pod's volume, in the order in which the server looks at them.
const SOURCES: &[&str] = &[
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// Fields without which a source makes no sense.
const NEEDED: &[(&str, &[&str])] = &[
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("secret", &["secretName"]),
    ("nfs", &["server", "path"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("glusterfs", &["endpoints", "path"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("rbd", &["monitors", "image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &["monitors"]),
    ("quobyte", &["volume"]),
    ("flexVolume", &["driver"]),
    ("configMap", &["name"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("storageos", &["volumeName"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("ephemeral", &["volumeClaimTemplate"]),
    ("local", &["path"]),
    ("hostPath", &["path"]),
];

const HOST_PATH: &[&str] = &[
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// What a mount or a device may name: the volumes without faults.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Is there a claim behind it?
    pub(super) claim: bool,
}

/// Checks a pod's volumes; gives those that mounts may name. `claims` are the volumes that a
/// set adds in front; one of the pod's own with such a name is not looked at.
pub(super) fn volumes<'a>(
    e: &mut Errors,
    path: &str,
    s: &'a Value,
    claims: &[&'a str],
    pod: Option<&str>,
) -> Vec<Known<'a>> {
    let mut known: Vec<Known> = Vec::new();
    let mut own: Vec<&str> = Vec::new();
    for name in claims {
        if !own.contains(name) {
            own.push(name);
        }
    }
    own.sort_unstable();
    for (i, name) in own.iter().enumerate() {
        let before = e.0.len();
        check_name(e, &format!("{path}.volumes[{i}].name"), name);
        if e.0.len() == before {
            known.push(Known { name, claim: true });
        }
    }
    let rest = s["volumes"].items().iter().filter(|v| !own.contains(&v["name"].str()));
    for (i, v) in rest.enumerate() {
        let at = format!("{path}.volumes[{}]", i + own.len());
        let before = e.0.len();
        let name = v["name"].str();
        any_source(e, &at, v, SOURCES, pod.is_some());
        if let Some(pod) = pod.filter(|_| !v["ephemeral"].is_null() && !name.is_empty()) {
            let claim = format!("{pod}-{name}");
            for fault in names::subdomain_faults(&claim) {
                e.invalid(
                    format!("{at}.name"),
                    quoted(name),
                    format!("PVC name {claim:?}: {fault}"),
                );
            }
        }
        check_name(e, &format!("{at}.name"), name);
        if known.iter().any(|k| k.name == name) {
            e.duplicate(format!("{at}.name"), &quoted(name));
        }
        if e.0.len() == before {
            let claim = !v["persistentVolumeClaim"].is_null() || !v["ephemeral"].is_null();
            known.push(Known { name, claim });
        }
    }
    known
}

fn check_name(e: &mut Errors, field: &str, name: &str) {
    if name.is_empty() {
        e.required(field, "");
    } else {
        names::check_label(e, field, name);
    }
}

/// Exactly one source, and a good one.
pub(super) fn any_source(e: &mut Errors, at: &str, v: &Value, sources: &[&str], pod: bool) {
    let mut found = sources.iter().filter(|k| !v.get(k).is_null());
    match found.next() {
        None => e.required(at, "must specify a volume type"),
        Some(first) => source(e, at, first, v.get(first), pod),
    }
    for more in found {
        let name = match *more {
            "cephfs" => "cephFS",
            "downwardAPI" => "downwarAPI",
            other => other,
        };
        e.forbidden(format!("{at}.{name}"), "may not specify more than 1 volume type");
    }
}

fn source(e: &mut Errors, at: &str, kind: &str, v: &Value, pod: bool) {
    let at = match kind {
        "gcePersistentDisk" => format!("{at}.persistentDisk"),
        other => format!("{at}.{other}"),
    };
    let needed = NEEDED.iter().find(|(k, _)| *k == kind).map_or(&[][..], |(_, fields)| fields);
    for field in needed.iter().filter(|f| v.get(f).is_empty() && v.get(f).as_map().is_none()) {
        e.required(format!("{at}.{field}"), "");
    }
    let path = v["path"].str();
    match kind {
        "emptyDir" if quantity::milli(v["sizeLimit"].str()).is_some_and(|n| n < 0) => e.forbidden(
            format!("{at}.sizeLimit"),
            "SizeLimit field must be a valid resource quantity",
        ),
        "hostPath" if !path.is_empty() => {
            no_way_up(e, &format!("{at}.path"), path);
            e.one_of(format!("{at}.type"), &v["type"], HOST_PATH);
        }
        "local" if !path.is_empty() => no_way_up(e, &format!("{at}.path"), path),
        "nfs" if !path.starts_with('/') => {
            e.invalid(format!("{at}.path"), quoted(path), "must be an absolute path");
        }
        "gitRepo" => descending(e, &format!("{at}.directory"), v["directory"].str()),
        "gcePersistentDisk" | "awsElasticBlockStore" => {
            e.range(
                format!("{at}.partition"),
                &v["partition"],
                0,
                255,
                "must be between 1 and 255, inclusive",
            );
        }
        "iscsi" => {
            e.range(format!("{at}.lun"), &v["lun"], 0, 255, "must be between 0 and 255, inclusive");
        }
        "secret" | "configMap" => {
            mode(e, &format!("{at}.defaultMode"), &v["defaultMode"]);
            keys(e, &at, &v["items"]);
        }
        "downwardAPI" => {
            mode(e, &format!("{at}.defaultMode"), &v["defaultMode"]);
            for f in v["items"].items() {
                downward(e, &at, f);
            }
        }
        "projected" => projected(e, &at, v),
        "flocker" if v["datasetName"].is_empty() && v["datasetUUID"].is_empty() => {
            e.required(at, "one of datasetName and datasetUUID is required");
        }
        "fc" if v["targetWWNs"].is_empty() && v["wwids"].is_empty() => e.required(
            format!("{at}.targetWWNs"),
            "must specify either targetWWNs or wwids, but not both",
        ),
        "csi" => csi(e, &at, v, pod),
        "ephemeral" if !v["volumeClaimTemplate"].is_null() => {
            let at = format!("{at}.volumeClaimTemplate");
            let t = &v["volumeClaimTemplate"];
            names::annotations(
                e,
                &format!("{at}.metadata.annotations"),
                &t["metadata"]["annotations"],
            );
            names::labels(e, &format!("{at}.metadata.labels"), &t["metadata"]["labels"]);
            for (key, _) in t["metadata"]
                .pairs()
                .filter(|(k, v)| !matches!(k.as_str(), "annotations" | "labels") && !v.is_empty())
            {
                e.forbidden(format!("{at}.metadata.{key}"), "cannot be set");
            }
            storage::claim_spec(e, &format!("{at}.spec"), &t["spec"]);
        }
        "image" => {
            if pod && v["reference"].is_empty() {
                e.required(format!("{at}.reference"), "");
            }
            e.one_of(format!("{at}.pullPolicy"), &v["pullPolicy"], super::PULL);
        }
        _ => {}
    }
}

fn csi(e: &mut Errors, at: &str, v: &Value, pod: bool) {
    let driver = v["driver"].str();
    if driver.is_empty() {
        e.required(format!("{at}.driver"), "");
    } else {
        for fault in names::subdomain_faults(&driver.to_ascii_lowercase()) {
            e.invalid(format!("{at}.driver"), quoted(driver), fault);
        }
    }
    // only a persistent volume has a handle
    if !pod && v["volumeHandle"].is_empty() {
        e.required(format!("{at}.volumeHandle"), "");
    }
}

/// A path may not lead upwards.
pub(super) fn no_way_up(e: &mut Errors, field: &str, path: &str) {
    if path.split('/').any(|p| p == "..") {
        e.invalid(field, quoted(path), "must not contain '..'");
    }
}

/// A relative path that does not lead upwards.
pub(super) fn descending(e: &mut Errors, field: &str, path: &str) {
    if path.starts_with('/') {
        e.invalid(field, quoted(path), "must be a relative path");
    }
    no_way_up(e, field, path);
}

/// A file's path inside a volume.
fn inside(e: &mut Errors, field: &str, path: &str) {
    if path.is_empty() {
        e.required(field, "");
    }
    descending(e, field, path);
    if path.starts_with("..") && !path.starts_with("../") && path != ".." {
        e.invalid(field, quoted(path), "must not start with '..'");
    }
}

fn mode(e: &mut Errors, field: &str, v: &Value) {
    let detail = "must be a number between 0 and 0777 (octal), both inclusive";
    e.range(field, v, 0, 0o777, detail);
}

fn keys(e: &mut Errors, at: &str, items: &Value) {
    for (i, k) in items.items().iter().enumerate() {
        let at = format!("{at}.items[{i}]");
        if k["key"].is_empty() {
            e.required(format!("{at}.key"), "");
        }
        inside(e, &format!("{at}.path"), k["path"].str());
        mode(e, &format!("{at}.mode"), &k["mode"]);
    }
}

fn downward(e: &mut Errors, at: &str, f: &Value) {
    const FIELDS: &[&str] = &[
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
    ];
    inside(e, &format!("{at}.path"), f["path"].str());
    let (field, resource) = (&f["fieldRef"], &f["resourceFieldRef"]);
    if !field.is_null() {
        field_ref(e, &format!("{at}.fieldRef"), field, FIELDS);
        if !resource.is_null() {
            e.invalid(
                at,
                "\"resource\"",
                "fieldRef and resourceFieldRef can not be specified simultaneously",
            );
        }
    } else if resource.is_null() {
        e.required(at, "one of fieldRef and resourceFieldRef is required");
    } else {
        resource_ref(e, &format!("{at}.resourceFieldRef"), resource, true);
    }
    mode(e, &format!("{at}.mode"), &f["mode"]);
}

/// A field of the pod, as a variable or a file.
pub(super) fn field_ref(e: &mut Errors, at: &str, r: &Value, known: &[&str]) {
    // what the server can convert; a place allows some of it
    const ALL: &[&str] = &[
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "spec.schedulerName",
        "status.phase",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    let (version, path) = (r["apiVersion"].as_str().unwrap_or("v1"), r["fieldPath"].str());
    let field = format!("{at}.fieldPath");
    if path.is_empty() {
        return e.required(field, "");
    }
    let (base, subscript) = match path.strip_suffix("']").and_then(|p| p.split_once("['")) {
        Some((base, sub)) => (base, Some(sub)),
        None => (path, None),
    };
    let why = match (version, subscript) {
        ("v1", Some(_)) if matches!(base, "metadata.annotations" | "metadata.labels") => None,
        ("v1", Some(_)) => Some(format!("field label does not support subscript: {path}")),
        ("v1", None) if ALL.contains(&path) => None,
        ("v1", None) => Some(format!("field label not supported: {path}")),
        _ => Some(format!("unsupported pod version: {version}")),
    };
    match (why, subscript) {
        (Some(why), _) => {
            e.invalid(field, quoted(path), format!("error converting fieldPath: {why}"));
        }
        (None, Some(key)) => {
            let lower = key.to_ascii_lowercase();
            names::check_qualified(e, at, if base.ends_with("annotations") { &lower } else { key });
        }
        (None, None) if !known.contains(&path) => e.unsupported(field, path, known),
        _ => {}
    }
}

/// A resource of a container, as a variable or a file.
pub(super) fn resource_ref(e: &mut Errors, at: &str, r: &Value, volume: bool) {
    const KNOWN: &[&str] = &[
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    let resource = r["resource"].str();
    let huge = ["limits.hugepages-", "requests.hugepages-"].iter().any(|p| resource.starts_with(p));
    if volume && r["containerName"].is_empty() {
        e.required(format!("{at}.containerName"), "");
    } else if resource.is_empty() {
        e.required(format!("{at}.resource"), "");
    } else if !huge && !KNOWN.contains(&resource) {
        e.unsupported(format!("{at}.resource"), resource, KNOWN);
    }
    let divisor = super::amount_text(&r["divisor"]);
    if matches!(divisor.as_str(), "" | "0") {
        return;
    }
    let (good, detail): (&[&str], _) = if resource.split('.').nth(1) == Some("cpu") {
        (
            &["1m", "1"],
            "only divisor's values 1m and 1 are supported with the cpu resource".to_owned(),
        )
    } else {
        let what = match resource.split('.').nth(1).unwrap_or_default() {
            "memory" => "memory",
            "ephemeral-storage" => "local ephemeral storage",
            _ if huge => "hugepages",
            _ => return,
        };
        (
            &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"],
            format!(
                "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the {what} resource"
            ),
        )
    };
    if !good.contains(&divisor.as_str()) {
        e.invalid(format!("{at}.divisor"), quoted(resource), detail);
    }
}

fn projected(e: &mut Errors, at: &str, v: &Value) {
    mode(e, &format!("{at}.defaultMode"), &v["defaultMode"]);
    let mut paths: Vec<&str> = Vec::new();
    for (i, s) in v["sources"].items().iter().enumerate() {
        let inner = format!("{at}.sources[{i}]");
        let mut number = 0;
        for kind in ["secret", "configMap", "downwardAPI"] {
            let part = s.get(kind);
            if part.is_null() {
                continue;
            }
            number += 1;
            let here = format!("{inner}.{kind}");
            if kind == "downwardAPI" {
                for f in part["items"].items() {
                    downward(e, &here, f);
                }
            } else {
                if part["name"].is_empty() {
                    e.required(format!("{here}.name"), "");
                }
                keys(e, &here, &part["items"]);
            }
            for item in part["items"].items().iter().filter(|i| !i["path"].is_empty()) {
                let path = item["path"].str();
                if paths.contains(&path) {
                    let shown = if kind == "downwardAPI" { path } else { part["name"].str() };
                    e.invalid(at, quoted(shown), "conflicting duplicate paths");
                }
                paths.push(path);
            }
        }
        let token = &s["serviceAccountToken"];
        if !token.is_null() {
            number += 1;
            let field = format!("{inner}.serviceAccountToken.expirationSeconds");
            let seconds = token["expirationSeconds"].int_or(3600);
            if seconds < 600 {
                e.invalid(
                    field,
                    seconds.to_string(),
                    "may not specify a duration less than 10 minutes",
                );
            } else if seconds > 1 << 32 {
                e.invalid(
                    field,
                    seconds.to_string(),
                    "may not specify a duration larger than 2^32 seconds",
                );
            }
            inside(e, &format!("{at}.path"), token["path"].str());
        }
        for kind in ["clusterTrustBundle", "podCertificate"] {
            number += usize::from(!s.get(kind).is_null());
        }
        if number > 1 {
            e.forbidden(inner, "may not specify more than 1 volume type per source");
        }
    }
}
