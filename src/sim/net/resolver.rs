//! The resolver inside a pod: /etc/resolv.conf, search list, /etc/hosts
//! (behaviour/services-and-dns.md 5).

use std::fmt::Write as _;

use super::dns::{self, Rcode, Type};
use crate::api::{Key, Obj};
use crate::value::{Str, Value};
use crate::world::World;

/// Address of the cluster's DNS server.
pub const SERVER: &str = "10.96.0.10";

/// How a lookup went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lookup {
    /// Names asked for, in order, with their outcomes; `true`: there was an address.
    pub tried: Vec<(Str, Rcode, bool)>,
    /// The name that had addresses.
    pub found: Option<Str>,
    /// Its addresses.
    pub addresses: Vec<Str>,
}

/// Whose settings a pod's resolver has besides its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settings {
    Cluster,
    Node,
    Nobody,
}

fn settings(pod: &Obj) -> Settings {
    match pod.spec()["dnsPolicy"].str() {
        "None" => Settings::Nobody,
        "Default" => Settings::Node,
        "ClusterFirst" if on_host(pod) => Settings::Node,
        _ => Settings::Cluster,
    }
}

fn on_host(pod: &Obj) -> bool {
    pod.spec()["hostNetwork"].is_true()
}

/// The DNS servers of a pod. A node asks the first address of its network.
fn servers(pod: &Obj) -> Vec<Str> {
    let first = match settings(pod) {
        Settings::Cluster => Some(Str::Lit(SERVER)),
        Settings::Node => {
            let network = pod.status()["hostIP"].str().rsplit_once('.').map(|(network, _)| network);
            network.map(|network| format!("{network}.1").into())
        }
        Settings::Nobody => None,
    };
    let own = pod.spec()["dnsConfig"]["nameservers"].items();
    first.into_iter().chain(own.iter().map(Value::to_str)).collect()
}

/// The DNS server that a pod asks.
pub fn server(pod: &Obj) -> Str {
    servers(pod).into_iter().next().unwrap_or(Str::Lit("127.0.0.1"))
}

/// The search list of a pod.
pub fn search(pod: &Obj) -> Vec<String> {
    let own: Vec<String> =
        pod.spec()["dnsConfig"]["searches"].items().iter().map(|s| s.str().to_owned()).collect();
    if settings(pod) != Settings::Cluster {
        return own;
    }
    let ns = pod.ns();
    let mut list =
        vec![format!("{ns}.svc.{}", dns::ZONE), format!("svc.{}", dns::ZONE), dns::ZONE.to_owned()];
    list.extend(own);
    list
}

/// `ndots` of a pod: 5 unless it says otherwise.
pub fn ndots(pod: &Obj) -> usize {
    // without the cluster's options it is what the C library takes
    let default = if settings(pod) == Settings::Cluster { 5 } else { 1 };
    pod.spec()["dnsConfig"]["options"]
        .items()
        .iter()
        .find(|o| o["name"].str() == "ndots")
        .and_then(|o| o["value"].str().parse().ok())
        .unwrap_or(default)
}

/// `/etc/resolv.conf` of a pod.
pub fn resolv_conf(pod: &Obj) -> String {
    let mut text = String::new();
    let search = search(pod);
    if !search.is_empty() {
        let _ = writeln!(text, "search {}", search.join(" "));
    }
    for server in servers(pod) {
        let _ = writeln!(text, "nameserver {server}");
    }
    let options = options(pod);
    if !options.is_empty() {
        let _ = writeln!(text, "options {}", options.join(" "));
    }
    text
}

/// The options of a pod: those of the cluster if it has them, and its own, which go before them.
fn options(pod: &Obj) -> Vec<String> {
    let named = |o: &Value| match o["value"].str() {
        "" => o["name"].str().to_owned(),
        value => format!("{}:{value}", o["name"].str()),
    };
    let own = pod.spec()["dnsConfig"]["options"].items();
    let mut all: Vec<String> = own.iter().map(named).collect();
    if settings(pod) == Settings::Cluster && !own.iter().any(|o| o["name"].str() == "ndots") {
        all.insert(0, format!("ndots:{}", ndots(pod)));
    }
    all
}

