//! Node selectors and affinity, pod (anti-)affinity, topology spread, host ports.

use super::filter::Reasons;
use super::{place_of, placed};
use crate::api::{Kind, Obj, selector};
use crate::value::{Str, Value};
use crate::world::World;

/// Would the pod, once placed, matter to others: required anti-affinity or host ports?
pub(super) fn particular(spec: &Value) -> bool {
    !required(spec, "podAntiAffinity").is_empty() || host_ports(spec).next().is_some()
}

/// Could a pod placed elsewhere make a place for this one: required affinity or hard spreading?
pub(super) fn looks_at_neighbours(spec: &Value) -> bool {
    !required(spec, "podAffinity").is_empty()
        || spec["topologySpreadConstraints"].items().iter().any(hard)
}

/// Is a spread constraint a condition, not a wish?
fn hard(constraint: &Value) -> bool {
    constraint["whenUnsatisfiable"].str() != "ScheduleAnyway"
}

fn required<'a>(spec: &'a Value, which: &str) -> &'a [Value] {
    spec["affinity"].get(which)["requiredDuringSchedulingIgnoredDuringExecution"].items()
}

fn host_ports(spec: &Value) -> impl Iterator<Item = (i64, &str)> {
    spec["containers"].items().iter().flat_map(|c| c["ports"].items()).filter_map(|p| {
        let port = p["hostPort"].int_or(0);
        (port > 0).then(|| (port, p["protocol"].as_str().unwrap_or("TCP")))
    })
}

/// `nodeSelector`, required node affinity and `nodeName`-free placement.
pub(super) fn node_matches(spec: &Value, node: &Obj) -> bool {
    let labels = &node.meta()["labels"];
    let selected = spec["nodeSelector"].pairs().all(|(k, v)| labels.get(k).as_str() == v.as_str());
    let needed =
        &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    selected && (needed.is_null() || node_selector_matches(needed, node))
}

/// A node selector (`nodeSelectorTerms`, any of which must match).
pub(super) fn node_selector_matches(selector: &Value, node: &Obj) -> bool {
    selector["nodeSelectorTerms"].items().iter().any(|t| term_matches(t, node))
}

/// One node selector term: all its expressions and fields; an empty one matches nothing.
pub(super) fn term_matches(term: &Value, node: &Obj) -> bool {
    let labels = &node.meta()["labels"];
    let (expressions, fields) = (term["matchExpressions"].items(), term["matchFields"].items());
    (!expressions.is_empty() || !fields.is_empty())
        && expressions.iter().all(|e| expression(e, labels.get(e["key"].str()).as_str()))
        && fields.iter().all(|e| {
            e["key"].str() == "metadata.name" && expression(e, node.meta()["name"].as_str())
        })
}

fn expression(e: &Value, have: Option<&str>) -> bool {
    let among = |v: &str| e["values"].items().iter().any(|x| x.str() == v);
    let number = |v: &str| v.parse::<i64>().ok();
    let bound = || e["values"][0].as_str().and_then(number);
    match e["operator"].str() {
        "In" => have.is_some_and(among),
        "NotIn" => have.is_none_or(|v| !among(v)),
        "Exists" => have.is_some(),
        "DoesNotExist" => have.is_none(),
        "Gt" => have.and_then(number).zip(bound()).is_some_and(|(a, b)| a > b),
        "Lt" => have.and_then(number).zip(bound()).is_some_and(|(a, b)| a < b),
        _ => false,
    }
}

/// Does a pod affinity term mean that pod? `home` is the namespace of the term's own pod.
pub(super) fn term_selects(term: &Value, home: &str, pod: &Obj) -> bool {
    let ns = pod.meta()["namespace"].str();
    let spaces = term["namespaces"].items();
    let here = if spaces.is_empty() {
        term["namespaceSelector"].as_map().is_some() || ns == home
    } else {
        spaces.iter().any(|s| s.str() == ns)
    };
    here && selector::matches(&term["labelSelector"], &pod.meta()["labels"])
}

