//! What the server warns of while it accepts an object.

use super::{amount, amount_text};
use crate::api::Kind;
use crate::value::Value;

/// Warnings about an object; with its old version, about an update.
pub fn warnings(kind: Kind, new: &Value, old: Option<&Value>) -> Vec<String> {
    let mut out = Vec::new();
    let s = &new["spec"];
    // templates are looked at again only if something of the spec changed
    let same = old.is_some_and(|o| o["spec"] == *s);
    match kind {
        Kind::Pod => pod(&mut out, "", new),
        Kind::StatefulSet | Kind::Deployment | Kind::ReplicaSet | Kind::DaemonSet | Kind::Job
            if !same =>
        {
            pod(&mut out, "spec.template.", &s["template"]);
        }
        Kind::PersistentVolumeClaim => {
            let beta = "volume.beta.kubernetes.io/storage-class";
            if new["metadata"]["annotations"].has(beta) {
                out.push(format!("metadata.annotations[{beta}]: deprecated since v1.8; use \"storageClassName\" attribute instead"));
            }
            claim(&mut out, "spec", s);
        }
        Kind::PersistentVolume => volume(&mut out, new),
        Kind::Service => service(&mut out, s),
        Kind::Endpoints => out.push(
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".into(),
        ),
        _ => {}
    }
    if kind == Kind::StatefulSet {
        let inner = if old.is_some() { ".Spec" } else { "" };
        for (i, t) in s["volumeClaimTemplates"].items().iter().enumerate() {
            claim(&mut out, &format!("spec.volumeClaimTemplates[{i}]{inner}"), &t["spec"]);
        }
        if s["revisionHistoryLimit"].int_or(0) < 0 {
            out.push("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended".into());
        }
    }
    out
}

/// Bytes are not divided.
fn fraction(out: &mut Vec<String>, field: &str, q: &Value) {
    if amount(q).is_some_and(|n| n % 1000 != 0) {
        out.push(format!(
            "{field}: fractional byte value {:?} is invalid, must be an integer",
            amount_text(q)
        ));
    }
}

fn claim(out: &mut Vec<String>, path: &str, s: &Value) {
    for list in ["requests", "limits"] {
        fraction(
            out,
            &format!("{path}.resources.{list}[storage]"),
            &s["resources"][list]["storage"],
        );
    }
}

fn volume(out: &mut Vec<String>, pv: &Value) {
    let s = &pv["spec"];
    for note in
        ["volume.beta.kubernetes.io/storage-class", "volume.beta.kubernetes.io/mount-options"]
    {
        if pv["metadata"]["annotations"].has(note) {
            let instead = if note.ends_with("class") { "storageClassName" } else { "mountOptions" };
            let since = if note.ends_with("class") { "v1.8" } else { "v1.31" };
            out.push(format!("metadata.annotations[{note}]: deprecated since {since}; use \"{instead}\" attribute instead"));
        }
    }
    if s["persistentVolumeReclaimPolicy"].str() == "Recycle" {
        out.push("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.".into());
    }
    for (i, t) in s["nodeAffinity"]["required"]["nodeSelectorTerms"].items().iter().enumerate() {
        term(out, &format!("spec.nodeAffinity.required.nodeSelectorTerms[{i}]"), t);
    }
    for (source, since) in GONE {
        if !s.get(source).is_null() {
            out.push(format!("spec.{source}: deprecated in {since}"));
        }
    }
    fraction(out, "spec.capacity[storage]", &s["capacity"]["storage"]);
}

/// Sources of volumes that are no more.
const GONE: &[(&str, &str)] = &[
    ("photonPersistentDisk", "v1.11, non-functional in v1.16+"),
    ("gitRepo", "v1.11"),
    ("scaleIO", "v1.16, non-functional in v1.22+"),
    ("flocker", "v1.22, non-functional in v1.25+"),
    ("storageos", "v1.22, non-functional in v1.25+"),
    ("quobyte", "v1.22, non-functional in v1.25+"),
    ("glusterfs", "v1.25, non-functional in v1.26+"),
    ("cephfs", "v1.28, non-functional in v1.31+"),
    ("rbd", "v1.28, non-functional in v1.31+"),
];

fn service(out: &mut Vec<String>, s: &Value) {
    let kind = s["type"].str();
    let headless = kind == "ClusterIP" && s["clusterIP"].str() == "None";
    let external = !s["externalIPs"].is_empty();
    if headless {
        if !s["loadBalancerIP"].is_empty() {
            out.push("spec.loadBalancerIP is ignored for headless services".into());
        }
        if external {
            out.push("spec.externalIPs is ignored for headless services".into());
        }
        if s["sessionAffinity"].str() != "None" {
            out.push("spec.SessionAffinity is ignored for headless services".into());
        }
    } else if external && kind != "ExternalName" {
        out.push(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
                .into(),
        );
    }
    if kind == "ExternalName" && external {
        out.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".into());
    }
    if kind != "ExternalName" && !s["externalName"].is_empty() {
        out.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".into());
    }
    if s["trafficDistribution"].str() == "PreferClose" {
        out.push(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""
                .into(),
        );
    }
}

/// Labels of nodes under their old names.
fn old_label(key: &str) -> Option<&'static str> {
    Some(match key {
        "beta.kubernetes.io/arch" => "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        "beta.kubernetes.io/os" => "deprecated since v1.14; use \"kubernetes.io/os\" instead",
        "failure-domain.beta.kubernetes.io/region" => {
            "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"
        }
        "failure-domain.beta.kubernetes.io/zone" => {
            "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"
        }
        "beta.kubernetes.io/instance-type" => {
            "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"
        }
        _ => return None,
    })
}

