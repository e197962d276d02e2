//! Cluster IPs and node ports of Services (behaviour/validation.md 6).
//!
//! A request is first completed ([`complete`]) and, once it is accepted, its addresses are
//! taken ([`reserve`]).

use crate::api::Kind;
use crate::apiserver::error::{Cause, Status};
use crate::manifest::validation;
use crate::rng::Stream;
use crate::value::{Str, Value};
use crate::world::World;

/// The range of Service addresses.
const RANGE: &str = "10.96.0.0/16";
/// First node port, and how many there are.
const NODE_PORTS: (i64, u64) = (30_000, 2768);

/// The last two numbers of an address of the Service range, as one.
fn offset(ip: &str) -> Option<u32> {
    let rest = ip.strip_prefix("10.96.")?;
    let (a, b) = rest.split_once('.')?;
    let part = |s: &str| s.parse::<u8>().ok().filter(|n| n.to_string() == s);
    Some(u32::from(part(a)?) * 256 + u32::from(part(b)?))
}

fn invalid(svc: &Value, field: impl Into<Str>, message: String) -> Status {
    let cause = Cause { field: field.into(), message: message.into() };
    Status::invalid(Kind::Service, svc["metadata"]["name"].str(), vec![cause])
}

fn owner(svc: &Value) -> Str {
    format!("{}/{}", svc["metadata"]["namespace"].str(), svc["metadata"]["name"].str()).into()
}

/// Every type but `ExternalName` has a cluster address, if only the word `None`.
fn has_address(spec: &Value) -> bool {
    matches!(spec["type"].str(), "ClusterIP" | "NodePort" | "LoadBalancer")
}

fn has_node_ports(spec: &Value) -> bool {
    match spec["type"].str() {
        "NodePort" => true,
        "LoadBalancer" => spec["allocateLoadBalancerNodePorts"].as_bool() != Some(false),
        _ => false,
    }
}

fn balanced(spec: &Value) -> bool {
    spec["type"].str() == "LoadBalancer"
}

fn has_health_port(spec: &Value) -> bool {
    balanced(spec) && spec["externalTrafficPolicy"].str() == "Local"
}

fn outside(spec: &Value) -> bool {
    matches!(spec["type"].str(), "NodePort" | "LoadBalancer")
        || spec["type"].str() == "ClusterIP" && !spec["externalIPs"].is_empty()
}

/// Fills a Service's addresses, families and node ports: those of its old version where the
/// request does not say, new ones where there are none. Takes nothing yet.
///
/// # Errors
/// 422 if a wanted address or port is malformed, taken or out of range.
pub fn complete(w: &World, svc: &mut Value, old: Option<&Value>) -> Result<(), Status> {
    let before = old.map_or(&Value::Null, |o| &o["spec"]);
    let mut spec = svc["spec"].clone();
    in_step(&mut spec, before);
    keep(&mut spec, before);
    svc.set("spec", spec);
    if has_address(&svc["spec"]) {
        let causes = validation::service_addresses(svc);
        if !causes.is_empty() {
            return Err(Status::invalid(Kind::Service, svc["metadata"]["name"].str(), causes));
        }
        let causes = unconfigured(families(svc.entry("spec")));
        if !causes.is_empty() {
            return Err(Status::invalid(Kind::Service, svc["metadata"]["name"].str(), causes));
        }
        if !has_address(before) {
            address(w, svc)?;
        }
        if has_node_ports(&svc["spec"]) {
            node_ports(w, svc, before)?;
        }
    }
    svc.entry("spec").map_mut().retain(|_, v| !v.is_null());
    wipe(svc.entry("spec"), before);
    Ok(())
}

/// The old field `clusterIP` and the first of `clusterIPs` are one.
fn in_step(spec: &mut Value, before: &Value) {
    let one = spec["clusterIP"].to_str();
    let changed = before["clusterIP"].str() != one.as_str();
    let same = before["clusterIPs"].items() == spec["clusterIPs"].items();
    let follow = if before.is_null() { spec["clusterIPs"].is_empty() } else { changed && same };
    if follow {
        if one.is_empty() {
            spec.remove("clusterIPs");
        } else {
            spec.set("clusterIPs", [Value::from(&one)]);
        }
    }
}

