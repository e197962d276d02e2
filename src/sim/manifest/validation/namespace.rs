//! Quotas, ranges, and what stands behind a Service.

use super::names::{check_ip, check_label};
use super::resources::{resource_name, standard};
use super::{Errors, amount, amount_text, quoted};
use crate::value::Value;

/// Most resources that a quota may name count whole objects.
const WHOLE: &[&str] = &[
    "pods",
    "services",
    "secrets",
    "configmaps",
    "replicationcontrollers",
    "resourcequotas",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// What quotas bound of pods' containers.
fn computes(name: &str) -> bool {
    let name =
        name.strip_prefix("requests.").or_else(|| name.strip_prefix("limits.")).unwrap_or(name);
    matches!(name, "cpu" | "memory" | "ephemeral-storage")
}

pub(super) fn quota(e: &mut Errors, v: &Value, old: Option<&Value>) {
    let spec = &v["spec"];
    for (name, n) in spec["hard"].pairs() {
        let at = format!("spec.hard[{name}]");
        let huge = name.starts_with("hugepages-") || name.starts_with("requests.hugepages-");
        resource_name(e, &at, name);
        let known = standard(name) && name != "storage";
        if !name.contains('/') && !known && !huge {
            e.invalid(&at, quoted(name), "must be a standard resource for quota");
        }
        if amount(n).is_some_and(|n| n < 0) {
            e.invalid(&at, quoted(&amount_text(n)), "must be greater than or equal to 0");
        }
        if WHOLE.contains(&name.as_str()) && amount(n).is_some_and(|n| n % 1000 != 0) {
            e.invalid(&at, quoted(&amount_text(n)), "must be an integer");
        }
    }
    let scopes = &spec["scopes"];
    let has = |s: &str| scopes.items().iter().any(|x| x.str() == s);
    for scope in scopes.items() {
        let counted =
            |name: &str| name == "pods" || (scope.str() != "BestEffort" && computes(name));
        let known = [
            "Terminating",
            "NotTerminating",
            "BestEffort",
            "NotBestEffort",
            "PriorityClass",
            "CrossNamespacePodAffinity",
            "VolumeAttributesClass",
        ];
        if !known.contains(&scope.str()) {
            e.invalid("spec.scopes", scopes.to_string(), "unsupported scope");
        } else if scope.str() != "VolumeAttributesClass" {
            for _ in spec["hard"].pairs().filter(|(n, _)| standard(n) && !counted(n)) {
                let why = "unsupported scope applied to resource";
                e.invalid("spec.scopes", scopes.to_string(), why);
            }
        }
    }
    for [a, b] in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        if has(a) && has(b) {
            e.invalid("spec.scopes", scopes.to_string(), "conflicting scopes");
        }
    }
    if let Some(old) = old
        && old["spec"]["scopes"] != *scopes
    {
        e.invalid("spec.scopes", scopes.to_string(), "field is immutable");
    }
}

pub(super) fn range(e: &mut Errors, v: &Value) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, item) in v["spec"]["limits"].items().iter().enumerate() {
        let at = format!("spec.limits[{i}]");
        let kind = item["type"].str();
        let claim = kind == "PersistentVolumeClaim";
        if !kind.contains('/') && !claim && !matches!(kind, "Pod" | "Container") {
            let why = "must be a standard limit type or fully qualified";
            e.invalid(format!("{at}.type"), quoted(kind), why);
        }
        if seen.contains(&kind) {
            e.duplicate(format!("{at}.type"), &quoted(kind));
        }
        seen.push(kind);
        if kind == "Pod" {
            for field in ["default", "defaultRequest"] {
                if !item[field].is_empty() {
                    e.forbidden(
                        format!("{at}.{field}"),
                        "may not be specified when `type` is 'Pod'",
                    );
                }
            }
        }
        if claim && !item["min"].has("storage") && !item["max"].has("storage") {
            let why =
                "either minimum or maximum storage value is required, but neither was provided";
            e.required(format!("{at}.limits"), why);
        }
        // a smaller one, a larger one, where it is told that they are the other way, their words,
        // and whether the larger one is shown
        let orders = [
            ("min", "max", "min", "min", "max", false),
            ("min", "defaultRequest", "defaultRequest", "min", "default request", true),
            ("defaultRequest", "max", "defaultRequest", "default request", "max", false),
            (
                "defaultRequest",
                "default",
                "defaultRequest",
                "default request",
                "default limit",
                false,
            ),
            ("min", "default", "default", "min", "default", false),
            ("default", "max", "default", "default", "max", true),
        ];
        for (small, large, field, first, second, shown) in orders {
            for (name, low) in item[small].pairs() {
                let high = &item[large][name.as_str()];
                if high.is_null() || amount(low) <= amount(high) {
                    continue;
                }
                let (low, high) = (amount_text(low), amount_text(high));
                e.invalid(
                    format!("{at}.{field}[{name}]"),
                    quoted(if shown { &high } else { &low }),
                    format!("{first} value {low} is greater than {second} value {high}"),
                );
            }
        }
        for (name, ratio) in item["maxLimitRequestRatio"].pairs() {
            if amount(ratio).is_some_and(|r| r < 1000) {
                let ratio = amount_text(ratio);
                let why = format!("ratio {ratio} is less than 1");
                e.invalid(format!("{at}.maxLimitRequestRatio[{name}]"), quoted(&ratio), why);
            }
        }
    }
}

