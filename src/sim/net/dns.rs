//! DNS as CoreDNS' kubernetes plugin answers it (behaviour/services-and-dns.md 3 and 4).

use crate::collections::BTreeMap;

use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj};
use crate::controllers::endpoints::SERVICE_NAME;
use crate::net::resolver::SERVER;
use crate::rng::Stream;
use crate::value::{Str, Value, text};
use crate::world::World;

/// The cluster's domain.
pub const ZONE: &str = "cluster.local";
/// Seconds that a record may be kept (kubeadm's Corefile).
pub const TTL: u32 = 30;

/// Type of a question or a record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Type {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Service: priority, weight, port, target.
    Srv,
    /// Name of an address.
    Ptr,
    /// Alias.
    Cname,
    /// Text.
    Txt,
    /// Start of authority.
    Soa,
    /// Server of a zone.
    Ns,
}

/// Outcome of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rcode {
    /// The name exists; there may be no record of the type asked for (NODATA).
    NoError,
    /// No such name.
    NxDomain,
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rr {
    /// Owner name, absolute, without the last dot.
    pub name: Str,
    /// Its type.
    pub rtype: Type,
    /// Seconds to keep it.
    pub ttl: u32,
    /// `10.244.1.6`, `0 50 80 web-0.nginx.default.svc.cluster.local`, …
    pub data: Str,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Outcome.
    pub rcode: Rcode,
    /// Answer section.
    pub records: Vec<Rr>,
    /// Additional section (addresses of SRV targets).
    pub additional: Vec<Rr>,
    /// The AA bit: false if it came from a cache or from another server.
    pub authoritative: bool,
    /// The RA bit: the answer of a resolver outside the cluster.
    pub recursive: bool,
}

impl Answer {
    fn none(rcode: Rcode) -> Self {
        Self {
            rcode,
            records: Vec::new(),
            additional: Vec::new(),
            authoritative: true,
            recursive: false,
        }
    }

    /// What the resolvers outside know of any name: this cluster has no way out.
    fn upstream() -> Self {
        Self { authoritative: false, recursive: true, ..Self::none(Rcode::NxDomain) }
    }

    fn of(records: Vec<Rr>) -> Self {
        Self { records, ..Self::none(Rcode::NoError) }
    }

    /// Addresses among the records, in the order given.
    pub fn addresses(&self) -> impl Iterator<Item = &Str> {
        self.records.iter().filter(|r| matches!(r.rtype, Type::A | Type::Aaaa)).map(|r| &r.data)
    }
}

/// What CoreDNS remembers: question to answer and when it was given.
pub type Cache = BTreeMap<(Str, Type), (u64, Answer)>;

/// Asks a server: the cluster's, or another, which knows nothing of it.
pub fn ask(w: &mut World, server: &str, name: &str, rtype: Type) -> Answer {
    if server == SERVER { query(w, name, rtype) } else { Answer::upstream() }
}

/// Answers a question, from CoreDNS' cache where the cluster is configured so.
pub fn query(w: &mut World, name: &str, rtype: Type) -> Answer {
    let name: Str = name.trim_end_matches('.').to_ascii_lowercase().into();
    let keep = u64::from(w.config.dns_cache.min(TTL)) * SECOND;
    let id = (name.clone(), rtype);
    if keep > 0
        && let Some((at, answer)) = w.net.cache.get(&id)
        && w.now < at + keep
    {
        let age = ((w.now - at) / SECOND) as u32;
        let mut answer = Answer { authoritative: false, ..answer.clone() };
        for record in answer.records.iter_mut().chain(&mut answer.additional) {
            record.ttl = record.ttl.saturating_sub(age);
        }
        return shuffled(w, &name, answer);
    }
    let answer = live(w, &name, rtype);
    if keep > 0 {
        w.net.cache.insert(id, (w.now, answer.clone()));
    }
    shuffled(w, &name, answer)
}

/// The `loadbalance` plugin: addresses come in another order at each question, after the alias
/// that leads to them.
fn shuffled(w: &mut World, name: &str, mut answer: Answer) -> Answer {
    w.net.questions += 1;
    let mut stream = Stream::new(w.config.seed, &["dns", name, &w.net.questions.to_string()]);
    for i in (1..answer.records.len()).rev() {
        let j = stream.range(0, i as u64) as usize;
        answer.records.swap(i, j);
    }
    answer.records.sort_by_key(|r| r.rtype != Type::Cname);
    answer
}

