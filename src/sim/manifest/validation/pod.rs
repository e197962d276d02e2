//! Pods and pod templates (behaviour/validation.md 4).

use super::container::{self, Around};
use super::{Errors, diff, names, placement, quoted, resources, security, volume};
use crate::value::Value;

/// A pod template; `claims` are volumes that the owner adds.
pub(super) fn template(e: &mut Errors, path: &str, t: &Value, claims: &[&str]) {
    names::labels(e, &format!("{path}.labels"), &t["metadata"]["labels"]);
    names::annotations(e, &format!("{path}.annotations"), &t["metadata"]["annotations"]);
    deletion_cost(e, &format!("{path}.annotations"), t);
    let inner = &t["spec"];
    spec(e, &format!("{path}.spec"), inner, claims, None);
    if !inner["ephemeralContainers"].is_empty() {
        e.forbidden(
            format!("{path}.spec.ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        );
    }
}

/// A new pod.
pub(super) fn create(e: &mut Errors, pod: &Value) {
    metadata_and_spec(e, pod);
    let s = &pod["spec"];
    if !s["ephemeralContainers"].is_empty() {
        e.forbidden("spec.ephemeralContainers", "cannot be set on create");
    }
    if !s["nodeName"].is_empty() && !s["schedulingGates"].is_empty() {
        e.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
    }
}

fn metadata_and_spec(e: &mut Errors, pod: &Value) {
    deletion_cost(e, "metadata.annotations", pod);
    let s = &pod["spec"];
    spec(e, "spec", s, &[], Some(pod["metadata"]["name"].str()));
    for list in ["containers", "initContainers"] {
        for (i, c) in s[list].items().iter().enumerate() {
            untrimmed_image(e, &format!("spec.{list}[{i}]"), c);
        }
    }
}

fn untrimmed_image(e: &mut Errors, at: &str, c: &Value) {
    let image = c["image"].str();
    if image.trim() != image {
        let detail = "must not have leading or trailing whitespace";
        e.invalid(format!("{at}.image"), quoted(image), detail);
    }
}

fn deletion_cost(e: &mut Errors, field: &str, owner: &Value) {
    const COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    let bad = |s: &&str| {
        let number = s.strip_prefix('-').unwrap_or(s);
        s.parse::<i32>().is_err()
            || number.len() > 1 && number.starts_with('0')
            || s.starts_with('+')
    };
    if let Some(cost) = owner["metadata"]["annotations"].get(COST).as_str().filter(bad) {
        e.invalid(format!("{field}[{COST}]"), quoted(cost), "must be a 32bit integer");
    }
}

/// A pod's spec; `pod` is its name if it is not a template's.
fn spec(e: &mut Errors, path: &str, s: &Value, claims: &[&str], pod: Option<&str>) {
    let resource_claims = s["resourceClaims"].items();
    let around = Around {
        volumes: volume::volumes(e, path, s, claims, pod),
        claims: resource_claims.iter().map(|c| c["name"].str()).collect(),
        grace: s["terminationGracePeriodSeconds"].int_or(30),
        os: s["os"]["name"].str(),
        host_users: s["hostUsers"].as_bool() != Some(false),
        restart: s["restartPolicy"].str(),
        pod: pod.is_some(),
    };
    claims_of(e, &format!("{path}.resourceClaims"), resource_claims);
    container::all(e, path, s, &around);
    if !s["resources"].is_null() {
        resources::resources(e, &format!("{path}.resources"), &s["resources"], &around.claims);
    }
    if s["hostNetwork"].is_true() {
        host_network(e, path, s, around.pod);
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
    security::pod(e, &format!("{path}.securityContext"), s);
    placement::affinity(e, &format!("{path}.affinity"), &s["affinity"]);
    dns(e, &format!("{path}.dnsConfig"), s);
    for (i, g) in s["readinessGates"].items().iter().enumerate() {
        let field = format!("{path}.readinessGates[{i}].conditionType");
        names::check_qualified(e, &field, g["conditionType"].str());
    }
    gates(e, &format!("{path}.schedulingGates"), s["schedulingGates"].items());
    placement::spread(e, &format!("{path}.topologySpreadConstraints"), s);
    host_users(e, path, s);
    identity(e, path, s);
    placement::tolerations(e, &format!("{path}.tolerations"), s["tolerations"].items());
    for (i, a) in s["hostAliases"].items().iter().enumerate() {
        let at = format!("{path}.hostAliases[{i}]");
        names::check_ip(e, &format!("{at}.ip"), a["ip"].str());
        for (j, name) in a["hostnames"].items().iter().enumerate() {
            names::check_subdomain(e, &format!("{at}.hostnames[{j}]"), name.str());
        }
    }
    for key in ["priorityClassName", "runtimeClassName"] {
        if let Some(name) = s[key].as_str().filter(|n| !n.is_empty() || key == "runtimeClassName") {
            names::check_subdomain(e, &format!("{path}.{key}"), name);
        }
    }
    e.one_of(
        format!("{path}.preemptionPolicy"),
        &s["preemptionPolicy"],
        &["PreemptLowerPriority", "Never"],
    );
    if !s["os"].is_null() {
        if around.os.is_empty() {
            e.required(format!("{path}.os.name"), "");
        } else {
            e.one_of(format!("{path}.os"), &s["os"]["name"], &["linux", "windows"]);
        }
    }
}

fn claims_of(e: &mut Errors, field: &str, claims: &[Value]) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, c) in claims.iter().enumerate() {
        let at = format!("{field}[{i}]");
        let name = c["name"].str();
        if name.is_empty() {
            e.required(format!("{at}.name"), "");
        } else if seen.contains(&name) {
            e.duplicate(format!("{at}.name"), &quoted(name));
        } else {
            names::check_label(e, &format!("{at}.name"), name);
            seen.push(name);
        }
        let (one, other) = (&c["resourceClaimName"], &c["resourceClaimTemplateName"]);
        if one.is_null() == other.is_null() {
            let shown = format!(
                "{{\"Name\":{},\"ResourceClaimName\":{one},\"ResourceClaimTemplateName\":{other}}}",
                quoted(name)
            );
            e.invalid(at, shown, if one.is_null() {
                "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            } else {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            });
        }
    }
}

fn host_network(e: &mut Errors, path: &str, s: &Value, pod: bool) {
    for (i, c) in s["containers"].items().iter().enumerate() {
        for (j, p) in c["ports"].items().iter().enumerate() {
            let (host, own) = (p["hostPort"].int_or(0), p["containerPort"].int_or(0));
            if (pod || host != 0) && host != own {
                e.invalid(
                    format!("{path}.containers[{i}].ports[{j}].hostPort"),
                    host.to_string(),
                    "must match `containerPort` when `hostNetwork` is true",
                );
            }
        }
    }
}

fn dns(e: &mut Errors, at: &str, s: &Value) {
    let config = &s["dnsConfig"];
    let servers = config["nameservers"].items();
    if s["dnsPolicy"].str() == "None" {
        if config.is_null() {
            return e.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        if servers.is_empty() {
            return e.required(
                format!("{at}.nameservers"),
                "must provide at least one DNS nameserver when `dnsPolicy` is None",
            );
        }
    }
    if servers.len() > 3 {
        let shown = config["nameservers"].to_string();
        e.invalid(format!("{at}.nameservers"), shown, "must not have more than 3 nameservers");
    }
    for (i, ip) in servers.iter().enumerate() {
        names::check_ip(e, &format!("{at}.nameservers[{i}]"), ip.str());
    }
    let searches = config["searches"].items();
    let long = searches.iter().map(|s| s.str().len() + 1).sum::<usize>() > 2049;
    for (wrong, detail) in [
        (searches.len() > 32, "must not have more than 32 search paths"),
        (long, "must not have more than 2048 characters (including spaces) in the search list"),
    ] {
        if wrong {
            e.invalid(format!("{at}.searches"), config["searches"].to_string(), detail);
        }
    }
    for (i, search) in searches.iter().map(Value::str).enumerate().filter(|(_, s)| *s != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        for fault in names::search_faults(search) {
            e.invalid(format!("{at}.searches[{i}]"), quoted(search), fault);
        }
    }
    for (i, o) in config["options"].items().iter().enumerate() {
        if o["name"].is_empty() {
            e.required(format!("{at}.options[{i}]"), "must not be empty");
        }
    }
}

fn gates(e: &mut Errors, field: &str, gates: &[Value]) {
    for (i, g) in gates.iter().enumerate() {
        let (at, name) = (format!("{field}[{i}]"), g["name"].str());
        names::check_qualified(e, &at, name);
        if gates[..i].iter().any(|o| o["name"].str() == name) {
            e.duplicate(at, &quoted(name));
        }
    }
}

fn host_users(e: &mut Errors, path: &str, s: &Value) {
    if s["hostUsers"].as_bool() != Some(false) {
        return;
    }
    for (key, shown) in
        [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")]
    {
        if s[key].is_true() {
            e.forbidden(format!("{path}.{shown}"), "when `hostUsers` is false");
        }
    }
}

/// Names that a pod has or asks for.
fn identity(e: &mut Errors, path: &str, s: &Value) {
    if let Some(name) = s["hostnameOverride"].as_str() {
        let field = format!("{path}.hostnameOverride");
        for key in ["setHostnameAsFQDN", "hostNetwork"] {
            if s[key].is_true() {
                e.forbidden(&*field, format!("may not be specified when {key} is true"));
            }
        }
        if name.len() > 64 {
            e.add(&*field, "Too long: may not be more than 64 bytes");
        }
        names::check_subdomain(e, &field, name);
    }
    for key in ["serviceAccountName", "nodeName"] {
        if let Some(name) = s[key].as_str().filter(|n| !n.is_empty()) {
            names::check_subdomain(e, &format!("{path}.{key}"), name);
        }
    }
    let detail = "must be between 1 and 2147483647, inclusive";
    let deadline = format!("{path}.activeDeadlineSeconds");
    e.range(deadline, &s["activeDeadlineSeconds"], 1, i64::from(i32::MAX), detail);
    for key in ["hostname", "subdomain"] {
        if let Some(name) = s[key].as_str().filter(|n| !n.is_empty()) {
            names::check_label(e, &format!("{path}.{key}"), name);
        }
    }
}

/// An update of a pod: only images, deadline, tolerations (more of them) and a grace period.
pub(super) fn update(e: &mut Errors, new: &Value, old: &Value) {
    metadata_and_spec(e, new);
    let (n, o) = (&new["spec"], &old["spec"]);
    for list in ["containers", "initContainers"] {
        if n[list].len() != o[list].len() {
            let detail = "pod updates may not add or remove containers";
            return e.forbidden(format!("spec.{list}"), detail);
        }
    }
    if !deadline(e, &n["activeDeadlineSeconds"], &o["activeDeadlineSeconds"]) {
        return;
    }
    placement::only_added(e, "spec.tolerations", n, o);
    for (i, g) in n["schedulingGates"].items().iter().enumerate() {
        if !o["schedulingGates"].items().contains(g) {
            e.forbidden(
                format!("spec.schedulingGates[{i}].name"),
                format!(
                    "only deletion is allowed, but found new scheduling gate '{}'",
                    g["name"].str()
                ),
            );
        }
    }
    // what may change is put back, the rest must be as it was
    let mut kept = n.clone();
    for list in ["containers", "initContainers"] {
        let mut items = n[list].items().to_vec();
        for (c, was) in items.iter_mut().zip(o[list].items()) {
            c.set("image", &was["image"]);
        }
        if !items.is_empty() {
            kept.set(list, items);
        }
    }
    let grace = "terminationGracePeriodSeconds";
    let mended = o[grace].int_or(0) < 0 && n[grace].as_int() == Some(1);
    for key in ["activeDeadlineSeconds", "schedulingGates", "tolerations", grace] {
        if key == grace && !mended {
            continue;
        }
        if o[key].is_null() {
            kept.remove(key);
        } else {
            kept.set(key, &o[key]);
        }
    }
    if kept != *o {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        e.forbidden("spec", format!("{detail}\n{}", diff::pod(o, &kept)));
    }
}

/// A deadline may be set once and then only come nearer. Says whether to look further.
fn deadline(e: &mut Errors, new: &Value, old: &Value) -> bool {
    let field = "spec.activeDeadlineSeconds";
    match (new.as_int(), old.as_int()) {
        (Some(n), _) if !(0..=i64::from(i32::MAX)).contains(&n) => {
            e.invalid(field, n.to_string(), "must be between 0 and 2147483647, inclusive");
            false
        }
        (Some(n), Some(o)) if n > o => {
            e.invalid(field, n.to_string(), "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            e.invalid(field, "null", "must not update from a positive integer to nil value");
            true
        }
        _ => true,
    }
}
