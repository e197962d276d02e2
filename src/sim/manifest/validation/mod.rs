//! Field validation with the server's texts, in the server's order
//! (behaviour/validation.md 2 to 6).

mod diff;
mod names;
mod pod;
mod service;
mod storage;
mod workload;

use crate::api::Kind;
use crate::apiserver::error::Cause;
use crate::value::Value;

pub use names::{is_label, is_subdomain};

/// Collects what is wrong.
#[derive(Default)]
pub(crate) struct Errors(Vec<Cause>);

impl Errors {
    fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Cause { field: field.into().into(), message: message.into().into() });
    }

    fn required(&mut self, field: impl Into<String>, detail: &str) {
        let tail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        self.add(field, format!("Required value{tail}"));
    }

    fn invalid(
        &mut self,
        field: impl Into<String>,
        value: impl AsRef<str>,
        detail: impl AsRef<str>,
    ) {
        self.add(field, format!("Invalid value: {}: {}", value.as_ref(), detail.as_ref()));
    }

    fn forbidden(&mut self, field: impl Into<String>, detail: impl AsRef<str>) {
        self.add(field, format!("Forbidden: {}", detail.as_ref()));
    }

    fn duplicate(&mut self, field: impl Into<String>, value: &str) {
        self.add(field, format!("Duplicate value: {value}"));
    }

    fn unsupported(&mut self, field: impl Into<String>, value: &str, known: &[&str]) {
        let known: Vec<String> = known.iter().map(|k| format!("{k:?}")).collect();
        let list = known.join(", ");
        self.add(field, format!("Unsupported value: {value:?}: supported values: {list}"));
    }

    /// One of these texts, if it is there.
    fn one_of(&mut self, field: impl Into<String>, v: &Value, known: &[&str]) {
        if let Some(s) = v.as_str()
            && !known.contains(&s)
        {
            self.unsupported(field, s, known);
        }
    }

    /// A whole number that may not be negative.
    fn not_negative(&mut self, field: impl Into<String>, v: &Value) {
        if let Some(n) = v.as_int().filter(|n| *n < 0) {
            self.invalid(field, n.to_string(), "must be greater than or equal to 0");
        }
    }
}

/// A text as an error shows it.
fn quoted(s: &str) -> String {
    Value::Str(crate::value::text(s)).to_string()
}

/// What is wrong with a new object; nothing if it is fine.
pub fn create(kind: Kind, value: &Value) -> Vec<Cause> {
    let mut e = Errors::default();
    names::metadata(&mut e, kind, value);
    match kind {
        Kind::StatefulSet => workload::statefulset(&mut e, value, None),
        Kind::Deployment => workload::deployment(&mut e, value, None),
        Kind::ReplicaSet => workload::replicaset(&mut e, value, None),
        Kind::DaemonSet | Kind::Job => {
            pod::template(&mut e, "spec.template", &value["spec"]["template"], &[]);
        }
        Kind::Pod => pod::spec(&mut e, "spec", &value["spec"], &[]),
        Kind::Service => service::service(&mut e, value, None),
        Kind::PersistentVolumeClaim => storage::claim_spec(&mut e, "spec", &value["spec"]),
        Kind::PersistentVolume => storage::volume(&mut e, value),
        Kind::StorageClass => storage::class(&mut e, value, None),
        Kind::PodDisruptionBudget => workload::budget(&mut e, value),
        _ => {}
    }
    e.0
}

/// What is wrong with an update.
pub fn update(kind: Kind, new: &Value, old: &Value) -> Vec<Cause> {
    let mut e = Errors::default();
    names::metadata(&mut e, kind, new);
    match kind {
        Kind::StatefulSet => workload::statefulset(&mut e, new, Some(old)),
        Kind::Deployment => workload::deployment(&mut e, new, Some(old)),
        Kind::ReplicaSet => workload::replicaset(&mut e, new, Some(old)),
        Kind::Pod => pod::update(&mut e, new, old),
        Kind::Service => service::service(&mut e, new, Some(old)),
        Kind::PersistentVolumeClaim => storage::claim_update(&mut e, new, old),
        Kind::PersistentVolume => {
            storage::volume(&mut e, new);
            storage::volume_update(&mut e, new, old);
        }
        Kind::StorageClass => storage::class(&mut e, new, Some(old)),
        Kind::PodDisruptionBudget => workload::budget(&mut e, new),
        _ => {}
    }
    e.0
}

/// What the server warns of while it accepts the object.
pub fn warnings(kind: Kind, new: &Value) -> Vec<String> {
    let mut out = Vec::new();
    if kind == Kind::StatefulSet && new["spec"]["revisionHistoryLimit"].int_or(0) < 0 {
        out.push("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended".into());
    }
    if kind == Kind::PersistentVolume
        && new["spec"]["persistentVolumeReclaimPolicy"].str() == "Recycle"
    {
        out.push("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.".into());
    }
    if kind == Kind::Endpoints {
        out.push(
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".into(),
        );
    }
    let (path, spec) = match kind {
        Kind::Pod => ("spec", &new["spec"]),
        Kind::StatefulSet | Kind::Deployment | Kind::ReplicaSet | Kind::DaemonSet | Kind::Job => {
            ("spec.template.spec", &new["spec"]["template"]["spec"])
        }
        _ => return out,
    };
    pod::warnings(&mut out, path, spec);
    out
}