/// Answers from the objects as they are now.
pub fn live(w: &World, name: &str, rtype: Type) -> Answer {
    if let Some(rest) = name.strip_suffix(".in-addr.arpa") {
        return reverse(w, name, rest, rtype);
    }
    if name == ZONE {
        return apex(rtype);
    }
    let Some(inside) = name.strip_suffix(".cluster.local") else { return Answer::upstream() };
    let labels: Vec<&str> = inside.split('.').collect();
    match labels.as_slice() {
        ["dns-version"] => {
            let txt =
                Rr { name: text(name), rtype: Type::Txt, ttl: 28_800, data: "\"1.1.0\"".into() };
            Answer::of(if rtype == Type::Txt { vec![txt] } else { Vec::new() })
        }
        ["ns", "dns"] => addresses(name, &[Str::Lit(SERVER)], rtype),
        ["svc" | "pod"] => Answer::none(Rcode::NoError),
        [ns, "svc" | "pod"] => Answer::none(namespace(w, ns)),
        [ip, ns, "pod"] => pod_address(w, name, ip, ns, rtype),
        [svc, ns, "svc"] => service(w, name, svc, ns, rtype),
        [port, protocol, svc, ns, "svc"] if port.starts_with('_') && protocol.starts_with('_') => {
            let filter = (&port[1..], &protocol[1..]);
            srv(w, name, svc, ns, Some(filter), rtype)
        }
        [host, svc, ns, "svc"] => endpoint(w, name, host, svc, ns, rtype),
        _ => Answer::none(Rcode::NxDomain),
    }
}

/// The server of the zone.
const NAME_SERVER: &str = "ns.dns.cluster.local";

/// The zone's record of authority.
pub fn soa() -> Rr {
    let serial = crate::api::time::EPOCH;
    let data = format!("{NAME_SERVER}. hostmaster.{ZONE}. {serial} 7200 1800 86400 {TTL}");
    Rr { name: Str::Lit(ZONE), rtype: Type::Soa, ttl: TTL, data: data.into() }
}

/// The zone itself.
fn apex(rtype: Type) -> Answer {
    match rtype {
        Type::Soa => Answer::of(vec![soa()]),
        Type::Ns => {
            let data = Str::Lit(NAME_SERVER);
            let ns = Rr { name: Str::Lit(ZONE), rtype, ttl: TTL, data };
            Answer { additional: vec![a(NAME_SERVER, SERVER)], ..Answer::of(vec![ns]) }
        }
        _ => Answer::none(Rcode::NoError),
    }
}

fn namespace(w: &World, ns: &str) -> Rcode {
    match w.store.get(Kind::Namespace, "", ns) {
        Some(_) => Rcode::NoError,
        None => Rcode::NxDomain,
    }
}

fn a(name: &str, ip: &str) -> Rr {
    Rr { name: text(name), rtype: Type::A, ttl: TTL, data: text(ip) }
}

/// Records of the type asked for out of addresses: none for AAAA in an IPv4 cluster.
fn addresses(name: &str, ips: &[Str], rtype: Type) -> Answer {
    match rtype {
        Type::A => Answer::of(ips.iter().map(|ip| a(name, ip)).collect()),
        _ => Answer::none(Rcode::NoError),
    }
}

fn pod_address(w: &World, name: &str, ip: &str, ns: &str, rtype: Type) -> Answer {
    let ip = ip.replace('-', ".");
    let numbers = ip.split('.').filter(|n| n.parse::<u8>().is_ok()).count();
    if numbers != 4 || namespace(w, ns) == Rcode::NxDomain {
        return Answer::none(Rcode::NxDomain);
    }
    addresses(name, &[ip.into()], rtype)
}

/// A ready endpoint of a Service.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Address.
    pub ip: Str,
    /// Host name, or the address with dashes.
    pub host: Str,
    /// The pod.
    pub pod: Key,
    /// Ports as its slice gives them.
    pub ports: Value,
    /// Ready, serving, terminating.
    pub ready: bool,
    /// Still answers.
    pub serving: bool,
}

/// All endpoints of a Service, ready or not.
pub fn endpoints(w: &World, svc: &str, ns: &str) -> Vec<Endpoint> {
    let ns = text(ns);
    let mut found = Vec::new();
    for slice in
        w.store.list(Kind::EndpointSlice, &ns).filter(|s| s.label(SERVICE_NAME) == Some(svc))
    {
        for e in slice.value["endpoints"].items() {
            let Some(ip) = e["addresses"][0].as_str() else { continue };
            let host = match e["hostname"].as_str() {
                Some(h) if !h.is_empty() => text(h),
                _ => ip.replace('.', "-").into(),
            };
            // a missing condition counts as ready, as for slices that users write
            let ready = e["conditions"]["ready"].as_bool().unwrap_or(true);
            found.push(Endpoint {
                ip: text(ip),
                host,
                pod: Key::new(Kind::Pod, ns.clone(), e["targetRef"]["name"].to_str()),
                ports: slice.value["ports"].clone(),
                ready,
                serving: e["conditions"]["serving"].as_bool().unwrap_or(ready),
            });
        }
    }
    found
}

fn find<'a>(w: &'a World, svc: &str, ns: &str) -> Option<&'a Obj> {
    w.store.get(Kind::Service, ns, svc)
}

fn headless(svc: &Obj) -> bool {
    svc.spec()["clusterIP"].str() == "None"
}

