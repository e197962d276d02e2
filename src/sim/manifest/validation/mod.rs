//! Field validation with the server's texts, in the server's order
//! (behaviour/validation.md 2 to 6).

mod config;
mod container;
mod diff;
mod jobs;
mod names;
mod namespace;
mod placement;
mod pod;
mod resources;
mod security;
mod service;
mod storage;
#[cfg(test)]
mod tests;
mod volume;
mod warnings;
mod workload;

use crate::api::{Kind, quantity};
use crate::apiserver::error::Cause;
use crate::value::Value;

pub use container::port_name_faults;
pub use names::{config_key_faults, is_label, is_subdomain};
pub use warnings::warnings;

/// When an image is pulled.
const PULL: &[&str] = &["Always", "IfNotPresent", "Never"];

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

    fn not_found(&mut self, field: impl Into<String>, name: &str) {
        self.add(field, format!("Not found: {}", quoted(name)));
    }

    /// A whole number between two others, if it is there.
    fn range(&mut self, field: impl Into<String>, v: &Value, lo: i64, hi: i64, detail: &str) {
        if let Some(n) = v.as_int().filter(|n| !(lo..=hi).contains(n)) {
            self.invalid(field, n.to_string(), detail);
        }
    }

    /// A number, or a percentage.
    fn number_or_percent(&mut self, field: &str, v: &Value) {
        if let Value::Str(s) = v {
            if percent(s).is_none() {
                self.invalid(field, quoted(s), PERCENT);
            }
        } else {
            self.not_negative(field, v);
        }
    }

    /// A percentage is 100 at most.
    fn at_most_all(&mut self, field: &str, v: &Value) {
        if percent(v.str()).is_some_and(|n| n > 100) {
            self.invalid(field, v.to_string(), "must not be greater than 100%");
        }
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

const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/// What is wrong with the addresses that a Service asks for: the server looks at them before
/// all else.
pub fn service_addresses(svc: &Value) -> Vec<Cause> {
    let mut e = Errors::default();
    service::addresses(&mut e, &svc["spec"]);
    e.0
}

/// The number of `25%`.
fn percent(s: &str) -> Option<u64> {
    let digits = s.strip_suffix('%').filter(|d| !d.is_empty())?;
    let all = digits.bytes().all(|b| b.is_ascii_digit());
    all.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// A quantity in thousandths.
fn amount(v: &Value) -> Option<i128> {
    match v {
        Value::Int(i) => Some(i128::from(*i) * 1000),
        v => quantity::milli(v.str()),
    }
}

/// A quantity as the server prints it.
fn amount_text(v: &Value) -> String {
    match crate::manifest::canonical_quantity(v) {
        Value::Str(s) => s.to_string(),
        _ => String::new(),
    }
}

/// What is wrong with a new object; nothing if it is fine.
pub fn create(kind: Kind, value: &Value) -> Vec<Cause> {
    validate(kind, value, None)
}

/// What is wrong with an update.
pub fn update(kind: Kind, new: &Value, old: &Value) -> Vec<Cause> {
    validate(kind, new, Some(old))
}

fn validate(kind: Kind, value: &Value, old: Option<&Value>) -> Vec<Cause> {
    let e = &mut Errors::default();
    names::metadata(e, kind, value, old);
    match kind {
        Kind::StatefulSet => workload::statefulset(e, value, old),
        Kind::Deployment => workload::deployment(e, value, old),
        Kind::ReplicaSet => workload::replicaset(e, value, old),
        Kind::DaemonSet => workload::daemonset(e, value, old),
        Kind::Job => jobs::job(e, "spec", &value["spec"]),
        Kind::CronJob => jobs::cron_job(e, value),
        Kind::PriorityClass => jobs::priority(e, value, old),
        Kind::PodTemplate => pod::template(e, "template", &value["template"], &[]),
        Kind::Pod => match old {
            None => pod::create(e, value),
            Some(old) => pod::update(e, value, old),
        },
        Kind::Service => service::service(e, value, old),
        Kind::PersistentVolumeClaim => {
            storage::claim_spec(e, "spec", &value["spec"]);
            if let Some(old) = old {
                storage::claim_update(e, value, old);
            }
        }
        Kind::PersistentVolume => {
            storage::volume(e, value);
            if let Some(old) = old {
                storage::volume_update(e, value, old);
            }
        }
        Kind::StorageClass => storage::class(e, value, old),
        Kind::PodDisruptionBudget => workload::budget(e, value),
        Kind::ConfigMap => config::config_map(e, value, old),
        Kind::Secret => config::secret(e, value, old),
        Kind::ResourceQuota => namespace::quota(e, value, old),
        Kind::LimitRange => namespace::range(e, value),
        Kind::Endpoints => namespace::endpoints(e, value),
        Kind::EndpointSlice => namespace::slice(e, value, old),
        Kind::HorizontalPodAutoscaler => namespace::autoscaler(e, value),
        Kind::Node => placement::taints(e, &value["spec"]["taints"]),
        _ => {}
    }
    std::mem::take(&mut e.0)
}
