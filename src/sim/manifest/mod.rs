//! Text to objects and back.

pub mod defaults;
pub mod parse;
pub mod print;
pub mod scalar;
pub mod validation;

use crate::api::quantity;
use crate::value::Value;

/// A quantity as the server stores it: `0.5Gi` is `512Mi`, `1000m` is `1`. What is no quantity
/// stays as it is, for the validation to name.
pub fn canonical_quantity(q: &Value) -> Value {
    match q {
        Value::Str(s) => quantity::canonical(s).map_or_else(|| q.clone(), Value::from),
        Value::Int(i) => i.to_string().into(),
        Value::Float(f) => {
            quantity::canonical(&f.to_string()).map_or_else(|| q.clone(), Value::from)
        }
        other => other.clone(),
    }
}
