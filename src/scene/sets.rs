//! Workloads and their slots.

use podium_sim::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use podium_sim::api::object::condition;
use podium_sim::api::{Key, Kind, Obj};
use podium_sim::queue::Comp;
use podium_sim::world::Verdict;
use podium_sim::{Str, World};

use crate::director::{Keep, Made};
use crate::look::Look;
use crate::model::{Group, Msg, PodState, Slot};
use crate::{disks, pods};

/// Claims that a set's templates name, by ordinal.
type Claims = BTreeMap<i64, Vec<Obj>>;

/// A verdict as a sentence.
pub(crate) fn sentence(verdict: &Verdict) -> Msg {
    let mut msg = Msg::new(format!("wait.{}", verdict.rule));
    if let Some(on) = &verdict.on {
        msg = msg.with("on", on.name.clone());
    }
    if !verdict.detail.is_empty() {
        msg = msg.with("detail", verdict.detail.clone());
    }
    msg
}

/// Claims `<template>-<set>-<ordinal>` of a namespace.
fn claims_of(w: &World, set: &Obj) -> Claims {
    let (ns, name) = (set.ns(), set.name());
    let prefixes: Vec<String> = set.spec()["volumeClaimTemplates"]
        .items()
        .iter()
        .map(|t| format!("{}-{name}-", t["metadata"]["name"].str()))
        .collect();
    let mut claims = Claims::new();
    if prefixes.is_empty() {
        return claims;
    }
    for claim in w.store.list(Kind::PersistentVolumeClaim, &ns) {
        let name = claim.name();
        let ordinal = prefixes.iter().find_map(|p| name.strip_prefix(p.as_str())?.parse().ok());
        if let Some(n) = ordinal {
            claims.entry(n).or_default().push(claim.clone());
        }
    }
    claims
}

/// All StatefulSets, then Deployments, then claims of sets that are gone.
pub(crate) fn groups(look: &Look<'_>, keep: &mut Keep) -> Vec<Rc<Group>> {
    let w = look.w;
    let mut groups = Vec::new();
    let mut used = BTreeSet::new();
    for set in w.store.all(Kind::StatefulSet) {
        let group = stateful(look, keep, set, &mut used);
        groups.push(keep.group(group));
    }
    for deployment in w.store.all(Kind::Deployment) {
        let group = stateless(look, keep, deployment);
        groups.push(keep.group(group));
    }
    for group in left_behind(look, keep, &used) {
        groups.push(keep.group(group));
    }
    groups
}

