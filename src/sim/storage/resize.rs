//! Admission of a claim's growth (behaviour/storage.md 10).

use crate::api::{Kind, quantity};
use crate::apiserver::error::Status;
use crate::value::Value;
use crate::world::World;

/// May this claim grow? Anything else than growth is none of this plugin's business.
///
/// # Errors
/// 403 where the claim is not bound, or its class does not allow it.
pub fn admit_resize(w: &World, new: &Value, old: &Value) -> Result<(), Status> {
    let size = |v: &Value| quantity::milli(v["spec"]["resources"]["requests"]["storage"].str());
    if size(new) <= size(old) {
        return Ok(());
    }
    let refuse = |why: &str| {
        let name = old["metadata"]["name"].str();
        Err(Status::forbidden(Kind::PersistentVolumeClaim, name, why))
    };
    if old["status"]["phase"].str() != "Bound" {
        return refuse("Only bound persistent volume claims can be expanded");
    }
    let class = |v: &Value| super::claims::class_named(v).to_owned();
    let grows = class(new) == class(old)
        && w.store
            .get(Kind::StorageClass, "", &class(old))
            .is_some_and(|c| c.value["allowVolumeExpansion"].is_true());
    if grows {
        Ok(())
    } else {
        refuse(
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
        )
    }
}