/// What one pod's placement depends on among its neighbours.
pub(super) struct Terms<'a> {
    pod: &'a Obj,
    /// Topology values where the pod's own required anti-affinity forbids it.
    avoid: Vec<(&'a str, Vec<Str>)>,
    /// Topology values that each required affinity term asks for.
    near: Vec<(&'a str, Vec<Str>)>,
    /// Topology (key, value) pairs that placed pods' anti-affinity forbids.
    shunned: Vec<(Str, Str)>,
    /// Host ports taken: (node, port, protocol).
    ports: Vec<(Str, i64, Str)>,
    /// Hard spread constraints: key, how many more pods than the emptiest topology value has
    /// are allowed before this one comes, pods in each topology value.
    spread: Vec<(&'a str, i64, Vec<(Str, i64)>)>,
}

fn topology(w: &World, node: &str, key: &str) -> Option<Str> {
    let v = &w.store.get(Kind::Node, "", node)?.meta()["labels"][key];
    v.as_str().map(|_| v.to_str())
}

impl<'a> Terms<'a> {
    pub(super) fn of(w: &'a World, pod: &'a Obj) -> Self {
        let spec = pod.spec();
        let home = pod.meta()["namespace"].str();
        let domains = |term: &'a Value| {
            let key = term["topologyKey"].str();
            let mut values: Vec<Str> = placed(w)
                .filter(|(p, _)| term_selects(term, home, p))
                .filter_map(|(_, node)| topology(w, node, key))
                .collect();
            values.sort();
            values.dedup();
            (key, values)
        };
        let avoid = required(spec, "podAntiAffinity").iter().map(domains).collect();
        let near = required(spec, "podAffinity")
            .iter()
            .filter_map(|term| {
                let (key, values) = domains(term);
                // the first pod of a group that wants to be together may start anywhere
                let starts_group = values.is_empty() && term_selects(term, home, pod);
                (!starts_group).then_some((key, values))
            })
            .collect();
        let mut shunned = Vec::new();
        let mut ports = Vec::new();
        for other in w.scheduler.particular.iter().filter_map(|k| w.store.by_key(k)) {
            let node = place_of(w, other);
            for (port, protocol) in host_ports(other.spec()) {
                ports.push((node.clone(), port, crate::value::text(protocol)));
            }
            for term in required(other.spec(), "podAntiAffinity") {
                if term_selects(term, other.meta()["namespace"].str(), pod)
                    && let Some(v) = topology(w, node, term["topologyKey"].str())
                {
                    shunned.push((term["topologyKey"].to_str(), v));
                }
            }
        }
        let spread = spec["topologySpreadConstraints"]
            .items()
            .iter()
            .filter(|c| hard(c))
            .map(|c| {
                let key = c["topologyKey"].str();
                let itself = selector::matches(&c["labelSelector"], &pod.meta()["labels"]);
                let mut counts = spread_counts(w, pod, c);
                if (counts.len() as i64) < c["minDomains"].int_or(1) {
                    // too few topology values: one that does not exist counts as the emptiest
                    counts.push((Str::default(), 0));
                }
                (key, c["maxSkew"].int_or(1) - i64::from(itself), counts)
            })
            .collect();
        Self { pod, avoid, near, shunned, ports, spread }
    }

    /// Does nothing of this decide about any node?
    pub(super) fn is_empty(&self) -> bool {
        self.avoid.is_empty()
            && self.near.is_empty()
            && self.shunned.is_empty()
            && self.ports.is_empty()
            && self.spread.is_empty()
    }

    pub(super) fn ports_taken(&self, node: &str) -> bool {
        !self.ports.is_empty()
            && host_ports(self.pod.spec()).any(|(port, protocol)| {
                self.ports
                    .iter()
                    .any(|(n, p, proto)| *n == *node && *p == port && *proto == protocol)
            })
    }

    pub(super) fn spread_allows(&self, node: &Obj) -> Result<(), Reasons> {
        for (key, room, counts) in &self.spread {
            let Some(value) = node.meta()["labels"].get(key).as_str() else {
                let why =
                    "node(s) didn't match pod topology spread constraints (missing required label)";
                return Err(vec![(Str::Lit(why), false)]);
            };
            let least = counts.iter().map(|(_, n)| *n).min().unwrap_or(0);
            let here = counts.iter().find(|(v, _)| v == value).map_or(0, |(_, n)| *n);
            if here - least > *room {
                let why = "node(s) didn't match pod topology spread constraints";
                return Err(vec![(Str::Lit(why), true)]);
            }
        }
        Ok(())
    }

    pub(super) fn affinity_allows(&self, node: &Obj) -> Result<(), Reasons> {
        let labels = &node.meta()["labels"];
        let at = |key: &str| labels.get(key).as_str();
        let near = self
            .near
            .iter()
            .all(|(key, values)| at(key).is_some_and(|v| values.iter().any(|x| x == v)));
        if !near {
            return Err(vec![(Str::Lit("node(s) didn't match pod affinity rules"), false)]);
        }
        let clash = self
            .avoid
            .iter()
            .any(|(key, values)| at(key).is_some_and(|v| values.iter().any(|x| x == v)));
        if clash {
            return Err(vec![(Str::Lit("node(s) didn't match pod anti-affinity rules"), true)]);
        }
        if self.shunned.iter().any(|(key, value)| at(key) == Some(value.as_str())) {
            let why = "node(s) didn't satisfy existing pods anti-affinity rules";
            return Err(vec![(Str::Lit(why), true)]);
        }
        Ok(())
    }
}

/// Pods that the wish to be spread (`ScheduleAnyway`) finds in a node's topology values: the
/// fewer, the better.
pub(super) fn wished_spread<'a>(w: &World, pod: &'a Obj) -> Vec<(&'a str, Vec<(Str, i64)>)> {
    let constraints = pod.spec()["topologySpreadConstraints"].items().iter();
    constraints
        .filter(|c| !hard(c))
        .map(|c| (c["topologyKey"].str(), spread_counts(w, pod, c)))
        .collect()
}

/// Pods that a spread constraint counts, in each topology value that eligible nodes have.
fn spread_counts(w: &World, pod: &Obj, constraint: &Value) -> Vec<(Str, i64)> {
    let (ns, key) = (pod.ns(), constraint["topologyKey"].str());
    let mut counts: Vec<(Str, i64)> = Vec::new();
    for node in w.store.all(Kind::Node).filter(|n| node_matches(pod.spec(), n)) {
        if let Some(value) = node.meta()["labels"].get(key).as_str()
            && !counts.iter().any(|(v, _)| v == value)
        {
            counts.push((crate::value::text(value), 0));
        }
    }
    for (other, node) in placed(w).filter(|(p, _)| p.ns() == ns && !p.terminating()) {
        if selector::matches(&constraint["labelSelector"], &other.meta()["labels"])
            && let Some(value) = topology(w, node, key)
            && let Some((_, n)) = counts.iter_mut().find(|(v, _)| *v == value)
        {
            *n += 1;
        }
    }
    counts
}
