//! The name board, the clients, the nodes and what travels between them.

use podium_sim::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use podium_sim::api::{Key, Kind, Obj};
use podium_sim::log::What;
use podium_sim::{Str, World};

use crate::director::Keep;
use crate::look::Look;
use crate::model::{Asked, Board, Client, NodeItem, Packet, PacketKind, Row};
use crate::pods;

/// Most lines of one service on the board.
const ROWS: usize = 12;
/// Log entries looked at for packets and clients.
const RECENT: u64 = 4000;

/// A service's part of the board for every Service but the cluster's own.
pub(crate) fn boards(w: &World, keep: &mut Keep) -> Vec<Rc<Board>> {
    let own = |s: &Obj| s.ns() == "kube-system" || s.name() == "kubernetes";
    w.store.all(Kind::Service).filter(|s| !own(s)).map(|s| keep.board(board(w, s))).collect()
}

/// Ready addresses of a Service's slices, with the host name of each and its pod.
fn endpoints(w: &World, service: &Obj) -> Vec<(Str, Str, Option<Key>)> {
    let (ns, name) = (service.ns(), service.name());
    let mut found = Vec::new();
    for slice in w.store.list(Kind::EndpointSlice, &ns) {
        if slice.label("kubernetes.io/service-name") != Some(name.as_str()) {
            continue;
        }
        for e in slice.value["endpoints"].items() {
            if e["conditions"]["ready"].as_bool() != Some(true) {
                continue;
            }
            let target = &e["targetRef"];
            let pod = (target["kind"].str() == "Pod").then(|| {
                Key::new(Kind::Pod, target["namespace"].to_str(), target["name"].to_str())
            });
            for address in e["addresses"].items() {
                found.push((address.to_str(), e["hostname"].to_str(), pod.clone()));
            }
        }
    }
    found
}

fn board(w: &World, service: &Obj) -> Board {
    let (ns, name) = (service.ns(), service.name());
    let headless = service.spec()["clusterIP"].str() == "None";
    let vip = if headless { Str::default() } else { service.spec()["clusterIP"].to_str() };
    let endpoints = endpoints(w, service);
    let backends: Vec<Str> = endpoints.iter().map(|(ip, ..)| ip.clone()).collect();
    // pods that exist or will exist and have names through this service
    let mut names: BTreeMap<(Str, i64), Key> = BTreeMap::new();
    for set in w.store.list(Kind::StatefulSet, &ns) {
        if set.spec()["serviceName"].str() == name.as_str() && !set.terminating() {
            let start = set.spec()["ordinals"]["start"].int_or(0);
            for n in start..start + set.spec()["replicas"].int_or(1).min(ROWS as i64 + 1) {
                names.insert(
                    (set.name(), n),
                    Key::new(Kind::Pod, ns.clone(), format!("{}-{n}", set.name())),
                );
            }
        }
    }
    for pod in w.store.list(Kind::Pod, &ns) {
        if pod.spec()["subdomain"].str() == name.as_str()
            && let Some((set, n)) = pod.numbered()
        {
            names.insert((podium_sim::value::text(set), n), pod.key());
        }
    }
    let whole = Row {
        name: name.clone(),
        ips: if headless { backends.clone() } else { vec![vip.clone()] },
        count: if headless { backends.len() } else { 1 },
        pod: None,
        tint: None,
        whole: true,
        dim: false,
    };
    let mut rows = vec![whole];
    let total = names.len();
    for ((_, n), pod) in names.into_iter().take(ROWS) {
        let ips: Vec<Str> = endpoints
            .iter()
            .filter(|(_, host, _)| *host == pod.name)
            .map(|(ip, ..)| ip.clone())
            .collect();
        rows.push(Row {
            name: format!("{}.{name}", pod.name).into(),
            count: ips.len(),
            ips,
            dim: w.store.by_key(&pod).is_none(),
            pod: Some(pod),
            tint: Some(n),
            whole: false,
        });
    }
    Board {
        key: service.key(),
        uid: service.uid(),
        headless,
        vip,
        backends,
        rows,
        more: total.saturating_sub(ROWS),
    }
}

/// Pods outside of workloads.
pub(crate) fn clients(look: &Look<'_>, keep: &mut Keep, packets: &Talk) -> Vec<Rc<Client>> {
    let w = look.w;
    let mut names = BTreeSet::new();
    for pod in w.store.all(Kind::Pod) {
        let facts = pod.pod();
        if !facts.owner.is_empty() {
            continue;
        }
        if facts.ordinal.is_none() || pod.label("statefulset.kubernetes.io/pod-name").is_none() {
            names.insert(pod.key());
        }
    }
    names
        .into_iter()
        .filter_map(|key| {
            let pod = w.store.by_key(&key)?;
            let card = keep.pod(pods::card(look, pod, ""));
            let asked = packets.last.get(&key).cloned();
            let remembers = packets.remembers.get(&key).cloned();
            Some(keep.client(Client { pod: card, asked, remembers }))
        })
        .collect()
}

