//! Services (behaviour/validation.md 6).

use super::pod::port_name_faults;
use super::{Errors, names, quoted};
use crate::value::Value;

/// A Service; with its old version, an update.
pub(super) fn service(e: &mut Errors, svc: &Value, old: Option<&Value>) {
    let s = &svc["spec"];
    let kind = s["type"].str();
    let headless = s["clusterIP"].str() == "None";
    let ports = s["ports"].items();
    if let Some(old) = old {
        let (was, is) = (&old["spec"]["clusterIP"], &s["clusterIP"]);
        if kind != "ExternalName"
            && old["spec"]["type"].str() != "ExternalName"
            && !was.is_empty()
            && was != is
        {
            if is.is_empty() {
                e.invalid("spec.clusterIPs[0]", "[]", "primary clusterIP can not be unset");
            } else {
                e.invalid("spec.clusterIPs[0]", format!("[{is}]"), "may not change once set");
            }
        }
    }
    if ports.is_empty() && !headless && kind != "ExternalName" {
        e.required("spec.ports", "");
    }
    if kind == "ExternalName" {
        if s["externalName"].str().is_empty() {
            e.required("spec.externalName", "");
        } else {
            names::check_subdomain(
                e,
                "spec.externalName",
                s["externalName"].str().trim_end_matches('.'),
            );
        }
    } else if headless && matches!(kind, "NodePort" | "LoadBalancer") {
        e.invalid(
            "spec.clusterIPs[0]",
            "\"None\"",
            format!("may not be set to 'None' for {kind} services"),
        );
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, p) in ports.iter().enumerate() {
        let at = format!("spec.ports[{i}]");
        port(e, &at, p, ports.len() > 1, &mut seen);
        if kind == "ClusterIP" && p["nodePort"].int_or(0) != 0 {
            e.forbidden(format!("{at}.nodePort"), "may not be used when `type` is 'ClusterIP'");
        }
    }
    for (i, p) in ports.iter().enumerate() {
        let same = |q: &Value| q["port"] == p["port"] && q["protocol"] == p["protocol"];
        if ports[..i].iter().any(same) {
            let text = format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                p["protocol"], p["port"]
            );
            e.duplicate(format!("spec.ports[{i}]"), &text);
        }
    }
    names::labels(e, "spec.selector", &s["selector"]);
    e.one_of("spec.sessionAffinity", &s["sessionAffinity"], &["ClientIP", "None"]);
    e.one_of("spec.type", &s["type"], &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
}

fn port<'a>(e: &mut Errors, at: &str, p: &'a Value, many: bool, seen: &mut Vec<&'a str>) {
    let name = p["name"].str();
    if name.is_empty() {
        if many {
            e.required(format!("{at}.name"), "");
        }
    } else {
        names::check_label(e, &format!("{at}.name"), name);
        if seen.contains(&name) {
            e.duplicate(format!("{at}.name"), &quoted(name));
        }
        seen.push(name);
    }
    let number = p["port"].int_or(0);
    if !(1..=65_535).contains(&number) {
        e.invalid(
            format!("{at}.port"),
            number.to_string(),
            "must be between 1 and 65535, inclusive",
        );
    }
    e.one_of(format!("{at}.protocol"), &p["protocol"], &["SCTP", "TCP", "UDP"]);
    match &p["targetPort"] {
        Value::Int(n) if !(1..=65_535).contains(n) => {
            e.invalid(
                format!("{at}.targetPort"),
                n.to_string(),
                "must be between 1 and 65535, inclusive",
            );
        }
        Value::Str(name) => {
            for fault in port_name_faults(name) {
                e.invalid(format!("{at}.targetPort"), quoted(name), fault);
            }
        }
        _ => {}
    }
}