/// The pod's own absolute name, if it has a subdomain and is not its node's namesake.
pub fn fqdn(pod: &Obj) -> Option<String> {
    let (host, sub) = (short(pod), pod.spec()["subdomain"].str());
    (!sub.is_empty() && !on_host(pod))
        .then(|| format!("{host}.{sub}.{}.svc.{}", pod.ns(), dns::ZONE))
}

/// What `hostname` says in the pod.
pub fn hostname(pod: &Obj) -> Str {
    let whole = if pod.spec()["setHostnameAsFQDN"].is_true() { fqdn(pod) } else { None };
    whole.map_or_else(|| short(pod), Str::from)
}

/// The pod's host name without its domain; on its node's network it is the node's.
fn short(pod: &Obj) -> Str {
    if on_host(pod) && !pod.pod().node.is_empty() {
        return pod.pod().node.clone();
    }
    match pod.spec()["hostname"].as_str() {
        Some(h) if !h.is_empty() => pod.spec()["hostname"].to_str(),
        _ => pod.name(),
    }
}

/// What stands in `/etc/hosts` before the pod's own line.
const HOSTS: &str = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";
/// The same on the node's network.
const HOSTS_OF_NODE: &str = "# Kubernetes-managed hosts file (host network).\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

/// `/etc/hosts` of a pod.
pub fn hosts_file(pod: &Obj) -> String {
    let ip = pod.pod().ip.clone();
    let mut text = if on_host(pod) {
        format!("{HOSTS_OF_NODE}{ip}\t{}\n", short(pod))
    } else {
        let mut text = String::from(HOSTS);
        let host = short(pod);
        let _ = match fqdn(pod) {
            Some(name) => writeln!(text, "{ip}\t{name}\t{host}"),
            None => writeln!(text, "{ip}\t{host}"),
        };
        text
    };
    let aliases = pod.spec()["hostAliases"].items();
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
        for a in aliases {
            let names: Vec<&str> = a["hostnames"].items().iter().map(Value::str).collect();
            let _ = writeln!(text, "{}\t{}", a["ip"].str(), names.join("\t"));
        }
    }
    text
}

/// Looks a name up as the C library in the pod does: /etc/hosts, then the search list if the
/// name has fewer dots than `ndots`, then the name itself.
pub fn resolve(w: &mut World, client: &Key, name: &str) -> Lookup {
    let mut lookup = Lookup { tried: Vec::new(), found: None, addresses: Vec::new() };
    let Some(pod) = w.store.by_key(client).cloned() else { return lookup };
    if let Some(ip) = from_hosts(&pod, name) {
        lookup.found = Some(crate::value::text(name));
        lookup.addresses = vec![ip];
        return lookup;
    }
    let server = server(&pod);
    for candidate in candidates(&pod, name) {
        let answer = dns::ask(w, &server, &candidate, Type::A);
        let addresses: Vec<Str> = answer.addresses().cloned().collect();
        let candidate = Str::from(candidate);
        lookup.tried.push((candidate.clone(), answer.rcode, !addresses.is_empty()));
        if !addresses.is_empty() {
            lookup.found = Some(candidate);
            lookup.addresses = addresses;
            return lookup;
        }
    }
    lookup
}

/// Absolute names to try, in order.
pub fn candidates(pod: &Obj, name: &str) -> Vec<String> {
    if let Some(absolute) = name.strip_suffix('.') {
        return vec![absolute.to_owned()];
    }
    let expanded = search(pod).into_iter().map(|s| format!("{name}.{s}"));
    if name.matches('.').count() >= ndots(pod) {
        std::iter::once(name.to_owned()).chain(expanded).collect()
    } else {
        expanded.chain(std::iter::once(name.to_owned())).collect()
    }
}

fn from_hosts(pod: &Obj, name: &str) -> Option<Str> {
    hosts_file(pod).lines().filter(|l| !l.starts_with('#') && !l.contains("::")).find_map(|l| {
        let mut words = l.split('\t');
        let ip = words.next().filter(|ip| !ip.is_empty())?;
        words.any(|n| n == name).then(|| crate::value::text(ip))
    })
}
