//! Why: what a selected thing is, what made it so, and why the next thing has not happened.

use podium_sim::api::object::condition;
use podium_sim::api::{Key, Kind, Obj};
use podium_sim::log::{ChangeType, Seq, What};
use podium_sim::queue::Comp;
use podium_sim::{Str, World};

use std::rc::Rc;

use crate::history::{self, Step};
use crate::look::{Look, Signs};
use crate::model::{Group, Msg, PodState, Scene, Target};
use crate::pods;
use crate::sets::sentence;

/// Most entries of a list.
const MOST: usize = 40;

/// An event of the API about the selected object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// `Normal` or `Warning`.
    pub warning: bool,
    /// `Scheduled`.
    pub reason: Str,
    /// Kubernetes' own words.
    pub message: Str,
    /// How often.
    pub count: i64,
}

/// All that the inspector shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Why {
    /// Name of the thing.
    pub title: Str,
    /// What kind of thing it is, and its state.
    pub subtitle: Msg,
    /// The question that the sentences below answer: `why.not-here`, `why.not-ready`, `why.is`.
    pub question: Str,
    /// Why it is as it is, or why not yet; the most important first.
    pub because: Vec<Msg>,
    /// The chain of causes, oldest first.
    pub chain: Vec<Step>,
    /// What happened to it, newest first.
    pub history: Vec<Step>,
    /// Its events, newest first.
    pub events: Vec<Told>,
    /// The object itself, to be printed as YAML; `None` if it does not exist.
    pub object: Option<Key>,
}

/// The latest entry about an object.
fn last_about(w: &World, key: &Key) -> Option<Seq> {
    (0..w.log.len()).rev().find(|seq| {
        matches!(w.log.get(*seq).map(|r| &r.what),
            Some(What::Change { new, .. }) if new.kind == key.kind && new.name() == key.name && new.ns() == key.ns)
    })
}

/// The entry that made the object what it is: bookkeeping that only touched it is passed over.
fn last_telling(w: &World, key: &Key) -> Option<Seq> {
    (0..w.log.len())
        .rev()
        .find(|seq| {
            w.log.get(*seq).is_some_and(|r| {
                matches!(&r.what, What::Change { new, .. } if new.kind == key.kind
                    && new.name() == key.name && new.ns() == key.ns)
                    && history::telling(r)
            })
        })
        .or_else(|| last_about(w, key))
}

/// The chain behind an entry, oldest first; entries that say nothing to people are left out,
/// but never the first and the last.
fn chain(w: &World, seq: Seq) -> Vec<Step> {
    let chain = w.log.chain(seq);
    let last = chain.len().saturating_sub(1);
    let mut steps: Vec<Step> = chain
        .iter()
        .enumerate()
        .filter_map(|(i, &seq)| {
            let record = w.log.get(seq)?;
            (i == 0 || i == last || history::telling(record)).then(|| history::step(seq, record))
        })
        .collect();
    steps.reverse();
    steps
}

/// Explains what is selected.
pub fn why(w: &World, scene: &Scene, target: &Target) -> Why {
    match target {
        Target::Slot(set, n) => slot(w, scene, set, *n),
        Target::Object(key) => match w.store.by_key(key) {
            Some(obj) => object(w, scene, obj),
            None => gone(w, key),
        },
    }
}

fn slot(w: &World, scene: &Scene, set: &Key, n: i64) -> Why {
    let pod = Key::new(Kind::Pod, set.ns.clone(), format!("{}-{n}", set.name));
    if let Some(obj) = w.store.by_key(&pod) {
        return object(w, scene, obj);
    }
    let group = scene.groups.iter().find(|g| g.key == *set);
    let slot = group.and_then(|g| g.slots.iter().find(|s| s.ordinal == Some(n)));
    let mut because = Vec::new();
    let mut on = None;
    if let Some(wait) = slot.and_then(|s| s.wait.clone()) {
        because.push(wait);
    }
    let verdict = w.verdicts.get(&(Comp::StatefulSet, set.clone()));
    if let Some(v) = verdict {
        if because.first().is_some_and(|m| *m != sentence(v)) {
            because.push(sentence(v));
        }
        on = v.on.clone();
        because.extend(
            on.as_ref().and_then(|k| w.store.by_key(k)).and_then(|o| pod_state(w, scene, o)),
        );
    }
    if let Some(g) = group {
        because.push(policy(g));
    }
    let seq = on
        .as_ref()
        .and_then(|k| last_telling(w, k))
        .or_else(|| last_about(w, &pod))
        .or_else(|| last_telling(w, set));
    Why {
        title: pod.name.clone(),
        subtitle: Msg::new("kind.slot").with("set", set.name.clone()).with("n", n.to_string()),
        question: if slot.is_some_and(|s| s.wanted) { "why.not-here" } else { "why.left" }.into(),
        because,
        chain: seq.map(|s| chain(w, s)).unwrap_or_default(),
        history: told(w, &pod),
        events: events(w, &pod),
        object: None,
    }
}

/// The sentence about the set's policy: why one after the other, or why all at once.
fn policy(group: &Group) -> Msg {
    Msg::new(if group.policy == "Parallel" {
        "rule.policy.parallel"
    } else {
        "rule.policy.ordered"
    })
}