/// What clients said, from the end of the log.
#[derive(Default)]
pub(crate) struct Talk {
    pub(crate) packets: Vec<Packet>,
    last: BTreeMap<Key, Asked>,
    remembers: BTreeMap<Key, (Str, Str)>,
    /// When the next answer of one under way comes: the scene changes then.
    pub(crate) next: Option<u64>,
}

/// Reads the lookups and connections from the end of the log.
pub(crate) fn talk(w: &World) -> Talk {
    let mut talk = Talk::default();
    let mut dials: Vec<(usize, Str)> = Vec::new();
    let mut answers: BTreeMap<Key, (u64, u64)> = BTreeMap::new();
    for (seq, record) in w.log.since(w.log.len().saturating_sub(RECENT)) {
        match &record.what {
            What::Lookup { client, name, answer, until } => {
                answers.insert(client.clone(), (record.at, *until));
                let back = *until <= w.now;
                let first: Str = answer.first().cloned().unwrap_or_default();
                let shown = if back { first.clone() } else { Str::default() };
                talk.last.insert(client.clone(), Asked::Name(name.clone(), shown, back));
                if !first.is_empty() && back {
                    talk.remembers.entry(client.clone()).or_insert((first.clone(), name.clone()));
                }
                if !back {
                    talk.next = Some(talk.next.map_or(*until, |n| n.min(*until)));
                    talk.packets.push(Packet {
                        seq,
                        kind: PacketKind::Lookup,
                        client: client.clone(),
                        to: None,
                        label: name.clone(),
                        from: record.at,
                        until: *until,
                        bad: first.is_empty(),
                    });
                }
            }
            What::Connect { client, ip, server, until } => {
                // the connection to an address just found begins when the answer is back
                let from = answers.get(client).copied().filter(|(at, _)| *at == record.at);
                let from = from.map_or(record.at, |(_, until)| until);
                let until = &(from + (until - record.at));
                if w.now < from {
                    talk.next = Some(talk.next.map_or(from, |n| n.min(from)));
                }
                let back = *until <= w.now;
                let asked =
                    Asked::Address(ip.clone(), server.as_ref().map(|s| s.name.clone()), back);
                talk.last.insert(client.clone(), asked);
                if !back {
                    talk.next = Some(talk.next.map_or(*until, |n| n.min(*until)));
                    if server.is_none() {
                        dials.push((talk.packets.len(), ip.clone()));
                    }
                    talk.packets.push(Packet {
                        seq,
                        kind: if server.is_some() { PacketKind::Request } else { PacketKind::Lost },
                        client: client.clone(),
                        to: server.clone(),
                        label: ip.clone(),
                        from,
                        until: *until,
                        bad: server.is_none(),
                    });
                }
            }
            What::Change { change: podium_sim::log::ChangeType::Deleted, new, .. }
                if new.kind == Kind::Pod =>
            {
                // a namesake does not know what its predecessor knew
                let key = new.key();
                talk.last.remove(&key);
                talk.remembers.remove(&key);
            }
            What::Change { .. } | What::Act(_) => {}
        }
    }
    for (i, ip) in dials {
        talk.packets[i].to = last_owner(w, &ip);
    }
    talk
}

/// The pod that had this address last.
fn last_owner(w: &World, ip: &str) -> Option<Key> {
    let len = w.log.len();
    (len.saturating_sub(RECENT)..len).rev().find_map(|seq| match &w.log.get(seq)?.what {
        What::Change { new, .. } if new.kind == Kind::Pod && new.pod().ip == *ip => Some(new.key()),
        _ => None,
    })
}

/// Most pods shown on a node.
const LODGERS: usize = 24;

/// The nodes with their first pods.
pub(crate) fn nodes(look: &Look<'_>, keep: &mut Keep) -> Vec<Rc<NodeItem>> {
    let w = look.w;
    let mut by_node: BTreeMap<Str, Vec<(Str, Option<i64>, crate::PodState)>> = BTreeMap::new();
    for pod in w.store.all(Kind::Pod) {
        let facts = pod.pod();
        if facts.node.is_empty() || *pod.ns_ref() == "kube-system" {
            continue;
        }
        // with a thousand pods, most are not shown
        if by_node.get(&facts.node).is_some_and(|lodgers| lodgers.len() >= LODGERS) {
            continue;
        }
        let ordinal =
            pod.label("statefulset.kubernetes.io/pod-name").and(facts.ordinal).map(|(_, n)| n);
        let lodger = (pod.name(), ordinal, keep.state(look, pod));
        by_node.entry(facts.node.clone()).or_default().push(lodger);
    }
    let all: Vec<&Obj> = w.store.all(Kind::Node).collect();
    all.into_iter()
        .map(|node| {
            let name = node.name();
            keep.node(NodeItem {
                key: node.key(),
                ready: !look.lost(&name),
                silent: silent(w, &name),
                cordoned: node.spec()["unschedulable"].is_true(),
                zone: node
                    .label("topology.kubernetes.io/zone")
                    .unwrap_or_default()
                    .to_owned()
                    .into(),
                pods: by_node.remove(&name).unwrap_or_default(),
            })
        })
        .collect()
}

/// Has somebody switched the node off?
fn silent(w: &World, node: &str) -> bool {
    w.kubelet.is_down(node)
}