fn term(out: &mut Vec<String>, at: &str, t: &Value) {
    for (i, x) in t["matchExpressions"].items().iter().enumerate() {
        let key = x["key"].str();
        if let Some(why) = old_label(key) {
            out.push(format!("{at}.matchExpressions[{i}].key: {key} is {why}"));
        }
    }
}

/// A pod or a template, its path before it.
fn pod(out: &mut Vec<String>, path: &str, owner: &Value) {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let s = &owner["spec"];
    for (key, _) in s["nodeSelector"].pairs() {
        if let Some(why) = old_label(key) {
            out.push(format!("{path}spec.nodeSelector[{key}]: {why}"));
        }
    }
    let node = &s["affinity"]["nodeAffinity"];
    let at = format!("{path}spec.affinity.nodeAffinity");
    for (i, t) in node[REQUIRED]["nodeSelectorTerms"].items().iter().enumerate() {
        term(out, &format!("{at}.{REQUIRED}.nodeSelectorTerms[{i}]"), t);
    }
    for (i, t) in node[PREFERRED].items().iter().enumerate() {
        term(out, &format!("{at}.{PREFERRED}[{i}].preference"), &t["preference"]);
    }
    let nothing = "a null labelSelector results in matching no pod";
    for (i, t) in s["topologySpreadConstraints"].items().iter().enumerate() {
        let at = format!("{path}spec.topologySpreadConstraints[{i}]");
        let key = t["topologyKey"].str();
        if let Some(why) = old_label(key) {
            out.push(format!("{at}.topologyKey: {key} is {why}"));
        }
        if t["labelSelector"].is_null() {
            out.push(format!("{at}.labelSelector: {nothing}"));
        }
    }
    for (i, v) in s["volumes"].items().iter().enumerate() {
        for (source, since) in GONE {
            if !v.get(source).is_null() {
                let name = if *source == "storageos" { "storageOS" } else { source };
                out.push(format!("{path}spec.volumes[{i}].{name}: deprecated in {since}"));
            }
        }
        let t = &v["ephemeral"]["volumeClaimTemplate"]["spec"];
        claim(out, &format!("{path}spec.volumes[{i}].ephemeral.volumeClaimTemplate.spec"), t);
    }
    for (list, key, what) in [("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")] {
        let items = s[list].items();
        for (i, item) in items.iter().enumerate() {
            let name = item[key].str();
            if items[..i].iter().any(|o| o[key].str() == name) {
                out.push(format!("{path}spec.{list}[{i}].{key}: duplicate {what} {name:?}"));
            }
        }
    }
    for (i, item) in s["imagePullSecrets"].items().iter().enumerate() {
        if item["name"].is_empty() {
            out.push(format!("{path}spec.imagePullSecrets[{i}].name: invalid empty name \"\""));
        }
    }
    let containers: Vec<(String, &Value)> = ["initContainers", "containers"]
        .iter()
        .flat_map(|list| {
            let items = s.get(list).items().iter().enumerate();
            items.map(move |(i, c)| (format!("{path}spec.{list}[{i}]"), c))
        })
        .collect();
    for (at, c) in &containers {
        for name in ["memory", "ephemeral-storage"] {
            for list in ["limits", "requests"] {
                fraction(
                    out,
                    &format!("{at}.resources.{list}[{name}]"),
                    &c["resources"][list][name],
                );
            }
        }
        variables(out, at, c["env"].items());
    }
    ports(out, &containers);
    if s["terminationGracePeriodSeconds"].int_or(0) < 0 {
        out.push(format!("{path}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    for which in ["podAffinity", "podAntiAffinity"] {
        let at = format!("{path}spec.affinity.{which}");
        for (i, t) in s["affinity"][which][REQUIRED].items().iter().enumerate() {
            if t["labelSelector"].is_null() {
                out.push(format!("{at}.{REQUIRED}[{i}].labelSelector: {nothing}"));
            }
        }
        for (i, t) in s["affinity"][which][PREFERRED].items().iter().enumerate() {
            if t["podAffinityTerm"]["labelSelector"].is_null() {
                out.push(format!("{at}.{PREFERRED}[{i}].podAffinityTerm.labelSelector: {nothing}"));
            }
        }
    }
}

/// A variable twice, unless the second is made of the first.
fn variables(out: &mut Vec<String>, at: &str, env: &[Value]) {
    for (i, v) in env.iter().enumerate() {
        let (name, value) = (v["name"].str(), v["value"].str());
        let itself = format!("$({name})");
        let hides = !v["valueFrom"].is_null() || value == itself || !value.contains(&itself);
        if hides && env[..i].iter().any(|o| o["name"].str() == name) {
            out.push(format!(
                "{at}.env[{i}]: hides previous definition of {name:?}, which may be dropped when using apply"
            ));
        }
    }
}

fn ports(out: &mut Vec<String>, containers: &[(String, &Value)]) {
    let mut seen: Vec<(String, &Value)> = Vec::new();
    for (at, c) in containers {
        for (i, p) in c["ports"].items().iter().enumerate() {
            let at = format!("{at}.ports[{i}]");
            let same = |o: &Value| {
                o["containerPort"] == p["containerPort"] && o["protocol"] == p["protocol"]
            };
            for (other, o) in seen.iter().filter(|(_, o)| same(o)) {
                let (ip, other_ip) = (p["hostIP"].str(), o["hostIP"].str());
                let (port, other_port) = (p["hostPort"].int_or(0), o["hostPort"].int_or(0));
                let how = if ip == other_ip && port == other_port {
                    "duplicate"
                } else if port == 0 || other_port == 0 {
                    "overlapping"
                } else if port == other_port && ip.is_empty() != other_ip.is_empty() {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                out.push(format!("{at}: {how} port definition with {other}"));
            }
            seen.push((at, p));
        }
    }
}