/// Why a pod is not further; nothing for a ready one.
fn pod_state(w: &World, scene: &Scene, pod: &Obj) -> Option<Msg> {
    let card = scene.pods().find(|p| p.uid == *pod.uid_ref()).cloned().unwrap_or_else(|| {
        // not on stage
        let mut signs = Signs::default();
        signs.follow(w);
        Rc::new(pods::card(&Look::new(w, &signs), pod, ""))
    });
    let mut msg = Msg::new(format!("because.{}", card.state.name()))
        .with("name", card.key.name.clone())
        .with("node", card.node.clone())
        .with("image", card.image.clone())
        .with("reason", card.reason.clone());
    if card.state == PodState::Unschedulable {
        msg = msg.with("detail", condition(&pod.value, "PodScheduled")["message"].to_str());
    }
    if card.node_down {
        msg.key = "because.node-down".into();
    }
    Some(msg)
}

fn object(w: &World, scene: &Scene, obj: &Obj) -> Why {
    let key = obj.key();
    let mut because = Vec::new();
    let mut question = "why.is";
    match key.kind {
        Kind::Pod => {
            because.extend(pod_state(w, scene, obj));
            let group = scene
                .groups
                .iter()
                .find(|g| g.slots.iter().any(|s| s.pod.as_ref().is_some_and(|p| p.key == key)));
            if let Some(g) = group
                && let Some(card) =
                    g.slots.iter().filter_map(|s| s.pod.as_ref()).find(|p| p.key == key)
                && card.outdated
            {
                because.push(outdated(w, g, &key));
            }
            if obj.pod().terminating || !obj.pod().ready {
                question = "why.not-ready";
            }
        }
        Kind::PersistentVolumeClaim => {
            let disk = scene
                .groups
                .iter()
                .flat_map(|g| &g.slots)
                .flat_map(|s| &s.disks)
                .find(|d| d.key == key);
            if let Some(d) = disk {
                because.push(
                    Msg::new(format!("because.plug.{}", d.plug.name()))
                        .with("name", key.name.clone())
                        .with("node", d.node.clone()),
                );
            }
        }
        Kind::Node if condition(&obj.value, "Ready")["status"].str() != "True" => {
            because.push(Msg::new("because.node-down").with("node", key.name.clone()));
        }
        Kind::Service => {
            let headless = obj.spec()["clusterIP"].str() == "None";
            because.push(Msg::new(if headless { "because.headless" } else { "because.vip" }));
        }
        _ => {}
    }
    let of_it = w.verdicts.range((Comp::User, key.clone())..).filter(|((_, k), _)| *k == key);
    because.extend(of_it.map(|(_, v)| sentence(v)));
    if let Some(group) = scene.groups.iter().find(|g| g.key == key)
        && key.kind == Kind::StatefulSet
    {
        because.push(policy(group));
    }
    let seq = last_telling(w, &key);
    Why {
        title: key.name.clone(),
        subtitle: Msg::new("kind.object")
            .with("kind", key.kind.info().kind)
            .with("ns", key.ns.clone()),
        question: question.into(),
        because,
        chain: seq.map(|s| chain(w, s)).unwrap_or_default(),
        history: told(w, &key),
        events: events(w, &key),
        object: Some(key),
    }
}

/// Why a pod is still of an older revision.
fn outdated(w: &World, group: &Group, pod: &Key) -> Msg {
    let ordinal = w.store.by_key(pod).and_then(|p| p.pod().ordinal).map_or(0, |(_, n)| n);
    if group.strategy == "OnDelete" {
        Msg::new("because.on-delete")
    } else if ordinal < group.partition {
        Msg::new("because.partition").with("n", group.partition.to_string())
    } else {
        Msg::new("because.turn").with("set", group.key.name.clone())
    }
}

fn gone(w: &World, key: &Key) -> Why {
    Why {
        title: key.name.clone(),
        subtitle: Msg::new("kind.gone").with("kind", key.kind.info().kind),
        question: "why.gone".into(),
        because: Vec::new(),
        chain: last_about(w, key).map(|s| chain(w, s)).unwrap_or_default(),
        history: told(w, key),
        events: events(w, key),
        object: None,
    }
}

/// What happened to an object, newest first.
fn told(w: &World, key: &Key) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for seq in (0..w.log.len()).rev() {
        let Some(record) = w.log.get(seq) else { break };
        if let What::Change { new, change, .. } = &record.what
            && new.kind == key.kind
            && new.name() == key.name
            && new.ns() == key.ns
            && (*change != ChangeType::Modified || history::telling(record))
        {
            steps.push(history::step(seq, record));
            if steps.len() == MOST {
                break;
            }
        }
    }
    steps
}

fn events(w: &World, key: &Key) -> Vec<Told> {
    let mut events: Vec<(&str, Told)> = w
        .store
        .all(Kind::Event)
        .filter(|e| {
            e.told().is_some_and(|about| {
                about.kind == key.kind.info().kind && *about.name == key.name && *about.ns == key.ns
            })
        })
        .map(|e| {
            let told = Told {
                warning: e.value["type"].str() == "Warning",
                reason: e.value["reason"].to_str(),
                message: e.value["message"].to_str(),
                count: e.value["count"].int_or(1),
            };
            (e.meta()["name"].str(), told)
        })
        .collect();
    events.sort_by(|a, b| b.0.cmp(a.0));
    events.into_iter().map(|(_, t)| t).take(MOST).collect()
}
