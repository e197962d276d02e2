//! Cluster IPs and node ports of Services (behaviour/validation.md 6).

use crate::api::Kind;
use crate::apiserver::error::{Cause, Status};
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

fn invalid(svc: &Value, field: &'static str, message: String) -> Status {
    let cause = Cause { field: field.into(), message: message.into() };
    Status::invalid(Kind::Service, svc["metadata"]["name"].str(), vec![cause])
}

/// Gives a new Service its cluster IP and node ports.
///
/// # Errors
/// 422 if a wanted address or port is taken or out of range.
pub fn allocate_service(w: &mut World, svc: &mut Value, dry_run: bool) -> Result<(), Status> {
    let kind = svc["spec"]["type"].to_str();
    if kind == "ExternalName" {
        return Ok(());
    }
    let owner: Str =
        format!("{}/{}", svc["metadata"]["namespace"].str(), svc["metadata"]["name"].str()).into();
    let wanted = svc["spec"]["clusterIP"].to_str();
    if wanted != "None" {
        let n = if wanted.is_empty() {
            free_address(w, &owner)
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
        if !dry_run {
            w.net.cluster_ips.insert(n, owner.clone());
        }
    }
    if kind == "NodePort" || kind == "LoadBalancer" {
        node_ports(w, svc, &owner, dry_run)?;
    }
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

fn node_ports(w: &mut World, svc: &mut Value, owner: &Str, dry_run: bool) -> Result<(), Status> {
    let mut ports = svc["spec"]["ports"].items().to_vec();
    let mut stream = Stream::new(w.config.seed, &["node-port", owner]);
    for (i, port) in ports.iter_mut().enumerate() {
        let wanted = port["nodePort"].int_or(0);
        let n = if wanted == 0 {
            let mut n = NODE_PORTS.0 + stream.range(0, NODE_PORTS.1 - 1) as i64;
            while w.net.node_ports.contains_key(&n) {
                n = NODE_PORTS.0 + stream.range(0, NODE_PORTS.1 - 1) as i64;
            }
            n
        } else {
            let fail = |why: &str| {
                let cause = Cause {
                    field: format!("spec.ports[{i}].nodePort").into(),
                    message: format!("Invalid value: {wanted}: {why}").into(),
                };
                Status::invalid(Kind::Service, svc["metadata"]["name"].str(), vec![cause])
            };
            if !(NODE_PORTS.0..NODE_PORTS.0 + NODE_PORTS.1 as i64).contains(&wanted) {
                return Err(fail(
                    "provided port is not in the valid range. The range of valid ports is 30000-32767",
                ));
            }
            if w.net.node_ports.contains_key(&wanted) {
                return Err(fail("provided port is already allocated"));
            }
            wanted
        };
        port.set("nodePort", n);
        if !dry_run {
            w.net.node_ports.insert(n, owner.clone());
        }
    }
    svc.entry("spec").set("ports", ports);
    Ok(())
}

/// Gives a removed Service's addresses back.
pub fn release_service(w: &mut World, svc: &Value) {
    if let Some(n) = offset(svc["spec"]["clusterIP"].str()) {
        w.net.cluster_ips.remove(&n);
    }
    for port in svc["spec"]["ports"].items() {
        w.net.node_ports.remove(&port["nodePort"].int_or(0));
    }
}
