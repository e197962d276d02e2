//! Events: recorded with counts, as client-go's recorder does (behaviour/pod-lifecycle.md 9).

use std::collections::BTreeMap;

use crate::api::time::{EPOCH, SECOND, rfc3339, rfc3339_micro};
use crate::api::{Key, Kind, Object};
use crate::apiserver::{Sub, WriteOptions};
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Normal or Warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventType {
    /// Nothing wrong.
    Normal,
    /// Something to look at.
    Warning,
}

/// Remembers which event object counts which repetition.
#[derive(Clone, Default)]
pub struct Recorder {
    known: BTreeMap<(Str, Str, Str), Str>,
    serial: u64,
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
}

impl World {
    /// Records an event about an object; a repetition counts up the event that is there.
    pub fn event(&mut self, about: &Object, note: &Note) {
        let ns = if about.ns().is_empty() { Str::Lit("default") } else { about.ns() };
        let id = (
            about.uid(),
            note.reason.clone(),
            Str::from(format!("{}{}", note.field_path, note.message)),
        );
        let scheduler = note.component == "default-scheduler";
        if let Some(name) = self.recorder.known.get(&id).cloned() {
            let key = Key::new(Kind::Event, ns.clone(), name);
            let now = self.now;
            let counted = self.modify(&key, Sub::Main, |e| {
                if scheduler {
                    let count = e["series"]["count"].int_or(1) + 1;
                    e.set(
                        "series",
                        value!({"count": count, "lastObservedTime": (rfc3339_micro(now))}),
                    );
                } else {
                    let count = e["count"].int_or(1) + 1;
                    e.set("count", count);
                    e.set("lastTimestamp", rfc3339(now));
                }
            });
            if counted.is_some() {
                return;
            }
        }
        self.recorder.serial += 1;
        // names are the object's name and a time in hexadecimal; the serial keeps them apart
        let nanos = EPOCH * 1_000 * SECOND + self.now * 1_000 + self.recorder.serial % 1_000;
        let name: Str = format!("{}.{nanos:016x}", about.name()).into();
        let mut involved = super::reference(about);
        involved.set("resourceVersion", about.resource_version().to_owned());
        if !note.field_path.is_empty() {
            involved.set("fieldPath", note.field_path.clone());
        }
        let event_type = match note.event_type {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        };
        let mut event = value!({
            "involvedObject": involved,
            "message": (note.message.clone()),
            "metadata": {"name": (name.clone()), "namespace": (ns)},
            "reason": (note.reason.clone()),
            "reportingComponent": (note.component.clone()),
            "reportingInstance": (note.host.clone()),
            "type": event_type
        });
        if scheduler {
            event.set("action", if note.reason == "Scheduled" { "Binding" } else { "Scheduling" });
            event.set("eventTime", rfc3339_micro(self.now));
            event.set("firstTimestamp", Value::Null);
            event.set("lastTimestamp", Value::Null);
            event.set("reportingInstance", "default-scheduler-control-plane");
            event.set("source", Value::map());
        } else {
            let mut source = value!({"component": (note.component.clone())});
            if !note.host.is_empty() {
                source.set("host", note.host.clone());
            }
            event.set("count", 1);
            event.set("eventTime", Value::Null);
            event.set("firstTimestamp", rfc3339(self.now));
            event.set("lastTimestamp", rfc3339(self.now));
            event.set("source", source);
        }
        let opts = WriteOptions { trusted: true, dry_run: false };
        if self.create(Kind::Event, event, opts).is_ok() {
            self.recorder.known.insert(id, name);
        }
    }
}
