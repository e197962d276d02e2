//! The log in sentences: what a record says happened.

use podium_sim::api::object::{Phase, condition};
use podium_sim::api::{Key, Kind, Obj};
use podium_sim::log::{ChangeType, Record, Seq, What};
use podium_sim::queue::Comp;
use podium_sim::{Str, World};

use crate::model::Msg;
use crate::pods;

/// One thing that happened, ready to be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its number in the log.
    pub seq: Seq,
    /// When, microseconds.
    pub at: u64,
    /// Who did it: key `who.<name>`.
    pub by: &'static str,
    /// What happened.
    pub what: Msg,
    /// The rule behind it (`sts.create-pod`); empty for a user's act.
    pub rule: Str,
    /// The object that it is about.
    pub about: Option<Key>,
}

/// Name of a component for the key `who.<name>`.
pub fn who(comp: Comp) -> &'static str {
    match comp {
        Comp::User => "user",
        Comp::ApiServer => "apiserver",
        Comp::StatefulSet => "statefulset",
        Comp::Deployment => "deployment",
        Comp::ReplicaSet => "replicaset",
        Comp::EndpointSlice | Comp::Endpoints => "endpoints",
        Comp::VolumeBinder => "binder",
        Comp::Provisioner => "provisioner",
        Comp::Protection => "protection",
        Comp::AttachDetach => "attach",
        Comp::EphemeralVolume => "ephemeral",
        Comp::Expand => "expand",
        Comp::GarbageCollector => "gc",
        Comp::Namespace => "namespace",
        Comp::NodeLifecycle => "node",
        Comp::TaintEviction => "eviction",
        Comp::PodGc => "podgc",
        Comp::Disruption => "disruption",
        Comp::Scheduler => "scheduler",
        Comp::Kubelet => "kubelet",
        Comp::Workload => "workload",
        Comp::Net => "net",
    }
}

/// The record as a step.
pub fn step(seq: Seq, record: &Record) -> Step {
    let (what, about) = match &record.what {
        What::Act(command) => (Msg::new("did.act").with("command", command.clone()), None),
        What::Lookup { client, name, .. } => (
            Msg::new("did.lookup").with("name", client.name.clone()).with("dns", name.clone()),
            Some(client.clone()),
        ),
        What::Connect { client, ip, .. } => (
            Msg::new("did.connect").with("name", client.name.clone()).with("ip", ip.clone()),
            Some(client.clone()),
        ),
        What::Change { change, old, new } => (said(*change, old.as_ref(), new), Some(new.key())),
    };
    let rule = if record.by == Comp::User { Str::default() } else { record.rule.into() };
    Step { seq, at: record.at, by: who(record.by), what, rule, about }
}

fn said(change: ChangeType, old: Option<&Obj>, new: &Obj) -> Msg {
    let key = match (change, old) {
        (ChangeType::Added, _) => "did.created",
        (ChangeType::Deleted, _) => "did.gone",
        (ChangeType::Modified, Some(old)) => facet(old, new),
        (ChangeType::Modified, None) => "did.changed",
    };
    let mut msg = Msg::new(key).with("kind", new.kind.info().kind).with("name", short(&new.name()));
    if new.kind == Kind::Pod {
        let (state, reason) = pods::state(new, None);
        msg = msg.with("node", new.pod().node.clone()).with("ip", new.pod().ip.clone()).with(
            "reason",
            if reason.is_empty() { format!("@state.{}", state.name()).into() } else { reason },
        );
    }
    if new.kind == Kind::StatefulSet || new.kind == Kind::Deployment {
        msg = msg.with("n", new.spec()["replicas"].int_or(1).to_string());
    }
    msg
}

/// Names that programs made up are cut: `pvc-e0b0945f…`.
fn short(name: &Str) -> Str {
    match name.char_indices().nth(14) {
        Some((end, _)) if name.len() > 32 => format!("{}…", &name[..end]).into(),
        _ => name.clone(),
    }
}

/// The most telling difference of two versions.
fn facet(old: &Obj, new: &Obj) -> &'static str {
    if !old.terminating() && new.terminating() {
        return "did.marked";
    }
    if new.kind == Kind::Pod {
        let (a, b) = (old.pod(), new.pod());
        if a.node.is_empty() && !b.node.is_empty() {
            return "did.bound";
        }
        if a.ready != b.ready {
            return if b.ready { "did.ready" } else { "did.unready" };
        }
        if a.phase != b.phase {
            return match b.phase {
                Phase::Running => "did.running",
                Phase::Succeeded | Phase::Failed => "did.ended",
                Phase::Pending | Phase::Unknown => "did.state",
            };
        }
        if pods::state(old, None) != pods::state(new, None) {
            return "did.state";
        }
    }
    if matches!(new.kind, Kind::StatefulSet | Kind::Deployment | Kind::ReplicaSet) {
        if old.spec()["replicas"] != new.spec()["replicas"] {
            return "did.scaled";
        }
        if old.spec()["template"] != new.spec()["template"] {
            return "did.template";
        }
    }
    if new.kind == Kind::PersistentVolumeClaim
        && old.status()["phase"] != new.status()["phase"]
        && new.status()["phase"].str() == "Bound"
    {
        return "did.claim-bound";
    }
    if new.kind == Kind::Node {
        let ready = |n: &Obj| condition(&n.value, "Ready")["status"].to_str();
        if ready(old) != ready(new) {
            return if ready(new) == "True" { "did.node-ready" } else { "did.node-lost" };
        }
    }
    if matches!(new.kind, Kind::EndpointSlice | Kind::Endpoints) {
        return "did.endpoints";
    }
    "did.changed"
}

/// Is it worth a line in a list for people? Bookkeeping is not.
pub fn telling(record: &Record) -> bool {
    match &record.what {
        What::Act(_) | What::Lookup { .. } | What::Connect { .. } => true,
        What::Change { change, old, new } => match new.kind {
            Kind::Event
            | Kind::Lease
            | Kind::ControllerRevision
            | Kind::Endpoints
            | Kind::EndpointSlice
            | Kind::VolumeAttachment => false,
            Kind::Pod | Kind::PersistentVolumeClaim | Kind::Node => {
                *change != ChangeType::Modified
                    || old.as_ref().is_some_and(|o| facet(o, new) != "did.changed")
            }
            Kind::StatefulSet | Kind::Deployment | Kind::ReplicaSet => {
                *change != ChangeType::Modified
                    || old.as_ref().is_some_and(|o| o.spec() != new.spec())
            }
            _ => record.at > 0 && *change != ChangeType::Modified,
        },
    }
}

/// The latest telling records up to the cursor, newest first.
pub fn recent(w: &World, most: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for seq in (0..w.log.len()).rev() {
        let Some(record) = w.log.get(seq) else { break };
        if record.at == 0
            && matches!(record.what, What::Change { .. })
            && record.by == Comp::ApiServer
        {
            continue;
        }
        if telling(record) {
            steps.push(step(seq, record));
            if steps.len() == most {
                break;
            }
        }
    }
    steps
}
