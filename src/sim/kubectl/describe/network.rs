//! Services and the addresses behind them.

use std::fmt::Write as _;

use super::*;
use crate::kubectl::print::net;

/// Label of a slice: whose endpoints it lists.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// At most so many addresses are shown.
const MOST: usize = 3;

fn texts(list: &Value) -> Vec<&str> {
    list.items().iter().map(Value::str).collect()
}

fn or_none(text: String) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text }
}

fn unless_empty(out: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        line(out, label, value);
    }
}

pub(super) fn service(w: &World, out: &mut String, obj: &Obj) {
    let spec = obj.spec();
    head(out, obj);
    line(out, "Selector", &rows::labels(&spec["selector"]));
    line(out, "Type", spec["type"].str());
    unless_empty(out, "IP Family Policy", spec["ipFamilyPolicy"].str());
    line(out, "IP Families", &or_none(texts(&spec["ipFamilies"]).join(",")));
    line(out, "IP", spec["clusterIP"].str());
    line(out, "IPs", &or_none(texts(&spec["clusterIPs"]).join(",")));
    unless_empty(out, "External IPs", &texts(&spec["externalIPs"]).join(","));
    unless_empty(out, "Desired LoadBalancer IP", spec["loadBalancerIP"].str());
    unless_empty(out, "External Name", spec["externalName"].str());
    let given = obj.status()["loadBalancer"]["ingress"].items();
    let given: Vec<String> = given.iter().map(ingress).collect();
    unless_empty(out, "LoadBalancer Ingress", &given.join(", "));
    for p in spec["ports"].items() {
        let name = p["name"].as_str().filter(|n| !n.is_empty()).unwrap_or("<unset>");
        let protocol = p["protocol"].str();
        let _ = writeln!(out, "Port:\t{name}\t{}/{protocol}", p["port"].int_or(0));
        let target = match &p["targetPort"] {
            Value::Int(n) => n.to_string(),
            v => v.str().to_owned(),
        };
        line(out, "TargetPort", &format!("{target}/{protocol}"));
        unless_empty(out, "AppProtocol", p["appProtocol"].str());
        if let Some(n) = p["nodePort"].as_int().filter(|n| *n != 0) {
            let _ = writeln!(out, "NodePort:\t{name}\t{n}/{protocol}");
        }
        line(out, "Endpoints", &endpoints(w, obj, p["name"].str()));
    }
    line(out, "Session Affinity", spec["sessionAffinity"].str());
    unless_empty(out, "External Traffic Policy", spec["externalTrafficPolicy"].str());
    unless_empty(out, "Internal Traffic Policy", spec["internalTrafficPolicy"].str());
    if let Some(n) = spec["healthCheckNodePort"].as_int().filter(|n| *n != 0) {
        line(out, "HealthCheck NodePort", &n.to_string());
    }
    let ranges = texts(&spec["loadBalancerSourceRanges"]).join(",");
    unless_empty(out, "LoadBalancer Source Ranges", &ranges);
    unless_empty(out, "Traffic Distribution", spec["trafficDistribution"].str());
}

/// `192.0.2.1 (VIP)`, or a host name.
fn ingress(i: &Value) -> String {
    match (i["ip"].str(), i["ipMode"].as_str()) {
        ("", _) => i["hostname"].str().to_owned(),
        (ip, Some(mode)) => format!("{ip} ({mode})"),
        (ip, None) => ip.to_owned(),
    }
}

/// Ready addresses behind a Service's port, as its slices list them. Like kubectl, one address
/// after the last shown makes it say how many more there are, even if that one is not ready.
pub(super) fn endpoints(w: &World, svc: &Obj, port: &str) -> String {
    let name = svc.name();
    let ns = svc.ns();
    let slices: Vec<&Obj> = w
        .store
        .list(Kind::EndpointSlice, &ns)
        .filter(|s| s.label(SERVICE_NAME) == Some(name.as_str()))
        .collect();
    if slices.is_empty() {
        return "<none>".to_owned();
    }
    let mut shown: Vec<String> = Vec::new();
    let (mut more, mut count) = (false, 0);
    let mut add = |slice: &Obj, port: Option<i64>| {
        for e in slice.value["endpoints"].items() {
            more |= shown.len() == MOST;
            // a condition that is not set counts as ready
            if e["conditions"]["ready"].as_bool() == Some(false) {
                continue;
            }
            if !more {
                let ip = e["addresses"][0].str();
                shown.push(port.map_or_else(|| ip.to_owned(), |p| net::host_port(ip, p)));
            }
            count += 1;
        }
    };
    for slice in slices {
        let ports = slice.value["ports"].items();
        if ports.is_empty() {
            add(slice, None);
        }
        for p in ports.iter().filter(|p| p["name"].str() == port) {
            add(slice, Some(p["port"].int_or(0)));
        }
    }
    let text = shown.join(",");
    if more { format!("{text} + {} more...", count - MOST) } else { text }
}

pub(super) fn slice(out: &mut String, obj: &Obj) {
    head(out, obj);
    line(out, "AddressType", obj.value["addressType"].str());
    if obj.value["ports"].is_empty() {
        out.push_str("Ports: <unset>\n");
    } else {
        out.push_str("Ports:\n  Name\tPort\tProtocol\n  ----\t----\t--------\n");
        for p in obj.value["ports"].items() {
            let name = p["name"].as_str().filter(|n| !n.is_empty()).unwrap_or("<unset>");
            let port = p["port"].as_int().map_or("<unset>".to_owned(), |n| n.to_string());
            let _ = writeln!(out, "  {name}\t{port}\t{}", p["protocol"].str());
        }
    }
    if obj.value["endpoints"].is_empty() {
        out.push_str("Endpoints: <none>\n");
        return;
    }
    out.push_str("Endpoints:\n");
    for e in obj.value["endpoints"].items() {
        line(out, "  - Addresses", &or_none(texts(&e["addresses"]).join(", ")));
        out.push_str("    Conditions:\n");
        let ready = e["conditions"]["ready"].as_bool();
        line(out, "      Ready", &ready.map_or("<unset>".to_owned(), |r| r.to_string()));
        line(out, "    Hostname", e["hostname"].as_str().unwrap_or("<unset>"));
        let r = &e["targetRef"];
        if !r.is_null() {
            line(out, "    TargetRef", &format!("{}/{}", r["kind"].str(), r["name"].str()));
        }
        line(out, "    NodeName", e["nodeName"].as_str().unwrap_or("<unset>"));
        line(out, "    Zone", e["zone"].as_str().unwrap_or("<unset>"));
    }
}
