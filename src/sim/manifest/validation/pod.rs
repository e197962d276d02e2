//! Pods and pod templates (behaviour/validation.md 4).

use super::{Errors, diff, names, quoted};
use crate::api::quantity;
use crate::value::Value;

const VOLUME_SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

/// A pod template; `claims` are volumes that the owner adds.
pub(super) fn template(e: &mut Errors, path: &str, t: &Value, claims: &[&str]) {
    names::labels(e, &format!("{path}.labels"), &t["metadata"]["labels"]);
    names::annotations(e, &format!("{path}.annotations"), &t["metadata"]["annotations"]);
    spec(e, &format!("{path}.spec"), &t["spec"], claims);
}

/// A pod's spec.
pub(super) fn spec(e: &mut Errors, path: &str, s: &Value, claims: &[&str]) {
    let volumes = volumes(e, path, s, claims);
    let mut seen: Vec<&str> = Vec::new();
    if s["containers"].items().is_empty() {
        e.required(format!("{path}.containers"), "");
    }
    for (i, c) in s["containers"].items().iter().enumerate() {
        let at = format!("{path}.containers[{i}]");
        container(e, &at, c, &volumes);
        unique_name(e, &at, c, &mut seen);
    }
    for (i, c) in s["initContainers"].items().iter().enumerate() {
        let at = format!("{path}.initContainers[{i}]");
        container(e, &at, c, &volumes);
        unique_name(e, &at, c, &mut seen);
        if c["restartPolicy"].str() != "Always" {
            for key in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if !c[key].is_null() {
                    e.forbidden(
                        format!("{at}.{key}"),
                        "may not be set for init containers without restartPolicy=Always",
                    );
                }
            }
        }
    }
    e.one_of(
        format!("{path}.restartPolicy"),
        &s["restartPolicy"],
        &["Always", "OnFailure", "Never"],
    );
    e.one_of(
        format!("{path}.dnsPolicy"),
        &s["dnsPolicy"],
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    names::labels(e, &format!("{path}.nodeSelector"), &s["nodeSelector"]);
    let account = s["serviceAccountName"].str();
    if !account.is_empty() {
        names::check_subdomain(e, &format!("{path}.serviceAccountName"), account);
    }
    affinity(e, path, &s["affinity"]);
    for (i, t) in s["tolerations"].items().iter().enumerate() {
        let at = format!("{path}.tolerations[{i}]");
        e.one_of(
            format!("{at}.effect"),
            &t["effect"],
            &["NoSchedule", "PreferNoSchedule", "NoExecute", ""],
        );
        if !t["tolerationSeconds"].is_null() && t["effect"].str() != "NoExecute" {
            e.invalid(
                format!("{at}.effect"),
                quoted(t["effect"].str()),
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            );
        }
    }
    for (i, c) in s["topologySpreadConstraints"].items().iter().enumerate() {
        let at = format!("{path}.topologySpreadConstraints[{i}]");
        if c["maxSkew"].int_or(0) <= 0 {
            e.invalid(
                format!("{at}.maxSkew"),
                c["maxSkew"].int_or(0).to_string(),
                "must be greater than zero",
            );
        }
        if c["topologyKey"].str().is_empty() {
            e.required(format!("{at}.topologyKey"), "can not be empty");
        }
        e.one_of(
            format!("{at}.whenUnsatisfiable"),
            &c["whenUnsatisfiable"],
            &["DoNotSchedule", "ScheduleAnyway"],
        );
    }
    for key in ["hostname", "subdomain"] {
        if let Some(name) = s[key].as_str().filter(|n| !n.is_empty()) {
            names::check_label(e, &format!("{path}.{key}"), name);
        }
    }
}

fn unique_name<'a>(e: &mut Errors, at: &str, c: &'a Value, seen: &mut Vec<&'a str>) {
    let name = c["name"].str();
    if !name.is_empty() {
        if seen.contains(&name) {
            e.duplicate(format!("{at}.name"), &quoted(name));
        }
        seen.push(name);
    }
}

