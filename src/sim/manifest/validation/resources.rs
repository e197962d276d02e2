//! Resources of containers and pods: names, amounts, claims, policies of resizing.

use super::{Errors, amount, amount_text, names, quoted};
use crate::value::Value;

pub(super) fn resize(e: &mut Errors, field: &str, list: &Value, restart: &str) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, p) in list.items().iter().enumerate() {
        let (name, policy) = (p["resourceName"].str(), p["restartPolicy"].str());
        if seen.contains(&name) {
            e.duplicate(format!("{field}[{i}]"), &quoted(name));
        }
        seen.push(name);
        for (v, known) in
            [(name, &["cpu", "memory"]), (policy, &["NotRequired", "RestartContainer"])]
        {
            if v.is_empty() {
                e.required(field, "");
            } else if !known.contains(&v) {
                e.unsupported(field, v, known);
            }
        }
        if restart == "Never" && policy != "NotRequired" {
            e.invalid(
                field,
                quoted(policy),
                "must be 'NotRequired' when `restartPolicy` is 'Never'",
            );
        }
    }
}

/// Names of resources that the server knows without a domain, beside those of containers.
const STANDARD: &[&str] = &[
    "storage",
    "pods",
    "services",
    "secrets",
    "configmaps",
    "replicationcontrollers",
    "resourcequotas",
    "persistentvolumeclaims",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "services.nodeports",
    "services.loadbalancers",
];

/// A name with a domain that is not Kubernetes' own.
fn extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

/// A resource of containers without a domain.
fn own(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-")
}

/// Does the server know the resource without a domain?
pub(super) fn standard(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || STANDARD.contains(&name)
}

/// The name of any resource.
pub(super) fn resource_name(e: &mut Errors, field: &str, name: &str) {
    let before = e.0.len();
    names::check_qualified(e, field, name);
    let bare = e.0.len() == before && !name.contains('/');
    if bare && !own(name) && !standard(name) {
        e.invalid(field, quoted(name), "must be a standard resource type or fully qualified");
    }
}

/// The name of a resource of containers.
fn container_resource(e: &mut Errors, field: &str, name: &str) {
    resource_name(e, field, name);
    if name.contains('/') {
        if !name.contains("kubernetes.io/") && !extended(name) {
            e.invalid(field, quoted(name), "doesn't follow extended resource name standard");
        }
    } else if !own(name) {
        e.invalid(field, quoted(name), "must be a standard resource for containers");
    }
}

/// Limits and requests, of a container or of a pod.
pub(super) fn resources(e: &mut Errors, at: &str, r: &Value, claims: &[&str]) {
    let requests = format!("{at}.requests");
    for list in ["limits", "requests"] {
        for (name, q) in r[list].pairs() {
            let field = format!("{at}.{list}[{name}]");
            container_resource(e, &field, name);
            let (milli, text) = (amount(q).unwrap_or(0), quoted(&amount_text(q)));
            if milli < 0 {
                e.invalid(&*field, &text, "must be greater than or equal to 0");
            }
            if extended(name) && milli % 1000 != 0 {
                e.invalid(&*field, &text, "must be an integer");
            }
            if list == "limits" {
                continue;
            }
            // what cannot be shared must be asked for as it is limited
            let whole = extended(name) || name.starts_with("hugepages-");
            let limit = &r["limits"][name.as_str()];
            match amount(limit) {
                None if whole => e.required(
                    format!("{at}.limits"),
                    "Limit must be set for non overcommitable resources",
                ),
                Some(most) if milli != most && whole => e.invalid(
                    &*requests,
                    &text,
                    format!("must be equal to {name} limit of {}", amount_text(limit)),
                ),
                Some(most) if milli > most => e.invalid(
                    &*requests,
                    &text,
                    format!("must be less than or equal to {name} limit of {}", amount_text(limit)),
                ),
                _ => {}
            }
        }
    }
    let lists = [&r["limits"], &r["requests"]];
    let has = |test: fn(&str) -> bool| lists.iter().any(|l| l.pairs().any(|(k, _)| test(k)));
    if has(|k| k.starts_with("hugepages-")) && !has(|k| matches!(k, "cpu" | "memory")) {
        e.forbidden(at, "HugePages require cpu or memory");
    }
    for (i, c) in r["claims"].items().iter().enumerate() {
        let (field, name) = (format!("{at}.claims[{i}]"), c["name"].str());
        if name.is_empty() {
            e.required(field, "");
        } else if !claims.contains(&name) {
            let known = match claims {
                [] => " which is empty".to_owned(),
                list => format!(": {}", list.join(", ")),
            };
            e.add(
                field,
                format!(
                    "Not found: {}: must be one of the names in pod.spec.resourceClaims{known}",
                    quoted(name)
                ),
            );
        }
    }
}
