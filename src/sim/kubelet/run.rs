//! What a kubelet knows about one pod: containers, their states, what they wait for.

use std::rc::Rc;

use crate::api::Key;
use crate::value::{Str, Value};
use crate::workload::Given;

/// A container waits with this if its program could not be started.
pub const RUN_ERROR: &str = "RunContainerError";
/// A container waits with this if its hook after the start has failed.
pub const HOOK_ERROR: &str = "PostStartHookError";

/// How a container ended.
#[derive(Clone, Debug)]
pub struct Exit {
    /// Exit code.
    pub code: i64,
    /// `Completed`, `Error`, `StartError`, `ContainerStatusUnknown`.
    pub reason: &'static str,
    /// Further words; usually empty.
    pub message: Str,
    /// When it had started, microseconds; none if it never did.
    pub started: Option<u64>,
    /// When it ended, microseconds.
    pub finished: u64,
    /// Its container id.
    pub id: Str,
}

/// State of a container, as `containerStatuses[].state` has it.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Not running; why, and further words.
    Waiting(&'static str, Str),
    /// Runs since then (microseconds).
    Running(u64),
    /// Ended.
    Ended(Exit),
}

/// One probe of a running container.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProbeRun {
    /// Same results in a row.
    pub streak: u32,
    /// The last single result.
    pub last: bool,
    /// The result that counts: thresholds passed.
    pub ok: bool,
    /// A tick is waiting in the queue.
    pub ticking: bool,
}

/// One container of a pod (init containers too).
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name.
    pub name: Str,
    /// The image that it runs or shall run.
    pub image: Str,
    /// An init container (a sidecar too)?
    pub init: bool,
    /// An init container with `restartPolicy: Always`?
    pub sidecar: bool,
    /// Its state.
    pub phase: Phase,
    /// How it ended the time before.
    pub last: Option<Exit>,
    /// How often it was restarted.
    pub restarts: u32,
    /// Counts its starts: timers of an earlier life do nothing.
    pub life: u64,
    /// It shall be started as soon as its turn comes.
    pub pending: bool,
    /// Its id, empty before the first start.
    pub id: Str,
    /// `imageID` of the image that it runs, empty before the first start.
    pub image_id: Str,
    /// Back-off of restarts: how long (seconds), and since when (microseconds).
    pub backoff: Option<(u64, u64)>,
    /// Failed pulls in a row.
    pub pulls: u32,
    /// Probes: startup, liveness, readiness.
    pub probes: [ProbeRun; 3],
    /// What its status shows while its postStart hook runs: how it was before it started.
    pub before: Option<Phase>,
    /// Why it was not started well: what it will wait with, and further words.
    pub failed: Option<(&'static str, Str)>,
    /// The kubelet is stopping it for a restart.
    pub stopping: bool,
    /// Its image was changed: it is restarted whatever the policy.
    pub changed: bool,
    /// What its environment was made from when it started.
    pub given: Option<Rc<Given>>,
}

impl Container {
    /// Is it running?
    pub fn running(&self) -> bool {
        matches!(self.phase, Phase::Running(_))
    }

    /// Its state as its status shows it.
    pub fn shown(&self) -> &Phase {
        self.before.as_ref().unwrap_or(&self.phase)
    }

    /// Has it started for those who look from outside: its hook too, and its startup probe?
    pub fn started(&self) -> bool {
        self.running() && self.before.is_none() && self.probes[0].ok
    }

    /// How it ended, if it did.
    pub fn exit(&self) -> Option<&Exit> {
        match &self.phase {
            Phase::Ended(exit) => Some(exit),
            _ => None,
        }
    }
}

/// Which part of a pod's life the kubelet is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Stage {
    /// Bound; the kubelet has not looked yet.
    New,
    /// Waits for volumes.
    Volumes,
    /// Sandbox and network are being made.
    Sandbox,
    /// Containers are started and watched.
    Containers,
    /// All containers have ended for good.
    Finished,
    /// It is being stopped.
    Stopping,
    /// Containers are reported terminated; the object goes next.
    Stopped,
}

