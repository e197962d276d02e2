//! Connections: pod addresses, and the virtual addresses that kube-proxy spreads
//! (behaviour/services-and-dns.md 8).

use super::dns;
use crate::api::{Key, Kind, Obj, Phase};
use crate::rng::Stream;
use crate::value::Value;
use crate::world::World;

/// Why nobody answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectError {
    /// The other side says no: the port is closed, or the Service has no ready endpoint.
    Refused,
    /// Silence: no pod has this address (any more), its node is down, a Service has no such port,
    /// or none of its endpoints is on this node and its traffic stays there.
    Timeout,
}

/// Who answers at that address and port.
///
/// # Errors
/// Nobody.
pub fn connect(w: &World, client: &Key, ip: &str, port: i64) -> Result<Key, ConnectError> {
    if ip.starts_with("127.") {
        return pod_at(w, client, port);
    }
    match entry(w, ip, port) {
        Entry::Service(service, wanted) => {
            let inside = service.spec()["clusterIP"].str() == ip;
            through_service(w, client, service, wanted, inside)
        }
        Entry::Closed(why) => Err(why),
        Entry::Other => at(w, ip, port),
    }
}

/// Where an address and a port lead to before a pod is chosen.
pub enum Entry<'a> {
    /// A Service, by its virtual address or a node's port, and its own port.
    Service(&'a Obj, &'a Value),
    /// Such an address, but nothing behind that port.
    Closed(ConnectError),
    /// No address of kube-proxy's.
    Other,
}

/// Whose address and port that are.
pub fn entry<'a>(w: &'a World, ip: &str, port: i64) -> Entry<'a> {
    let service = w.store.all(Kind::Service).find(|s| s.spec()["clusterIP"].str() == ip);
    if let Some(service) = service {
        let mut ports = service.spec()["ports"].items().iter();
        return match ports.find(|p| p["port"].int_or(0) == port) {
            Some(wanted) => Entry::Service(service, wanted),
            None => Entry::Closed(ConnectError::Timeout),
        };
    }
    let at = |n: &&Obj| n.status()["addresses"].items().iter().any(|a| a["address"].str() == ip);
    let Some(node) = w.store.all(Kind::Node).find(at) else { return Entry::Other };
    if w.kubelet.is_down(&node.name()) {
        return Entry::Closed(ConnectError::Timeout);
    }
    // kube-proxy listens for node ports on every node
    let listening = w
        .store
        .all(Kind::Service)
        .flat_map(|s| s.spec()["ports"].items().iter().map(move |p| (s, p)))
        .find(|(_, p)| port > 0 && p["nodePort"].as_int() == Some(port));
    match listening {
        Some((service, wanted)) => Entry::Service(service, wanted),
        // pods on their node's network have its address
        None if w.store.all(Kind::Pod).any(|p| p.pod().ip == ip) => Entry::Other,
        None => Entry::Closed(ConnectError::Refused),
    }
}

/// Who answers at a pod's address.
fn at(w: &World, ip: &str, port: i64) -> Result<Key, ConnectError> {
    let pod = w
        .store
        .all(Kind::Pod)
        .find(|p| p.pod().ip == ip && !matches!(p.pod().phase, Phase::Succeeded | Phase::Failed));
    match pod {
        Some(pod) => pod_at(w, &pod.key(), port),
        None => Err(ConnectError::Timeout),
    }
}

fn pod_at(w: &World, pod: &Key, port: i64) -> Result<Key, ConnectError> {
    let Some(object) = w.store.by_key(pod) else { return Err(ConnectError::Timeout) };
    if w.kubelet.is_down(&object.pod().node) {
        return Err(ConnectError::Timeout);
    }
    match crate::workload::listener(w, pod, port) {
        Some(_) => Ok(pod.clone()),
        None => Err(ConnectError::Refused),
    }
}

/// The pod behind a Service's port.
fn through_service(
    w: &World,
    client: &Key,
    svc: &Obj,
    wanted: &Value,
    inside: bool,
) -> Result<Key, ConnectError> {
    let port = wanted["port"].int_or(0);
    let mut all = dns::endpoints(w, &svc.name(), &svc.ns());
    if all.iter().any(|e| e.ready || e.serving)
        && inside
        && svc.spec()["internalTrafficPolicy"].str() == "Local"
    {
        let node = |pod: &Key| w.store.by_key(pod).map(|p| p.pod().node.clone());
        let here = node(client);
        all.retain(|e| (e.ready || e.serving) && node(&e.pod) == here);
        // packets that may not leave the node are dropped
        if all.is_empty() {
            return Err(ConnectError::Timeout);
        }
    }
    let ready: Vec<_> = all.iter().filter(|e| e.ready).collect();
    // with no ready endpoint, those that end but still serve are used
    let usable = if ready.is_empty() { all.iter().filter(|e| e.serving).collect() } else { ready };
    if usable.is_empty() {
        return Err(ConnectError::Refused);
    }
    // with `sessionAffinity: ClientIP` a client stays where it came first
    let number = match svc.spec()["sessionAffinity"].str() {
        "ClientIP" => 0,
        _ => w.net.questions,
    };
    let label = [&*client.name, &number.to_string(), &svc.name()].map(str::to_owned);
    let mut stream = Stream::new(w.config.seed, &["proxy", &label[0], &label[1], &label[2]]);
    let chosen = usable[stream.range(0, usable.len() as u64 - 1) as usize];
    let same = |p: &&Value| p["name"].str() == wanted["name"].str();
    let target = chosen.ports.items().iter().find(same).and_then(|p| p["port"].as_int());
    let port = target.unwrap_or(port);
    if chosen.pod.name.is_empty() {
        // a slice that somebody wrote: its addresses may be a pod's or nobody's
        return at(w, &chosen.ip, port);
    }
    pod_at(w, &chosen.pod, port)
}
