//! Which of the nodes that fit: preferences, then spreading, then the emptiest.

use super::affinity::{term_matches, term_selects};
use super::filter::{placed, tolerates};
use crate::api::{Kind, Obj};
use crate::rng::Stream;
use crate::value::Str;
use crate::world::World;

/// The best node; lower is better in each number, earlier numbers count first.
pub(super) fn best(w: &World, pod: &Obj, fit: &[&Obj]) -> Option<Str> {
    let uid = pod.uid();
    fit.iter()
        .map(|node| {
            let name = node.name();
            let siblings =
                w.scheduler.siblings.get(&(name.clone(), pod.pod().owner.clone())).copied();
            let pods = w.scheduler.usage.get(&name).map_or(0, |u| u.pods);
            let chance = Stream::new(w.config.seed, &["node", &uid, &name]).next();
            (-preference(w, pod, node), siblings.unwrap_or(0), pods, chance, name)
        })
        .min()
        .map(|(.., name)| name)
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
            let neighbours = placed(w).filter(|p| {
                let there = w.store.get(Kind::Node, "", &p.pod().node);
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
