//! Text to objects and back.

pub mod acted;
pub mod defaults;
pub mod diagnose;
pub mod json;
mod nesting;
pub mod parse;
pub mod print;
pub mod scalar;
pub mod validation;

use crate::api::quantity;
use crate::value::Value;

/// A quantity as the server stores it: `0.5Gi` is `512Mi`, `1000m` is `1`. What is no quantity
/// stays as it is, for the validation to name.
pub fn canonical_quantity(q: &Value) -> Value {
    quantity_by(q, quantity::canonical)
}

/// The same in a list of resources.
pub fn canonical_resource(q: &Value) -> Value {
    quantity_by(q, quantity::canonical_resource)
}

fn quantity_by(q: &Value, form: impl Fn(&str) -> Option<String>) -> Value {
    let text = match q {
        Value::Str(s) => s.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        other => return other.clone(),
    };
    form(&text).map_or_else(|| q.clone(), Value::from)
}