/// Checks volumes; gives all names that mounts may use.
fn volumes<'a>(e: &mut Errors, path: &str, s: &'a Value, claims: &[&'a str]) -> Vec<&'a str> {
    let mut known: Vec<&str> = Vec::new();
    // the set's claims come first, as the volumes that they will be
    let own: Vec<&Value> = s["volumes"].items().iter().collect();
    for (i, name) in claims.iter().enumerate() {
        if !names::is_label(name) {
            for fault in names::label_faults(name) {
                e.invalid(format!("{path}.volumes[{i}].name"), quoted(name), fault);
            }
        }
        known.push(name);
    }
    let mut own_names: Vec<&str> = Vec::new();
    for (i, v) in own.iter().enumerate() {
        let at = format!("{path}.volumes[{i}]");
        let name = v["name"].str();
        if name.is_empty() {
            e.required(format!("{at}.name"), "");
        } else {
            names::check_label(e, &format!("{at}.name"), name);
            if own_names.contains(&name) {
                e.duplicate(format!("{at}.name"), &quoted(name));
            }
        }
        let sources: Vec<&str> =
            VOLUME_SOURCES.iter().copied().filter(|k| !v.get(k).is_null()).collect();
        match sources.as_slice() {
            [] => e.required(at, "must specify a volume type"),
            [_] => {}
            [_, more @ ..] => {
                for source in more {
                    e.forbidden(
                        format!("{at}.{source}"),
                        "may not specify more than 1 volume type",
                    );
                }
            }
        }
        let claim = &v["persistentVolumeClaim"];
        if !claim.is_null() && claim["claimName"].str().is_empty() {
            e.required(format!("{path}.volumes[{i}].persistentVolumeClaim.claimName"), "");
        }
        own_names.push(name);
    }
    known.extend(own_names);
    known
}

fn container(e: &mut Errors, at: &str, c: &Value, volumes: &[&str]) {
    let name = c["name"].str();
    if name.is_empty() {
        e.required(format!("{at}.name"), "");
    } else {
        names::check_label(e, &format!("{at}.name"), name);
    }
    let image = c["image"].str();
    if image.is_empty() {
        e.required(format!("{at}.image"), "");
    }
    ports(e, at, c);
    environment(e, at, c);
    mounts(e, at, c, volumes);
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        probe(e, &format!("{at}.{key}"), &c[key], key);
    }
    e.one_of(
        format!("{at}.imagePullPolicy"),
        &c["imagePullPolicy"],
        &["Always", "IfNotPresent", "Never"],
    );
    resources(e, &format!("{at}.resources"), &c["resources"]);
}

/// What is wrong with a port's name (an IANA service name).
pub(super) fn port_name_faults(name: &str) -> Vec<&'static str> {
    let mut out = Vec::new();
    if name.len() > 15 {
        out.push("must be no more than 15 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        out.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !name.bytes().any(|b| b.is_ascii_lowercase()) {
        out.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        out.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        out.push("must not begin or end with a hyphen");
    }
    out
}

fn ports(e: &mut Errors, at: &str, c: &Value) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, p) in c["ports"].items().iter().enumerate() {
        let at = format!("{at}.ports[{i}]");
        let name = p["name"].str();
        if !name.is_empty() {
            let faults = port_name_faults(name);
            if faults.is_empty() {
                if seen.contains(&name) {
                    e.duplicate(format!("{at}.name"), &quoted(name));
                }
                seen.push(name);
            }
            for fault in faults {
                e.invalid(format!("{at}.name"), quoted(name), fault);
            }
        }
        match p["containerPort"].int_or(0) {
            0 => e.required(format!("{at}.containerPort"), ""),
            n if !(1..=65_535).contains(&n) => {
                e.invalid(
                    format!("{at}.containerPort"),
                    n.to_string(),
                    "must be between 1 and 65535, inclusive",
                );
            }
            _ => {}
        }
        if let Some(n) = p["hostPort"].as_int().filter(|n| !(0..=65_535).contains(n)) {
            e.invalid(
                format!("{at}.hostPort"),
                n.to_string(),
                "must be between 1 and 65535, inclusive",
            );
        }
        e.one_of(format!("{at}.protocol"), &p["protocol"], &["SCTP", "TCP", "UDP"]);
    }
}

