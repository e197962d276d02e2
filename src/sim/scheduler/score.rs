//! Which of the nodes that fit: preferences, then spreading, then the emptiest.

use super::affinity::{term_matches, term_selects, wished_spread};
use super::filter::tolerates;
use std::cmp::Ordering;

use super::{InOrder, placed};
use crate::api::{Kind, Obj};
use crate::rng::Stream;
use crate::value::Str;
use crate::world::World;

/// The best of these nodes, which come in the order of their names, each with the number of
/// its pods. Lower is better in each
/// number of a rank, earlier numbers count first.
pub(super) fn best(w: &World, pod: &Obj, fit: &[(&Obj, i64)]) -> Option<Str> {
    let spread = wished_spread(w, pod);
    // pods of the same wish around a node, over all wishes
    let crowd = |node: &Obj| -> i64 {
        let around = |(key, counts): &(&str, Vec<(Str, i64)>)| {
            let value = node.meta()["labels"].get(key).as_str();
            counts.iter().find(|(v, _)| value.is_some_and(|x| v == x)).map_or(0, |(_, n)| *n)
        };
        spread.iter().map(around).sum()
    };
    let choosy = !pod.spec()["affinity"].is_null();
    let mut siblings = w.scheduler.siblings.get(&pod.pod().owner).map(InOrder::of);
    let mut best = None;
    let mut ties: Vec<&Str> = Vec::with_capacity(fit.len());
    for (node, pods) in fit {
        let name = node.name_ref();
        let near = siblings.as_mut().and_then(|s| s.at(name)).copied().unwrap_or(0);
        let liked = if choosy || !node.allocatable().open { preference(w, pod, node) } else { 0 };
        let rank = (-liked, crowd(node), near, *pods);
        match best.map(|b| rank.cmp(&b)) {
            Some(Ordering::Greater) => continue,
            Some(Ordering::Equal) => {}
            Some(Ordering::Less) | None => {
                best = Some(rank);
                ties.clear();
            }
        }
        ties.push(name);
    }
    let chance = Stream::new(w.config.seed, &["node", &pod.uid()]);
    ties.into_iter().map(|name| (chance.and(name).next(), name)).min().map(|(_, n)| n.clone())
}

/// Preferred node affinity, preferred pod (anti-)affinity and PreferNoSchedule taints, as
/// their weights.
fn preference(w: &World, pod: &Obj, node: &Obj) -> i64 {
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let affinity = &pod.spec()["affinity"];
    let mut sum: i64 = affinity["nodeAffinity"][PREFERRED]
        .items()
        .iter()
        .filter(|p| term_matches(&p["preference"], node))
        .map(|p| p["weight"].int_or(1))
        .sum();
    let home = pod.meta()["namespace"].str();
    for (which, sign) in [("podAffinity", 1), ("podAntiAffinity", -1)] {
        for weighted in affinity[which][PREFERRED].items() {
            let term = &weighted["podAffinityTerm"];
            let key = term["topologyKey"].str();
            let here = node.meta()["labels"].get(key).as_str();
            let neighbours = placed(w).filter(|(p, place)| {
                let there = w.store.get(Kind::Node, "", place);
                here.is_some()
                    && there.is_some_and(|n| n.meta()["labels"].get(key).as_str() == here)
                    && term_selects(term, home, p)
            });
            sum += sign * weighted["weight"].int_or(1) * neighbours.count() as i64;
        }
    }
    let soft = node.spec()["taints"].items().iter().filter(|t| {
        t["effect"].str() == "PreferNoSchedule"
            && !pod.spec()["tolerations"].items().iter().any(|x| tolerates(x, t))
    });
    sum - 10 * soft.count() as i64
}
