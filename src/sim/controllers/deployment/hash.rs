//! The hash of a pod template, in the names of ReplicaSets.

use crate::value::Value;

/// Hash of a template.
pub(super) fn of(template: &Value, collisions: Option<i64>) -> String {
    crate::controllers::statefulset::revision::hash(template, collisions.unwrap_or(0))
}