fn environment(e: &mut Errors, at: &str, c: &Value) {
    for (i, v) in c["env"].items().iter().enumerate() {
        let at = format!("{at}.env[{i}]");
        let name = v["name"].str();
        if name.is_empty() {
            e.required(format!("{at}.name"), "");
        } else if name.contains('=') || !name.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            e.invalid(format!("{at}.name"), quoted(name), "a valid environment variable name must consist only of printable ASCII characters other than '='");
        }
        let from = &v["valueFrom"];
        if from.is_null() {
            continue;
        }
        if !v["value"].is_empty() {
            e.invalid(
                format!("{at}.valueFrom"),
                "\"\"",
                "may not be specified when `value` is not empty",
            );
        }
        let sources =
            ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
        match sources.iter().filter(|k| !from.get(k).is_null()).count() {
            0 => e.invalid(
                format!("{at}.valueFrom"),
                "\"\"",
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
            ),
            1 => {}
            _ => e.invalid(format!("{at}.valueFrom"), "\"\"", "may not have more than one field specified at a time"),
        }
    }
}

fn mounts(e: &mut Errors, at: &str, c: &Value, volumes: &[&str]) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, m) in c["volumeMounts"].items().iter().enumerate() {
        let at = format!("{at}.volumeMounts[{i}]");
        let (name, path) = (m["name"].str(), m["mountPath"].str());
        if name.is_empty() {
            e.required(format!("{at}.name"), "");
        } else if !volumes.contains(&name) {
            e.add(format!("{at}.name"), format!("Not found: {}", quoted(name)));
        }
        if path.is_empty() {
            e.required(format!("{at}.mountPath"), "");
        } else if seen.contains(&path) {
            e.invalid(format!("{at}.mountPath"), quoted(path), "must be unique");
        }
        seen.push(path);
    }
}

fn probe(e: &mut Errors, at: &str, p: &Value, which: &str) {
    if p.is_null() {
        return;
    }
    let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    match handlers.iter().filter(|h| !p.get(h).is_null()).count() {
        0 => e.required(at, "must specify a handler type"),
        1 => {}
        _ => e.forbidden(at, "may not specify more than 1 handler type"),
    }
    for key in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        e.not_negative(format!("{at}.{key}"), p.get(key));
    }
    for handler in ["httpGet", "tcpSocket", "grpc"] {
        let h = p.get(handler);
        if h.is_null() {
            continue;
        }
        let field = format!("{at}.{handler}.port");
        match &h["port"] {
            Value::Int(n) if !(1..=65_535).contains(n) => {
                e.invalid(field, n.to_string(), "must be between 1 and 65535, inclusive");
            }
            Value::Str(name) => {
                for fault in port_name_faults(name) {
                    e.invalid(&*field, quoted(name), fault);
                }
            }
            _ => {}
        }
    }
    if which != "readinessProbe"
        && let Some(n) = p["successThreshold"].as_int().filter(|n| *n > 1)
    {
        e.invalid(format!("{at}.successThreshold"), n.to_string(), "must be 1");
    }
}

fn resources(e: &mut Errors, at: &str, r: &Value) {
    let amount = |v: &Value| match v {
        Value::Int(i) => Some(i128::from(*i) * 1000),
        v => quantity::milli(v.str()),
    };
    for list in ["limits", "requests"] {
        for (name, q) in r[list].pairs() {
            let field = format!("{at}.{list}[{name}]");
            let known = matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage")
                || name.starts_with("hugepages-")
                || name.contains('/');
            if !known {
                let detail = if name.contains('.') {
                    "must be a standard resource type or fully qualified"
                } else {
                    "must be a standard resource for containers"
                };
                e.invalid(&*field, quoted(name), detail);
            }
            if amount(q).is_some_and(|n| n < 0) {
                e.invalid(field, quoted(q.str()), "must be greater than or equal to 0");
            }
        }
    }
    for (name, q) in r["requests"].pairs() {
        let limit = &r["limits"][name.as_str()];
        if let (Some(want), Some(most)) = (amount(q), amount(limit))
            && want > most
        {
            let text = |v: &Value| crate::manifest::canonical_quantity(v).str().to_owned();
            e.invalid(
                format!("{at}.requests"),
                quoted(&text(q)),
                format!("must be less than or equal to {name} limit of {}", text(limit)),
            );
        }
    }
}