/// Addresses that nothing else may stand behind.
fn special(e: &mut Errors, at: &str, ip: &str) {
    let Ok(parsed) = ip.parse::<std::net::IpAddr>() else { return };
    let (link_local, link_multicast) = match parsed {
        std::net::IpAddr::V4(a) => (a.is_link_local(), matches!(a.octets(), [224, 0, 0, _])),
        std::net::IpAddr::V6(a) => {
            let first = a.segments()[0];
            (first & 0xffc0 == 0xfe80, first & 0xff0f == 0xff02)
        }
    };
    if parsed.is_unspecified() {
        e.invalid(at, quoted(ip), format!("may not be unspecified ({ip})"));
    }
    if parsed.is_loopback() {
        e.invalid(at, quoted(ip), "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    }
    if link_local {
        e.invalid(at, quoted(ip), "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    }
    if link_multicast {
        let why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
        e.invalid(at, quoted(ip), why);
    }
}

pub(super) fn endpoints(e: &mut Errors, v: &Value) {
    for (i, s) in v["subsets"].items().iter().enumerate() {
        let at = format!("subsets[{i}]");
        if s["addresses"].is_empty() && s["notReadyAddresses"].is_empty() {
            e.required(&at, "must specify `addresses` or `notReadyAddresses`");
        }
        for list in ["addresses", "notReadyAddresses"] {
            for (j, a) in s[list].items().iter().enumerate() {
                let field = format!("{at}.{list}[{j}].ip");
                if check_ip(e, &field, a["ip"].str()) {
                    special(e, &field, a["ip"].str());
                }
                if !a["hostname"].is_empty() {
                    check_label(e, &format!("{at}.{list}[{j}].hostname"), a["hostname"].str());
                }
            }
        }
        let ports = s["ports"].items();
        for (j, p) in ports.iter().enumerate() {
            let field = format!("{at}.ports[{j}]");
            if !p["name"].is_empty() {
                check_label(e, &format!("{field}.name"), p["name"].str());
            } else if ports.len() > 1 {
                e.required(format!("{field}.name"), "");
            }
            port(e, &field, p);
        }
    }
}

/// Number and protocol of a port.
fn port(e: &mut Errors, at: &str, p: &Value) {
    let why = "must be between 1 and 65535, inclusive";
    e.range(format!("{at}.port"), &p["port"], 1, 65535, why);
    e.one_of(format!("{at}.protocol"), &p["protocol"], &["SCTP", "TCP", "UDP"]);
}

pub(super) fn slice(e: &mut Errors, v: &Value, old: Option<&Value>) {
    let kind = &v["addressType"];
    if let Some(old) = old {
        if old["addressType"] != *kind {
            e.invalid("addressType", kind.to_string(), "field is immutable");
        }
    } else if kind.is_empty() {
        e.required("addressType", "");
    } else {
        e.one_of("addressType", kind, &["FQDN", "IPv4", "IPv6"]);
    }
    for (i, x) in v["endpoints"].items().iter().enumerate() {
        let at = format!("endpoints[{i}]");
        if x["addresses"].is_empty() {
            e.required(format!("{at}.addresses"), "must contain at least 1 address");
        }
        for (j, a) in x["addresses"].items().iter().enumerate() {
            let (field, ip) = (format!("{at}.addresses[{j}]"), a.str());
            if !matches!(kind.str(), "IPv4" | "IPv6") || !check_ip(e, &field, ip) {
                continue;
            }
            if ip.contains(':') == (kind.str() == "IPv4") {
                let why = format!("must be an {} address", kind.str());
                e.invalid(&field, quoted(ip), why);
            } else {
                special(e, &field, ip);
            }
        }
        if !x["hostname"].is_empty() {
            check_label(e, &format!("{at}.hostname"), x["hostname"].str());
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, p) in v["ports"].items().iter().enumerate() {
        let (at, name) = (format!("ports[{i}]"), p["name"].str());
        if !name.is_empty() {
            check_label(e, &format!("{at}.name"), name);
        }
        if seen.contains(&name) {
            e.duplicate(format!("{at}.name"), &quoted(name));
        }
        seen.push(name);
        port(e, &at, p);
    }
}

pub(super) fn autoscaler(e: &mut Errors, v: &Value) {
    let spec = &v["spec"];
    let (min, max) = (spec["minReplicas"].int_or(1), spec["maxReplicas"].int_or(0));
    if min < 1 {
        let why = "must be greater than or equal to 1";
        e.invalid("spec.minReplicas", min.to_string(), why);
    }
    if max < 1 {
        e.invalid("spec.maxReplicas", max.to_string(), "must be greater than 0");
    }
    if max < min {
        let why = "must be greater than or equal to `minReplicas`";
        e.invalid("spec.maxReplicas", max.to_string(), why);
    }
    for field in ["kind", "name"] {
        if spec["scaleTargetRef"][field].is_empty() {
            e.required(format!("spec.scaleTargetRef.{field}"), "");
        }
    }
}
