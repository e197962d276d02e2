//! Services (behaviour/validation.md 6).

use super::container::{port, port_number};
use super::{Errors, names, quoted};
use crate::value::Value;

/// A Service; with its old version, an update.
pub(super) fn service(e: &mut Errors, svc: &Value, old: Option<&Value>) {
    let s = &svc["spec"];
    let kind = s["type"].str();
    let headless = headless(s);
    let ports = s["ports"].items();
    if let Some(old) = old.map(|o| &o["spec"]) {
        addresses_kept(e, s, old);
        let class = &s["loadBalancerClass"];
        let balanced = |s: &Value| s["type"].str() == "LoadBalancer";
        if balanced(s) && balanced(old) && *class != old["loadBalancerClass"] {
            e.invalid("spec.loadBalancerClass", class.to_string(), "may not change once set");
        }
    }
    if ports.is_empty() && !headless && kind != "ExternalName" {
        e.required("spec.ports", "");
    }
    match kind {
        "NodePort" | "LoadBalancer" if headless => e.invalid(
            "spec.clusterIPs[0]",
            "\"None\"",
            format!("may not be set to 'None' for {kind} services"),
        ),
        "ExternalName" => external_name(e, s),
        _ => {}
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, p) in ports.iter().enumerate() {
        one_port(e, &format!("spec.ports[{i}]"), p, ports.len() > 1, &mut seen);
    }
    names::labels(e, "spec.selector", &s["selector"]);
    let affinity = &s["sessionAffinity"];
    e.one_of("spec.sessionAffinity", affinity, &["ClientIP", "None"]);
    if affinity.str() == "ClientIP" {
        let seconds = &s["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
        let field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
        e.range(field, seconds, 1, 86_400, "must be greater than 0 and less than 86400");
    }
    if kind != "ExternalName" {
        addresses(e, s);
    }
    for (i, ip) in s["externalIPs"].items().iter().enumerate() {
        external_ip(e, &format!("spec.externalIPs[{i}]"), ip.str());
    }
    e.one_of("spec.type", &s["type"], &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    same_ports(e, kind, ports);
    traffic(e, s, kind);
}

/// Without a cluster address.
fn headless(s: &Value) -> bool {
    s["clusterIPs"].len() == 1 && s["clusterIPs"][0].str() == "None"
}

/// A list of texts as Go writes it; nothing is `null`.
fn list_text(v: &Value) -> String {
    if v.is_empty() { "null".into() } else { v.to_string() }
}

/// The addresses of a Service stay as they are.
fn addresses_kept(e: &mut Errors, new: &Value, old: &Value) {
    let external = |s: &Value| s["type"].str() == "ExternalName";
    if external(new) || external(old) || headless(new) && headless(old) {
        return;
    }
    let (n, o) = (new["clusterIPs"].items(), old["clusterIPs"].items());
    let shown = list_text(&new["clusterIPs"]);
    if n.is_empty() && !o.is_empty() {
        e.invalid("spec.clusterIPs[0]", shown, "primary clusterIP can not be unset");
        return;
    }
    for (i, (a, b)) in n.iter().zip(o).enumerate() {
        if a != b {
            e.invalid(format!("spec.clusterIPs[{i}]"), &shown, "may not change once set");
        }
    }
    if headless(new) != headless(old) || headless(new) {
        return;
    }
    let (n, o) = (new["ipFamilies"].items(), old["ipFamilies"].items());
    if !n.is_empty() && n.first() != o.first() && !o.is_empty() {
        let shown = list_text(&new["ipFamilies"]);
        e.invalid("spec.ipFamilies[0]", shown, "may not change once set");
    }
}

fn external_name(e: &mut Errors, s: &Value) {
    for key in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if !s[key].is_empty() {
            e.forbidden(format!("spec.{key}"), "may not be set for ExternalName services");
        }
    }
    let name = s["externalName"].str();
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        e.required("spec.externalName", "");
    } else {
        names::check_subdomain(e, "spec.externalName", name);
    }
}

fn one_port<'a>(e: &mut Errors, at: &str, p: &'a Value, many: bool, seen: &mut Vec<&'a str>) {
    let name = p["name"].str();
    if name.is_empty() {
        if many {
            e.required(format!("{at}.name"), "");
        }
    } else {
        names::check_label(e, &format!("{at}.name"), name);
        if seen.contains(&name) {
            e.duplicate(format!("{at}.name"), &quoted(name));
        } else {
            seen.push(name);
        }
    }
    port_number(e, &format!("{at}.port"), p["port"].int_or(0));
    e.one_of(format!("{at}.protocol"), &p["protocol"], &["SCTP", "TCP", "UDP"]);
    port(e, &format!("{at}.targetPort"), &p["targetPort"]);
    if let Some(protocol) = p["appProtocol"].as_str() {
        names::check_qualified(e, &format!("{at}.appProtocol"), protocol);
    }
}

