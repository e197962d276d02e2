//! Environment variables of a container.

use std::rc::Rc;

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
    // as they were when the container started: a later change does not reach it
    let uid = pod.uid();
    let run = w.kubelet.pod(&uid).and_then(|run| {
        run.containers.iter().find(|c| c.name == container["name"].str() && c.running())
    });
    let given = run.and_then(|c| c.given.as_deref());
    let find = |kind: Kind, name: &Value| match given {
        Some(given) => {
            given.iter().find(|o| o.kind == kind && o.name() == name.str()).map(|o| o.value.clone())
        }
        None => w.store.by_key(&Key::new(kind, pod.ns(), name.to_str())).map(|o| o.value.clone()),
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
            Some(mounts::field(pod, path))
        } else if !config.is_null() {
            let map = find(Kind::ConfigMap, &config["name"]);
            map.and_then(|m| Some(text(m["data"][key(config).as_str()].as_str()?)))
        } else if !secret.is_null() {
            let found = find(Kind::Secret, &secret["name"]);
            found.and_then(|s| mounts::secret_value(&s, &key(secret)))
        } else {
            Some(references(var["value"].str(), &vars))
        };
        // what is optional and not there is not set
        if let Some(value) = value {
            vars.push((var["name"].to_str(), value));
        }
    }
    vars.push(("KUBERNETES_SERVICE_HOST".into(), "10.96.0.1".into()));
    vars.push(("KUBERNETES_SERVICE_PORT".into(), "443".into()));
    vars
}

/// The ConfigMaps and Secrets that a container's variables are made from, if there are any.
pub fn sources(w: &World, pod: &Obj, container: &Value) -> Option<Rc<[Obj]>> {
    let all = container["envFrom"].items().iter();
    let single = container["env"].items().iter().map(|var| &var["valueFrom"]);
    let mut found: Vec<Obj> = Vec::new();
    for from in all.chain(single) {
        for (field, kind) in [
            ("configMapRef", Kind::ConfigMap),
            ("configMapKeyRef", Kind::ConfigMap),
            ("secretRef", Kind::Secret),
            ("secretKeyRef", Kind::Secret),
        ] {
            let name = from.get(field)["name"].str();
            if !name.is_empty()
                && let Some(obj) = w.store.get(kind, &pod.ns(), name)
            {
                found.push(obj.clone());
            }
        }
    }
    (!found.is_empty()).then(|| found.into())
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