fn stateful(look: &Look<'_>, keep: &mut Keep, set: &Obj, used: &mut BTreeSet<Key>) -> Group {
    let w = look.w;
    let (spec, status) = (set.spec(), set.status());
    let (key, name, ns) = (set.key(), set.name(), set.ns());
    let start = spec["ordinals"]["start"].int_or(0);
    let replicas = spec["replicas"].int_or(1);
    let newest = status["updateRevision"].to_str();
    let uid = set.uid();
    let mut members: BTreeMap<i64, Obj> = BTreeMap::new();
    for pod in w.store.list(Kind::Pod, &ns) {
        let facts = pod.pod();
        if let Some((prefix, n)) = pod.numbered()
            && *prefix == *name
            && (facts.owner == uid || facts.owner.is_empty())
        {
            members.insert(n, pod.clone());
        }
    }
    let mut claims = claims_of(w, set);
    // a page cannot show millions of empty places
    let end = start + replicas.min(2000);
    let places = start..if set.terminating() { start } else { end };
    let mut ordinals: Vec<i64> = places.clone().collect();
    let others = members.keys().chain(claims.keys()).copied();
    ordinals.extend(others.filter(|n| !places.contains(n)));
    ordinals.sort_unstable();
    ordinals.dedup();
    let verdict = w.verdicts.get(&(Comp::StatefulSet, key.clone()));
    let first_empty =
        ordinals.iter().find(|n| !members.contains_key(n) && (start..end).contains(*n)).copied();
    let slots: Vec<Rc<Slot>> = ordinals
        .iter()
        .map(|&n| {
            let pod = members.get(&n);
            let claims = claims.remove(&n).unwrap_or_default();
            used.extend(claims.iter().map(|c| c.key()));
            let wanted = (start..end).contains(&n) && !set.terminating();
            let made = Made::of(look, pod, &claims, &newest, wanted);
            if let Some(slot) = keep.made(&uid, n, &made) {
                return slot;
            }
            let wait = (pod.is_none() && wanted).then(|| {
                empty_slot((verdict, look.signs.refused(&uid)), &name, n, first_empty, &members)
            });
            let slot = Slot {
                id: format!("{uid}/{n}").into(),
                set: key.clone(),
                ordinal: Some(n),
                name: format!("{name}-{n}").into(),
                pod: pod.map(|p| keep.pod(pods::card(look, p, &newest))),
                wait,
                disks: claims.iter().map(|c| keep.disk(disks::card(look, c, pod, n))).collect(),
                wanted,
            };
            let slot = keep.slot(slot);
            keep.remember(&uid, n, made, &slot);
            slot
        })
        .collect();
    let current = status["currentRevision"].str();
    Group {
        uid,
        replicas,
        ready: status["readyReplicas"].int_or(0),
        policy: spec["podManagementPolicy"].to_str(),
        strategy: spec["updateStrategy"]["type"].to_str(),
        partition: spec["updateStrategy"]["rollingUpdate"]["partition"].int_or(0),
        service: spec["serviceName"].to_str(),
        updating: !newest.is_empty() && current != newest.as_str(),
        leaving: set.terminating(),
        exists: true,
        wait: verdict.map(sentence),
        disks: slots
            .iter()
            .map(|s| s.disks.len())
            .max()
            .unwrap_or(0)
            .max(spec["volumeClaimTemplates"].len()),
        slots,
        key,
    }
}

/// What an empty place waits for: what the controller says, the place before it, or the API server
/// that did not take the pod.
fn empty_slot(
    (verdict, refused): (Option<&Verdict>, Option<&Str>),
    set: &Str,
    n: i64,
    first_empty: Option<i64>,
    members: &BTreeMap<i64, Obj>,
) -> Msg {
    match (verdict, first_empty) {
        (Some(v), Some(first)) if first == n => sentence(v),
        (_, Some(first)) if first < n => {
            // the nearest place before it that blocks
            let on = (first..n)
                .rev()
                .find(|m| !members.get(m).is_some_and(|p| p.pod().ready))
                .unwrap_or(first);
            Msg::new("wait.place").with("on", format!("{set}-{on}"))
        }
        _ => refused.map_or_else(
            || Msg::new("wait.soon"),
            |why| Msg::new("wait.refused").with("detail", why.clone()),
        ),
    }
}

