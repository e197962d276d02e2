//! Growth of claims (behaviour/storage.md 10).

use crate::apiserver::error::Status;
use crate::value::Value;
use crate::world::World;

/// May this claim grow?
///
/// # Errors
/// 403 where not.
pub fn admit_resize(_w: &World, _new: &Value, _old: &Value) -> Result<(), Status> {
    Ok(())
}