/// What was given to the old version stays where the request does not say.
fn keep(spec: &mut Value, before: &Value) {
    if has_address(before) && has_address(spec) {
        if spec["clusterIP"].is_empty() {
            spec.set("clusterIP", before["clusterIP"].clone());
        }
        if spec["clusterIPs"].is_empty() && spec["clusterIP"] == before["clusterIP"] {
            spec.set("clusterIPs", before["clusterIPs"].clone());
        }
        for key in ["ipFamilies", "ipFamilyPolicy"] {
            if spec[key].is_empty() {
                spec.set(key, before[key].clone());
            }
        }
    }
    if has_node_ports(before) && has_node_ports(spec) {
        let mut ports = spec["ports"].items().to_vec();
        let old = before["ports"].items();
        for i in 0..ports.len() {
            let was = old.iter().find(|o| o["name"].str() == ports[i]["name"].str());
            let number = was.map_or(0, |o| o["nodePort"].int_or(0));
            let used = ports.iter().any(|p| p["nodePort"].int_or(0) == number);
            if ports[i]["nodePort"].int_or(0) == 0 && number != 0 && !used {
                ports[i].set("nodePort", number);
            }
        }
        spec.set("ports", ports);
    }
    if has_health_port(before) && has_health_port(spec) && spec["healthCheckNodePort"].is_null() {
        spec.set("healthCheckNodePort", before["healthCheckNodePort"].clone());
    }
}

/// The families of addresses; the cluster has only the old one, but a Service without
/// addresses of its own and without pods of its own may have both.
fn families(spec: &mut Value) -> &Value {
    let bare = bare(spec);
    if spec["ipFamilyPolicy"].is_empty() {
        let two = spec["clusterIPs"].len() == 2 || spec["ipFamilies"].len() == 2;
        let both = if bare { spec["ipFamilies"].len() != 1 } else { two };
        spec.set("ipFamilyPolicy", if both { "RequireDualStack" } else { "SingleStack" });
    }
    if spec["ipFamilies"].is_empty() {
        let mut families: Vec<Value> = vec!["IPv4".into()];
        if bare && spec["ipFamilyPolicy"].str() != "SingleStack" {
            families.push("IPv6".into());
        }
        spec.set("ipFamilies", families);
    }
    spec
}

/// Without addresses and without pods of its own.
fn bare(spec: &Value) -> bool {
    spec["clusterIP"].str() == "None" && spec["selector"].is_empty()
}

/// What a Service asks for that a cluster with one family of addresses has not.
fn unconfigured(spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut add = |field: String, value: &Value, why: &str| {
        let message = format!("Invalid value: {value}: {why}").into();
        causes.push(Cause { field: field.into(), message });
    };
    if bare(spec) {
        return causes;
    }
    let policy = &spec["ipFamilyPolicy"];
    if policy.str() == "RequireDualStack" {
        let why = "this cluster is not configured for dual-stack services";
        add("spec.ipFamilyPolicy".to_owned(), policy, why);
    }
    for (i, family) in spec["ipFamilies"].items().iter().enumerate() {
        if family.str() != "IPv4" {
            add(format!("spec.ipFamilies[{i}]"), family, "not configured on this cluster");
        }
    }
    causes
}

fn address(w: &World, svc: &mut Value) -> Result<(), Status> {
    let wanted = svc["spec"]["clusterIP"].to_str();
    if wanted == "None" {
        return Ok(());
    }
    let n = if wanted.is_empty() {
        free_address(w, &owner(svc))
    } else {
        let fail = |why: String| {
            let text =
                format!("Invalid value: [\"{wanted}\"]: failed to allocate IP {wanted}: {why}");
            invalid(svc, "spec.clusterIPs", text)
        };
        let n = offset(&wanted).filter(|n| *n != 0 && *n != 65_535).ok_or_else(|| {
            fail(format!(
                "the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {RANGE}"
            ))
        })?;
        if w.net.cluster_ips.contains_key(&n) {
            return Err(fail("provided IP is already allocated".into()));
        }
        n
    };
    let ip: Str = format!("10.96.{}.{}", n / 256, n % 256).into();
    let spec = svc.entry("spec");
    spec.set("clusterIP", &ip);
    spec.set("clusterIPs", [Value::from(&ip)]);
    Ok(())
}

