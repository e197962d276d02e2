//! Events, made into objects only when somebody reads them: a pod's life leaves six, they are
//! half of all that a cluster writes, and most are never looked at.

use crate::api::time::{EPOCH, SECOND, rfc3339, rfc3339_micro};
use crate::api::{Kind, Obj, Object};
use crate::rng::Stream;
use crate::value;
use crate::value::{Str, Value, decimal};

/// Normal or Warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventType {
    /// Nothing wrong.
    Normal,
    /// Something to look at.
    Warning,
}

/// An event to be recorded.
#[derive(Clone, Debug)]
pub struct Note {
    /// Normal or Warning.
    pub event_type: EventType,
    /// `SuccessfulCreate`.
    pub reason: Str,
    /// The sentence.
    pub message: Str,
    /// Reporting component, `statefulset-controller`.
    pub component: Str,
    /// `source.host`, for kubelets: the node.
    pub host: Str,
    /// `involvedObject.fieldPath`, `spec.containers{nginx}`; empty for none.
    pub field_path: Str,
}

impl Note {
    /// A Normal event.
    pub fn normal(
        component: impl Into<Str>,
        reason: &'static str,
        message: impl Into<Str>,
    ) -> Self {
        Self {
            event_type: EventType::Normal,
            reason: reason.into(),
            message: message.into(),
            component: component.into(),
            host: Str::default(),
            field_path: Str::default(),
        }
    }

    /// A Warning event.
    pub fn warning(
        component: impl Into<Str>,
        reason: &'static str,
        message: impl Into<Str>,
    ) -> Self {
        Self { event_type: EventType::Warning, ..Self::normal(component, reason, message) }
    }

    /// From a kubelet, about a container.
    #[must_use]
    pub fn on(mut self, host: impl Into<Str>, field_path: impl Into<Str>) -> Self {
        self.host = host.into();
        self.field_path = field_path.into();
        self
    }

    /// Does the scheduler tell it? It records through the newer API.
    pub fn by_scheduler(&self) -> bool {
        self.component == "default-scheduler"
    }
}

/// An event as it was recorded: all that its object is made of.
pub(crate) struct Draft {
    /// Its own name.
    pub(crate) name: Str,
    /// Its namespace.
    pub(crate) ns: Str,
    /// The version of the object that it is about.
    pub(crate) about: Obj,
    /// What it tells.
    pub(crate) note: Note,
    /// How often it happened, those included that were not recorded.
    pub(crate) count: i64,
    /// When, microseconds.
    pub(crate) at: u64,
    /// Seed of the cluster and number of the event in it: its uid comes from them.
    pub(crate) origin: (u64, u64),
    /// `metadata.resourceVersion`.
    pub(crate) revision: u64,
}

impl Draft {
    /// The object.
    pub(crate) fn object(&self) -> Value {
        let Self { name, ns, about, note, .. } = self;
        let uid = uid(self.origin.0, Kind::Event, ns, name, self.origin.1);
        let now = rfc3339(self.at);
        let meta = value!({
            "creationTimestamp": (now.clone()),
            "name": name,
            "namespace": ns,
            "resourceVersion": (decimal(self.revision).share()),
            "uid": uid
        });
        let mut involved = reference(about);
        involved.set("resourceVersion", &about.meta()["resourceVersion"]);
        if !note.field_path.is_empty() {
            involved.set("fieldPath", &note.field_path);
        }
        let event_type = match note.event_type {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        };
        let mut event = value!({
            "apiVersion": "v1",
            "involvedObject": involved,
            "kind": "Event",
            "message": (note.message.clone()),
            "metadata": meta,
            "reason": (note.reason.clone()),
            "reportingComponent": (note.component.clone()),
            "reportingInstance": (note.host.clone()),
            "type": event_type
        } + 6);
        if note.by_scheduler() {
            event.set("action", if note.reason == "Scheduled" { "Binding" } else { "Scheduling" });
            event.set("eventTime", rfc3339_micro(self.at));
            event.set("firstTimestamp", Value::Null);
            event.set("lastTimestamp", Value::Null);
            event.set("reportingInstance", "default-scheduler-control-plane");
            event.set("source", Value::map());
        } else {
            let mut source = value!({"component": (note.component.clone())});
            if !note.host.is_empty() {
                source.set("host", note.host.clone());
            }
            event.set("count", self.count);
            event.set("eventTime", Value::Null);
            event.set("firstTimestamp", now.clone());
            event.set("lastTimestamp", now);
            event.set("source", source);
        }
        event
    }
}

/// The uid of the n-th object of its kind in a cluster of that seed.
pub(crate) fn uid(seed: u64, kind: Kind, ns: &str, name: &str, n: u64) -> Str {
    Stream::new(seed, &["uid", kind.info().kind, ns, name, decimal(n).as_str()]).uid()
}

/// Name of an event: the object's name and a time in hexadecimal; the serial number keeps
/// events of one moment apart.
pub(crate) fn name(about: &Object, at: u64, serial: u64) -> Str {
    let nanos = EPOCH * 1_000 * SECOND + at * 1_000 + serial % 1_000;
    let mut time = value::Short::default();
    time.number(nanos, 16, 16);
    [about.name_ref().as_str(), ".", time.as_str()].concat().into()
}

/// A Value naming the object, for `involvedObject` and target references.
pub fn reference(obj: &Object) -> Value {
    let mut r = value!({
        "apiVersion": (obj.kind.info().api_version),
        "kind": (obj.kind.info().kind),
        "name": (obj.name()),
        "uid": (obj.uid())
    } + 3);
    if obj.kind.info().namespaced {
        r.set("namespace", obj.ns());
    }
    r
}

/// What an event tells about which object, read without making the event's own object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told<'a> {
    /// Kind of the object.
    pub kind: &'a str,
    /// Its namespace.
    pub ns: &'a Str,
    /// Its name.
    pub name: &'a Str,
    /// Its uid.
    pub uid: &'a Str,
    /// The event's reason.
    pub reason: &'a Str,
}

impl Object {
    /// What this object tells, if it is an event with a reason.
    pub fn told(&self) -> Option<Told<'_>> {
        fn text(v: &Value) -> &Str {
            const NONE: &Str = &Str::Lit("");
            if let Value::Str(s) = v { s } else { NONE }
        }
        if let Some(Draft { about, note, .. }) = self.value.draft() {
            return Some(Told {
                kind: about.kind.info().kind,
                ns: about.ns_ref(),
                name: about.name_ref(),
                uid: about.uid_ref(),
                reason: &note.reason,
            });
        }
        let (about, reason) = (&self.value["involvedObject"], text(&self.value["reason"]));
        if self.kind != Kind::Event || reason.is_empty() {
            return None;
        }
        Some(Told {
            kind: about["kind"].str(),
            ns: text(&about["namespace"]),
            name: text(&about["name"]),
            uid: text(&about["uid"]),
            reason,
        })
    }
}