/// `clusterIP`, `clusterIPs`, the families and their policy fit together.
pub(super) fn addresses(e: &mut Errors, s: &Value) {
    let (one, all) = (s["clusterIP"].str(), s["clusterIPs"].items());
    let shown = list_text(&s["clusterIPs"]);
    let field = "spec.clusterIPs";
    if one.is_empty() {
        if !all.is_empty() {
            e.invalid(field, &shown, "must be empty when `clusterIP` is not specified");
        }
    } else if all.first().map(Value::str) != Some(one) {
        e.invalid(field, &shown, "first value must match `clusterIP`");
    }
    let families = s["ipFamilies"].items();
    for (i, f) in families.iter().enumerate() {
        let at = format!("spec.ipFamilies[{i}]");
        e.one_of(&*at, f, &["IPv4", "IPv6"]);
        if families[..i].contains(f) {
            e.duplicate(at, &f.to_string());
        }
    }
    e.one_of(
        "spec.ipFamilyPolicy",
        &s["ipFamilyPolicy"],
        &["PreferDualStack", "RequireDualStack", "SingleStack"],
    );
    let mut good = true;
    for (i, ip) in all.iter().map(Value::str).enumerate() {
        if i == 0 && ip == "None" {
            if all.len() > 1 {
                good = false;
                e.invalid(field, &shown, "'None' must be the first and only value");
            }
            continue;
        }
        good &= names::check_ip(e, &format!("{field}[{i}]"), ip);
    }
    if all.len() > 2 {
        e.invalid(field, &shown, "may only hold up to 2 values");
    }
    let six = |ip: &str| ip.contains(':');
    if !good || headless(s) {
        return;
    }
    if all.len() > 1 && !all.iter().any(|ip| six(ip.str()) != six(all[0].str())) {
        e.invalid(field, &shown, "may specify no more than one IP for each IP family");
    }
    for (i, (ip, family)) in all.iter().zip(families).enumerate() {
        if six(ip.str()) != (family.str() == "IPv6") {
            e.invalid(
                format!("{field}[{i}]"),
                ip.to_string(),
                format!("expected an {} value as indicated by `ipFamilies[{i}]`", family.str()),
            );
        }
    }
}

/// An address outside of the cluster, not a special one.
fn external_ip(e: &mut Errors, field: &str, ip: &str) {
    if !names::check_ip(e, field, ip) {
        return;
    }
    let shown = quoted(ip);
    match ip.parse::<std::net::IpAddr>() {
        Ok(a) if a.is_unspecified() => {
            e.invalid(field, shown, format!("may not be unspecified ({ip})"));
        }
        Ok(a) if a.is_loopback() => {
            e.invalid(field, shown, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
        }
        Ok(std::net::IpAddr::V4(a)) if a.is_link_local() => e.invalid(
            field,
            shown,
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        ),
        _ => {}
    }
}

/// No port twice.
fn same_ports(e: &mut Errors, kind: &str, ports: &[Value]) {
    if kind == "ClusterIP" {
        for (i, _) in ports.iter().enumerate().filter(|(_, p)| p["nodePort"].int_or(0) != 0) {
            let detail = "may not be used when `type` is 'ClusterIP'";
            e.forbidden(format!("spec.ports[{i}].nodePort"), detail);
        }
    }
    let twice = |i: usize, key: &str| {
        let p = &ports[i];
        p[key].int_or(0) != 0
            && ports[..i].iter().any(|q| q[key] == p[key] && q["protocol"] == p["protocol"])
    };
    for (i, p) in ports.iter().enumerate().filter(|(i, _)| twice(*i, "nodePort")) {
        e.duplicate(format!("spec.ports[{i}].nodePort"), &p["nodePort"].to_string());
    }
    for (i, p) in ports.iter().enumerate().filter(|(i, _)| twice(*i, "port")) {
        let text = format!(
            "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
            p["protocol"], p["port"]
        );
        e.duplicate(format!("spec.ports[{i}]"), &text);
    }
}

/// What only Services have that can be reached from outside, and how traffic is divided.
fn traffic(e: &mut Errors, s: &Value, kind: &str) {
    let balanced = kind == "LoadBalancer";
    let only = "may only be used when `type` is 'LoadBalancer'";
    if !s["loadBalancerSourceRanges"].is_empty() && !balanced {
        e.forbidden("spec.LoadBalancerSourceRanges", only);
    }
    if !s["allocateLoadBalancerNodePorts"].is_null() && !balanced {
        e.forbidden("spec.allocateLoadBalancerNodePorts", only);
    }
    if let Some(class) = s["loadBalancerClass"].as_str() {
        if balanced {
            names::check_qualified(e, "spec.loadBalancerClass", class);
        } else {
            e.forbidden("spec.loadBalancerClass", only);
        }
    }
    let outside =
        balanced || kind == "NodePort" || kind == "ClusterIP" && !s["externalIPs"].is_empty();
    let policy = &s["externalTrafficPolicy"];
    if outside {
        e.one_of("spec.externalTrafficPolicy", policy, &["Cluster", "Local"]);
    } else if !policy.is_empty() {
        let detail = "may only be set for externally-accessible services";
        e.invalid("spec.externalTrafficPolicy", policy.to_string(), detail);
    }
    let check = &s["healthCheckNodePort"];
    if check.int_or(0) != 0 && !(balanced && policy.str() == "Local") {
        let detail =
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        e.invalid("spec.healthCheckNodePort", check.to_string(), detail);
    }
    e.one_of("spec.internalTrafficPolicy", &s["internalTrafficPolicy"], &["Cluster", "Local"]);
    e.one_of(
        "spec.trafficDistribution",
        &s["trafficDistribution"],
        &["PreferClose", "PreferSameZone", "PreferSameNode"],
    );
}