/// A free address, drawn from the seed and the Service's name; the first 256 are for those
/// that ask for theirs.
fn free_address(w: &World, owner: &str) -> u32 {
    let mut stream = Stream::new(w.config.seed, &["cluster-ip", owner]);
    loop {
        let n = stream.range(256, 65_534) as u32;
        if !w.net.cluster_ips.contains_key(&n) || w.net.cluster_ips.len() > 65_000 {
            return n;
        }
    }
}

fn node_ports(w: &World, svc: &mut Value, before: &Value) -> Result<(), Status> {
    let mut ports = svc["spec"]["ports"].items().to_vec();
    let mut stream = Stream::new(w.config.seed, &["node-port", &owner(svc)]);
    let own: Vec<i64> = before["ports"].items().iter().map(|p| p["nodePort"].int_or(0)).collect();
    let mut used: Vec<i64> = ports.iter().map(|p| p["nodePort"].int_or(0)).collect();
    for (i, port) in ports.iter_mut().enumerate() {
        let wanted = port["nodePort"].int_or(0);
        if wanted == 0 {
            let mut n = 0;
            // a range that is used up repeats itself
            for _ in 0..NODE_PORTS.1 * 8 {
                n = NODE_PORTS.0 + stream.range(0, NODE_PORTS.1 - 1) as i64;
                if !w.net.node_ports.contains_key(&n) && !used.contains(&n) {
                    break;
                }
            }
            used.push(n);
            port.set("nodePort", n);
            continue;
        }
        let why = if !(NODE_PORTS.0..NODE_PORTS.0 + NODE_PORTS.1 as i64).contains(&wanted) {
            "provided port is not in the valid range. The range of valid ports is 30000-32767"
        } else if w.net.node_ports.contains_key(&wanted) && !own.contains(&wanted) {
            "provided port is already allocated"
        } else {
            continue;
        };
        let text = format!("Invalid value: {wanted}: {why}");
        return Err(invalid(svc, format!("spec.ports[{i}].nodePort"), text));
    }
    if has_health_port(&svc["spec"]) && svc["spec"]["healthCheckNodePort"].int_or(0) == 0 {
        let n = NODE_PORTS.0 + stream.range(0, NODE_PORTS.1 - 1) as i64;
        svc.entry("spec").set("healthCheckNodePort", n);
    }
    svc.entry("spec").set("ports", ports);
    Ok(())
}

/// What the new type has no use for goes, if the request did not change it.
fn wipe(spec: &mut Value, before: &Value) {
    let lost = |has: fn(&Value) -> bool| has(before) && !has(spec);
    let mut gone: Vec<&'static str> = Vec::new();
    if lost(has_address) {
        gone.extend(["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]);
        gone.push("internalTrafficPolicy");
    }
    if lost(balanced) {
        gone.extend(["allocateLoadBalancerNodePorts", "loadBalancerClass"]);
    }
    if lost(has_health_port) {
        gone.push("healthCheckNodePort");
    }
    if lost(outside) {
        gone.push("externalTrafficPolicy");
    }
    let numbers = |s: &Value| -> Vec<i64> {
        s["ports"].items().iter().map(|p| p["nodePort"].int_or(0)).collect()
    };
    if lost(has_node_ports) && numbers(spec) == numbers(before) {
        let mut ports = spec["ports"].items().to_vec();
        for p in &mut ports {
            p.remove("nodePort");
        }
        spec.set("ports", ports);
    }
    for key in gone {
        if spec[key] == before[key] {
            spec.remove(key);
        }
    }
}

/// Takes the addresses of an accepted Service, gives those of its old version back that it
/// has no more. Without a new version the Service is gone.
pub fn reserve(w: &mut World, svc: Option<&Value>, old: Option<&Value>) {
    if let Some(old) = old {
        if let Some(n) = offset(old["spec"]["clusterIP"].str()) {
            w.net.cluster_ips.remove(&n);
        }
        for port in old["spec"]["ports"].items() {
            w.net.node_ports.remove(&port["nodePort"].int_or(0));
        }
    }
    if let Some(svc) = svc {
        let owner = owner(svc);
        if let Some(n) = offset(svc["spec"]["clusterIP"].str()) {
            w.net.cluster_ips.insert(n, owner.clone());
        }
        let ports = svc["spec"]["ports"].items().iter().map(|p| p["nodePort"].int_or(0));
        for n in ports.filter(|n| *n != 0) {
            w.net.node_ports.insert(n, owner.clone());
        }
    }
}
