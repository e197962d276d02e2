//! ConfigMaps and Secrets that a pod names and that are not there
//! (behaviour/pod-lifecycle.md 5).

use crate::api::{Key, Kind, Obj};
use crate::value::Value;
use crate::world::World;

/// What is missing: the sentence, and the object to wait for.
pub(super) type Missing = (String, Key);

fn object(w: &World, pod: &Obj, kind: Kind, name: &Value) -> Result<Option<Obj>, Missing> {
    let key = Key::new(kind, pod.ns(), name.to_str());
    match w.store.by_key(&key) {
        Some(o) => Ok(Some(o.clone())),
        // every namespace has it
        None if name.str() == "kube-root-ca.crt" => Ok(None),
        None => {
            let word = if kind == Kind::Secret { "secret" } else { "configmap" };
            Err((format!("{word} \"{}\" not found", name.str()), key))
        }
    }
}

/// Is everything there that a container's environment is made from?
pub(super) fn environment(w: &World, pod: &Obj, container: &Value) -> Result<(), Missing> {
    for from in container["envFrom"].items() {
        for (field, kind) in [("configMapRef", Kind::ConfigMap), ("secretRef", Kind::Secret)] {
            let r = &from[field];
            if !r.is_null() && !r["optional"].is_true() {
                object(w, pod, kind, &r["name"])?;
            }
        }
    }
    for var in container["env"].items() {
        let refs = [
            ("configMapKeyRef", Kind::ConfigMap, "ConfigMap"),
            ("secretKeyRef", Kind::Secret, "Secret"),
        ];
        for (field, kind, word) in refs {
            let r = &var["valueFrom"][field];
            if r.is_null() || r["optional"].is_true() {
                continue;
            }
            if let Some(o) = object(w, pod, kind, &r["name"])? {
                let key = r["key"].str();
                let parts = ["data", "binaryData", "stringData"];
                if !parts.iter().any(|part| o.value[*part].has(key)) {
                    let text =
                        format!("couldn't find key {key} in {word} {}/{}", pod.ns(), o.name());
                    return Err((text, o.key()));
                }
            }
        }
    }
    Ok(())
}

/// Is everything there that a pod's volumes are made from? Gives the volume's name too.
pub(super) fn volumes(w: &World, pod: &Obj) -> Result<(), (String, Missing)> {
    for volume in pod.spec()["volumes"].items() {
        let own = [volume];
        let projected = volume["projected"]["sources"].items().iter();
        for source in own.into_iter().chain(projected) {
            for (field, kind) in [("configMap", Kind::ConfigMap), ("secret", Kind::Secret)] {
                let r = &source[field];
                if r.is_null() || r["optional"].is_true() {
                    continue;
                }
                let name = if r["secretName"].is_null() { &r["name"] } else { &r["secretName"] };
                let wrong = |m| (volume["name"].str().to_owned(), m);
                let Some(o) = object(w, pod, kind, name).map_err(wrong)? else { continue };
                for item in r["items"].items() {
                    let key = item["key"].str();
                    if !["data", "binaryData", "stringData"].iter().any(|p| o.value[*p].has(key)) {
                        let text = "references non-existent config key: ";
                        let text = if kind == Kind::Secret {
                            "references non-existent secret key: ".to_owned() + key
                        } else {
                            text.to_owned() + key
                        };
                        return Err(wrong((text, o.key())));
                    }
                }
            }
        }
    }
    Ok(())
}
