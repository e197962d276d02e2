//! Environment variables of a container.

use crate::api::{Key, Kind, Obj};
use crate::net::resolver;
use crate::storage::mounts;
use crate::value::{Str, Value, text};
use crate::world::World;

/// The variables of a container, in the order in which they were set.
pub fn env(w: &World, pod: &Obj, container: &Value) -> Vec<(Str, Str)> {
    let mut vars: Vec<(Str, Str)> = vec![
        ("PATH".into(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()),
        ("HOSTNAME".into(), resolver::hostname(pod)),
    ];
    let find = |kind: Kind, name: &Value| {
        w.store.by_key(&Key::new(kind, pod.ns(), name.to_str())).map(|o| o.value.clone())
    };
    for from in container["envFrom"].items() {
        let prefix = from["prefix"].str();
        if let Some(map) = find(Kind::ConfigMap, &from["configMapRef"]["name"]) {
            for (k, v) in map["data"].pairs() {
                vars.push((format!("{prefix}{k}").into(), v.to_str()));
            }
        }
        if let Some(secret) = find(Kind::Secret, &from["secretRef"]["name"]) {
            for (k, _) in secret["data"].pairs().chain(secret["stringData"].pairs()) {
                let value = mounts::secret_value(&secret, k).unwrap_or_default();
                vars.push((format!("{prefix}{k}").into(), value));
            }
        }
    }
    for var in container["env"].items() {
        let from = &var["valueFrom"];
        let key = |r: &Value| r["key"].str().to_owned();
        let (config, secret) = (&from["configMapKeyRef"], &from["secretKeyRef"]);
        let value = if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
            mounts::field(pod, path)
        } else if !config.is_null() {
            find(Kind::ConfigMap, &config["name"])
                .map(|m| m["data"][key(config).as_str()].to_str())
                .unwrap_or_default()
        } else if !secret.is_null() {
            find(Kind::Secret, &secret["name"])
                .and_then(|s| mounts::secret_value(&s, &key(secret)))
                .unwrap_or_default()
        } else {
            references(var["value"].str(), &vars)
        };
        vars.push((var["name"].to_str(), value));
    }
    vars.push(("KUBERNETES_SERVICE_HOST".into(), "10.96.0.1".into()));
    vars.push(("KUBERNETES_SERVICE_PORT".into(), "443".into()));
    vars
}

/// Kubernetes' own `$(NAME)` in the value of a variable.
fn references(value: &str, vars: &[(Str, Str)]) -> Str {
    if !value.contains("$(") {
        return text(value);
    }
    let mut out = value.to_owned();
    for (name, v) in vars {
        out = out.replace(&format!("$({name})"), v);
    }
    out.into()
}
