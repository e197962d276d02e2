//! Field validation with the server's texts.
use crate::api::Kind;
use crate::apiserver::error::Cause;
use crate::value::Value;

/// What is wrong with a new object.
pub fn create(_kind: Kind, _value: &Value) -> Vec<Cause> {
    Vec::new()
}

/// What is wrong with an update.
pub fn update(_kind: Kind, _new: &Value, _old: &Value) -> Vec<Cause> {
    Vec::new()
}