fn affinity(e: &mut Errors, path: &str, a: &Value) {
    for which in ["podAffinity", "podAntiAffinity"] {
        let mut terms: Vec<(String, &Value)> = Vec::new();
        let field = format!("{path}.affinity.{which}");
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        for (i, t) in a[which][required].items().iter().enumerate() {
            terms.push((format!("{field}.{required}[{i}]"), t));
        }
        for (i, t) in a[which][preferred].items().iter().enumerate() {
            let at = format!("{field}.{preferred}[{i}]");
            let weight = t["weight"].int_or(0);
            if !(1..=100).contains(&weight) {
                e.invalid(format!("{at}.weight"), weight.to_string(), "must be in the range 1-100");
            }
            terms.push((format!("{at}.podAffinityTerm"), &t["podAffinityTerm"]));
        }
        for (at, t) in terms {
            names::selector(e, &format!("{at}.labelSelector"), &t["labelSelector"]);
            let key = t["topologyKey"].str();
            if key.is_empty() {
                e.required(format!("{at}.topologyKey"), "can not be empty");
            }
            for fault in names::qualified_faults(key) {
                e.invalid(format!("{at}.topologyKey"), quoted(key), fault);
            }
        }
    }
    let node = &a["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    if !node.is_null() && node["nodeSelectorTerms"].items().is_empty() {
        e.required(
            format!("{path}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"),
            "must have at least one node selector term",
        );
    }
}

/// An update of a pod: only images, deadline, tolerations (more of them) and a grace period.
pub(super) fn update(e: &mut Errors, new: &Value, old: &Value) {
    let rest = |v: &Value| {
        let mut s = v["spec"].clone();
        for list in ["containers", "initContainers"] {
            let mut items = s[list].items().to_vec();
            for c in &mut items {
                c.set("image", "");
            }
            if !items.is_empty() {
                s.set(list, items);
            }
        }
        for key in ["activeDeadlineSeconds", "tolerations"] {
            s.remove(key);
        }
        s
    };
    let kept = old["spec"]["tolerations"].items();
    let lost = kept.iter().any(|t| !new["spec"]["tolerations"].items().contains(t));
    if rest(new) != rest(old) || lost {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        e.forbidden("spec", format!("{detail}\n{}", diff::pod(&old["spec"], &new["spec"])));
    }
}

/// Warnings about a pod's spec.
pub(super) fn warnings(out: &mut Vec<String>, path: &str, s: &Value) {
    for (i, c) in s["containers"].items().iter().enumerate() {
        let at = format!("{path}.containers[{i}]");
        let ports = c["ports"].items();
        for (j, p) in ports.iter().enumerate() {
            let same = |q: &&Value| {
                q["containerPort"] == p["containerPort"] && q["protocol"] == p["protocol"]
            };
            if let Some(k) = ports[..j].iter().position(|q| same(&q)) {
                out.push(format!(
                    "{at}.ports[{j}]: duplicate port definition with {at}.ports[{k}]"
                ));
            }
        }
        let env = c["env"].items();
        for (j, v) in env.iter().enumerate() {
            if env[..j].iter().any(|w| w["name"] == v["name"]) {
                out.push(format!(
                    "{at}.env[{j}]: hides previous definition of {:?}, which may be dropped when using apply",
                    v["name"].str()
                ));
            }
        }
    }
    if s["terminationGracePeriodSeconds"].int_or(0) < 0 {
        out.push(format!("{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"));
    }
}