fn service(w: &World, name: &str, svc: &str, ns: &str, rtype: Type) -> Answer {
    let Some(object) = find(w, svc, ns) else { return Answer::none(Rcode::NxDomain) };
    if object.spec()["type"].str() == "ExternalName" {
        let target = object.spec()["externalName"].to_str();
        let cname = Rr { name: text(name), rtype: Type::Cname, ttl: TTL, data: target.clone() };
        let mut answer = Answer::of(vec![cname]);
        if rtype != Type::Cname && target.ends_with(ZONE) {
            answer.records.extend(live(w, &target, rtype).records);
        }
        return answer;
    }
    if rtype == Type::Srv {
        return srv(w, name, svc, ns, None, rtype);
    }
    if !headless(object) {
        return addresses(name, &[object.spec()["clusterIP"].to_str()], rtype);
    }
    let ready: Vec<Str> =
        endpoints(w, svc, ns).into_iter().filter(|e| e.ready).map(|e| e.ip).collect();
    if ready.is_empty() {
        return Answer::none(Rcode::NxDomain);
    }
    addresses(name, &ready, rtype)
}

fn endpoint(w: &World, name: &str, host: &str, svc: &str, ns: &str, rtype: Type) -> Answer {
    if find(w, svc, ns).is_none() {
        return Answer::none(Rcode::NxDomain);
    }
    let ips: Vec<Str> = endpoints(w, svc, ns)
        .into_iter()
        .filter(|e| e.ready && e.host == host)
        .map(|e| e.ip)
        .collect();
    if ips.is_empty() {
        return Answer::none(Rcode::NxDomain);
    }
    addresses(name, &ips, rtype)
}

fn srv(
    w: &World,
    name: &str,
    svc: &str,
    ns: &str,
    filter: Option<(&str, &str)>,
    rtype: Type,
) -> Answer {
    let Some(object) = find(w, svc, ns) else { return Answer::none(Rcode::NxDomain) };
    let fits = |p: &Value| {
        filter.is_none_or(|(port, protocol)| {
            p["name"].str() == port
                && p["protocol"].as_str().unwrap_or("TCP").eq_ignore_ascii_case(protocol)
        })
    };
    let base = format!("{svc}.{ns}.svc.{ZONE}");
    let mut targets: Vec<(i64, String, Str)> = Vec::new();
    let mut exists = false;
    if headless(object) {
        for e in endpoints(w, svc, ns).iter().filter(|e| e.ready) {
            // without ports the name is there, and has addresses only
            exists |= filter.is_none();
            for p in e.ports.items().iter().filter(|p| fits(p)) {
                targets.push((p["port"].int_or(0), format!("{}.{base}", e.host), e.ip.clone()));
            }
        }
    } else {
        for p in object.spec()["ports"].items().iter().filter(|p| fits(p)) {
            let ip = object.spec()["clusterIP"].to_str();
            targets.push((p["port"].int_or(0), base.clone(), ip));
        }
    }
    if targets.is_empty() {
        return Answer::none(if exists { Rcode::NoError } else { Rcode::NxDomain });
    }
    if rtype != Type::Srv {
        let ips: Vec<Str> = targets.into_iter().map(|(.., ip)| ip).collect();
        return addresses(name, &ips, rtype);
    }
    let weight = (100 / targets.len()).max(1);
    let mut answer = Answer::none(Rcode::NoError);
    for (port, target, ip) in targets {
        answer.additional.push(a(&target, &ip));
        answer.records.push(Rr {
            name: text(name),
            rtype: Type::Srv,
            ttl: TTL,
            data: format!("0 {weight} {port} {target}").into(),
        });
    }
    answer
}

fn reverse(w: &World, name: &str, backwards: &str, rtype: Type) -> Answer {
    let parts: Vec<&str> = backwards.rsplit('.').collect();
    let ip = parts.join(".");
    let names = names_of(w, &ip);
    if names.is_empty() {
        return Answer::upstream();
    }
    let records = names
        .into_iter()
        .map(|n| Rr { name: text(name), rtype: Type::Ptr, ttl: TTL, data: n.into() })
        .collect();
    if rtype == Type::Ptr { Answer::of(records) } else { Answer::none(Rcode::NoError) }
}

/// Names under which an address is known: its Service, or one for each Service whose ready
/// endpoint it is.
pub fn names_of(w: &World, ip: &str) -> Vec<String> {
    let mut names = Vec::new();
    for svc in w.store.all(Kind::Service) {
        let base = format!("{}.{}.svc.{ZONE}", svc.name(), svc.ns());
        if svc.spec()["clusterIP"].str() == ip {
            names.push(base);
            continue;
        }
        for e in endpoints(w, &svc.name(), &svc.ns()) {
            if e.ip == ip && e.ready {
                names.push(format!("{}.{base}", e.host));
            }
        }
    }
    names
}