/// A pod on a node.
#[derive(Clone, Debug)]
pub struct PodRun {
    /// Key of its object.
    pub key: Key,
    /// Uid of its object.
    pub uid: Str,
    /// Its node.
    pub node: Str,
    /// The node's address.
    pub host_ip: Str,
    /// Where it is.
    pub stage: Stage,
    /// Pod address; empty before the sandbox.
    pub ip: Str,
    /// Number of its address on the node.
    pub ip_number: u64,
    /// `status.startTime`, microseconds.
    pub since: u64,
    /// Init containers, then containers, in the order of the spec.
    pub containers: Vec<Container>,
    /// Number of init containers.
    pub inits: usize,
    /// A start (pull, create) is under way.
    pub busy: bool,
    /// `restartPolicy`.
    pub restart: Restart,
    /// It has begun to wait for its volumes to be attached.
    pub mounting: bool,
    /// The next try to mount its volumes is due some time.
    pub remounts: bool,
    /// It is noted as waiting for an object.
    pub waits: bool,
    /// Its `activeDeadlineSeconds` are over: it ends for good.
    pub overdue: bool,
    /// Annotation `sim/ready: "false"`.
    pub unready: bool,
}

/// `spec.restartPolicy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// Whatever the exit code.
    Always,
    /// After a failure.
    OnFailure,
    /// Never.
    Never,
}

impl PodRun {
    /// What a kubelet makes of a pod that was bound to its node.
    pub fn new(key: Key, uid: Str, node: Str, pod: &Value, now: u64) -> Self {
        let spec = &pod["spec"];
        let inits = spec["initContainers"].items();
        let make = |c: &Value, init: bool| Container {
            name: c["name"].to_str(),
            image: c["image"].to_str(),
            init,
            sidecar: init && c["restartPolicy"].str() == "Always",
            phase: Phase::Waiting(
                if inits.is_empty() { "ContainerCreating" } else { "PodInitializing" },
                Str::default(),
            ),
            last: None,
            restarts: 0,
            life: 0,
            pending: true,
            id: Str::default(),
            image_id: Str::default(),
            backoff: None,
            pulls: 0,
            probes: [ProbeRun::default(); 3],
            before: None,
            failed: None,
            stopping: false,
            changed: false,
            given: None,
        };
        let containers = inits
            .iter()
            .map(|c| make(c, true))
            .chain(spec["containers"].items().iter().map(|c| make(c, false)))
            .collect();
        Self {
            key,
            uid,
            node,
            host_ip: Str::default(),
            stage: Stage::New,
            ip: Str::default(),
            ip_number: 0,
            since: now,
            containers,
            inits: inits.len(),
            busy: false,
            restart: match spec["restartPolicy"].str() {
                "Never" => Restart::Never,
                "OnFailure" => Restart::OnFailure,
                _ => Restart::Always,
            },
            mounting: false,
            remounts: false,
            waits: false,
            overdue: false,
            unready: unready(pod),
        }
    }

    /// Spec of the i-th container (init containers first).
    pub fn spec<'a>(&self, pod: &'a Value, i: usize) -> &'a Value {
        if i < self.inits {
            &pod["spec"]["initContainers"][i]
        } else {
            &pod["spec"]["containers"][i - self.inits]
        }
    }

    /// `spec.containers{nginx}`, as events name a container.
    pub fn field_path(&self, i: usize) -> Str {
        match self.containers.get(i) {
            Some(c) if c.init => format!("spec.initContainers{{{}}}", c.name).into(),
            Some(c) => format!("spec.containers{{{}}}", c.name).into(),
            None => Str::default(),
        }
    }

    /// Index of a container by name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.containers.iter().position(|c| c.name == name)
    }

    /// Have all init containers done their part?
    pub fn initialized(&self) -> bool {
        self.containers[..self.inits]
            .iter()
            .all(|c| if c.sidecar { c.started() } else { c.exit().is_some_and(|e| e.code == 0) })
    }

    /// Is the container ready, as `containerStatuses[].ready` shows it?
    pub fn ready(&self, i: usize) -> bool {
        let c = &self.containers[i];
        if c.init && !c.sidecar {
            return c.exit().is_some_and(|e| e.code == 0);
        }
        c.started() && c.probes[2].ok && !self.unready
    }

    /// Could its containers still change by themselves?
    pub fn active(&self) -> bool {
        self.stage < Stage::Finished
    }
}

/// The annotation that keeps a running pod unready (DESIGN "Cluster defaults").
pub fn unready(pod: &Value) -> bool {
    pod["metadata"]["annotations"]["sim/ready"].str() == "false"
}
