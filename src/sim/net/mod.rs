//! Addresses of Services, DNS as CoreDNS answers it, the resolver of pods, and connections
//! (behaviour/services-and-dns.md).

pub mod connect;
pub mod dns;
pub mod resolver;
mod service_ip;

#[cfg(test)]
mod tests;

use crate::collections::BTreeMap;
use std::rc::Rc;

pub use connect::{ConnectError, connect};
pub use service_ip::{complete, reserve};

use crate::api::{Key, Kind, Obj};
use crate::config::Delay;
use crate::log::{ChangeType, What};
use crate::queue::Comp;
use crate::value;
use crate::value::{Str, Value, text};
use crate::world::World;

/// Addresses and caches.
#[derive(Clone, Default)]
pub struct State {
    /// Cluster IPs in use, as the last two numbers.
    pub(crate) cluster_ips: BTreeMap<u32, Str>,
    /// Node ports in use.
    pub(crate) node_ports: BTreeMap<i64, Str>,
    /// What CoreDNS remembers, where it caches.
    pub(crate) cache: dns::Cache,
    /// The address that a client pod (by uid) found first and kept.
    remembered: BTreeMap<Str, Str>,
    questions: u64,
}

impl State {
    /// The address that a client pod keeps.
    pub fn remembered(&self, uid: &str) -> Option<&Str> {
        self.remembered.get(uid)
    }
}

/// A client that is gone remembers nothing.
pub fn on_change(w: &mut World, change: ChangeType, _old: Option<&Obj>, new: &Obj) {
    if new.kind == Kind::Pod && change == ChangeType::Deleted {
        w.net.remembered.remove(&new.uid());
    }
}

/// Networking sets no timers of its own.
pub fn timer(_w: &mut World, _key: &Key, _uid: &Str, _what: &'static str, _n: u64) {}

/// Has a client look a name up: the question and its answer go into the log, so that they can
/// be seen travelling. The answer is what DNS says now; it is back after the DNS delay.
pub fn lookup(w: &mut World, client: &Key, name: &str) -> resolver::Lookup {
    w.net.questions += 1;
    let number = w.net.questions.to_string();
    let found = resolver::resolve(w, client, name);
    let until = w.now + w.delay(Delay::Dns, &[&client.name, &number]);
    let answer: Rc<[Str]> = found.addresses.clone().into();
    if let (Some(first), Some(pod)) = (answer.first().cloned(), w.store.by_key(client)) {
        let uid = pod.uid();
        w.net.remembered.entry(uid).or_insert(first);
    }
    w.acting(Comp::Net, "dns.lookup", |w| {
        w.record(What::Lookup { client: client.clone(), name: text(name), answer, until })
    });
    found
}

/// Has a client open a connection; it goes into the log like a lookup.
///
/// # Errors
/// Nobody answers, or the port is closed.
pub fn request(w: &mut World, client: &Key, ip: &str, port: i64) -> Result<Key, ConnectError> {
    w.net.questions += 1;
    let number = w.net.questions.to_string();
    let result = connect(w, client, ip, port);
    let until = w.now + w.delay(Delay::Connect, &[&client.name, &number]);
    w.acting(Comp::Net, "net.connect", |w| {
        w.record(What::Connect {
            client: client.clone(),
            ip: text(ip),
            server: result.as_ref().ok().cloned(),
            until,
        })
    });
    result
}

/// A client pod for lookups, made through the API as `kubectl run` makes one.
pub fn client_pod(name: &str) -> Value {
    value!({
        "metadata": {"labels": {"run": (text(name))}, "name": (text(name)), "namespace": "default"},
        "spec": {
            "containers": [{
                "command": ["sleep", "86400"], "image": "busybox:1.28", "name": (text(name))
            }],
            "restartPolicy": "Never"
        }
    })
}

fn client(w: &mut World, name: &str) -> Key {
    let key = Key::new(Kind::Pod, "default", text(name));
    if w.store.by_key(&key).is_none() {
        // a name that is no pod name is refused, and the lookup finds no client
        let _ = w.create(Kind::Pod, client_pod(name), crate::apiserver::WriteOptions::default());
    }
    key
}

/// A person has a client pod look a name up and use what it found.
pub fn act_lookup(w: &mut World, client_name: &str, name: &str) {
    w.user_act(format!("kubectl exec {client_name} -- nslookup {name}"), |w| {
        let key = client(w, client_name);
        let found = lookup(w, &key, name);
        if let Some(ip) = found.addresses.first() {
            let _ = request(w, &key, ip, 80);
        }
    });
}

/// A person has a client pod connect to the address that it remembers from its first lookup.
pub fn act_remembered(w: &mut World, client_name: &str) {
    let key = client(w, client_name);
    let uid = w.store.by_key(&key).map(|p| p.uid()).unwrap_or_default();
    let Some(ip) = w.net.remembered.get(&uid).cloned() else { return };
    w.user_act(format!("kubectl exec {client_name} -- wget -qO- -T 2 http://{ip}/"), |w| {
        let _ = request(w, &key, &ip, 80);
    });
}