fn stateless(look: &Look<'_>, keep: &mut Keep, deployment: &Obj) -> Group {
    let w = look.w;
    let (uid, ns) = (deployment.uid(), deployment.ns());
    let replica_sets: Vec<&Obj> = w
        .store
        .list(Kind::ReplicaSet, &ns)
        .filter(|rs| rs.controller_uid() == uid.as_str())
        .collect();
    let revision = |rs: &Obj| {
        rs.annotation("deployment.kubernetes.io/revision").and_then(|r| r.parse::<i64>().ok())
    };
    let newest = replica_sets.iter().copied().max_by_key(|rs| revision(rs));
    let newest_uid = newest.map_or_else(Str::default, |rs| rs.uid());
    let mut members: Vec<&Obj> = w
        .store
        .list(Kind::Pod, &ns)
        .filter(|p| replica_sets.iter().any(|rs| rs.uid() == p.pod().owner))
        .collect();
    members.sort_by_key(|p| (p.meta()["creationTimestamp"].to_str(), p.name()));
    let key = deployment.key();
    let slots: Vec<Rc<Slot>> = members
        .iter()
        .map(|pod| {
            let made = Made::of(look, Some(pod), &[], &newest_uid, true);
            if let Some(slot) = keep.made(pod.uid_ref(), 0, &made) {
                return slot;
            }
            let mut card = pods::card(look, pod, "");
            card.revision = pod.label("pod-template-hash").unwrap_or_default().to_owned().into();
            card.outdated = pod.pod().owner != newest_uid;
            let slot = Slot {
                id: pod.uid(),
                set: key.clone(),
                ordinal: None,
                name: pod.name(),
                wanted: card.state != PodState::Terminating,
                pod: Some(keep.pod(card)),
                wait: None,
                disks: Vec::new(),
            };
            let slot = keep.slot(slot);
            keep.remember(pod.uid_ref(), 0, made, &slot);
            slot
        })
        .collect();
    let progressing = condition(&deployment.value, "Progressing")["reason"].str();
    Group {
        uid,
        replicas: deployment.spec()["replicas"].int_or(1),
        ready: deployment.status()["readyReplicas"].int_or(0),
        policy: Str::default(),
        strategy: Str::default(),
        partition: 0,
        service: Str::default(),
        updating: !matches!(progressing, "" | "NewReplicaSetAvailable"),
        leaving: deployment.terminating(),
        exists: true,
        wait: w.verdicts.get(&(Comp::Deployment, key.clone())).map(sentence),
        slots,
        disks: 0,
        key,
    }
}

/// Claims that no living set names: disks stay when their set is gone. Grouped by the set's
/// name, read from the claim's: `<template>-<set>-<ordinal>`.
fn left_behind(look: &Look<'_>, keep: &mut Keep, used: &BTreeSet<Key>) -> Vec<Group> {
    let w = look.w;
    let mut by_set: BTreeMap<(Str, Str), BTreeMap<i64, Vec<Obj>>> = BTreeMap::new();
    for claim in w.store.all(Kind::PersistentVolumeClaim) {
        if used.contains(&claim.key()) {
            continue;
        }
        let name = claim.name();
        let parts = name
            .rsplit_once('-')
            .and_then(|(head, n)| Some((head.split_once('-')?.1.to_owned(), n.parse().ok()?)));
        let (set, n) = parts.unwrap_or((name.to_string(), 0));
        by_set
            .entry((claim.ns(), set.into()))
            .or_default()
            .entry(n)
            .or_default()
            .push(claim.clone());
    }
    by_set
        .into_iter()
        .map(|((ns, set), claims)| {
            let key = Key::new(Kind::StatefulSet, ns, set.clone());
            let height = claims.values().map(Vec::len).max().unwrap_or(0);
            let slots = claims
                .into_iter()
                .map(|(n, claims)| {
                    let pod = w.store.get(Kind::Pod, &key.ns, &format!("{set}-{n}"));
                    let slot = Slot {
                        id: format!("left/{set}/{n}").into(),
                        set: key.clone(),
                        ordinal: Some(n),
                        name: format!("{set}-{n}").into(),
                        // orphans run on without their set
                        pod: pod.map(|p| keep.pod(pods::card(look, p, ""))),
                        wait: None,
                        disks: claims
                            .iter()
                            .map(|c| keep.disk(disks::card(look, c, pod, n)))
                            .collect(),
                        wanted: false,
                    };
                    keep.slot(slot)
                })
                .collect();
            Group {
                uid: format!("left/{}/{}", key.ns, key.name).into(),
                replicas: 0,
                ready: 0,
                policy: Str::default(),
                strategy: Str::default(),
                partition: 0,
                service: Str::default(),
                updating: false,
                leaving: true,
                exists: false,
                wait: None,
                slots,
                disks: height,
                key,
            }
        })
        .collect()
}
