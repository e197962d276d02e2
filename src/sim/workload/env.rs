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
    let find = |kind: Kind, name: &str| match given {
        Some(given) => given.objects.iter().find(|o| o.kind == kind && o.name() == name).cloned(),
        None => w.store.by_key(&Key::new(kind, pod.ns(), text(name))).cloned(),
    };
    let find = |kind: Kind, name: &Value| find(kind, name.str()).map(|o| o.value.clone());
    let links = pod.spec()["enableServiceLinks"].as_bool() != Some(false);
    let now = given.is_none().then(|| services(w, &pod.ns()));
    for service in given.map_or(&now.unwrap_or_default(), |g| &g.services).iter() {
        if links || is_own(service) {
            link(service, &mut vars);
        }
    }
    let pod = given.and_then(|g| g.objects.iter().find(|o| o.kind == Kind::Pod)).unwrap_or(pod);
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
            Some(mounts::field(w, pod, path))
        } else if !config.is_null() {
            let map = find(Kind::ConfigMap, &config["name"]);
            map.and_then(|m| Some(text(m["data"][key(config).as_str()].as_str()?)))
        } else if !secret.is_null() {
            let found = find(Kind::Secret, &secret["name"]);
            found.and_then(|s| mounts::secret_value(&s, &key(secret)))
        } else if !from["resourceFieldRef"].is_null() {
            Some(mounts::resource(w, pod, container, &from["resourceFieldRef"]))
        } else {
            Some(references(var["value"].str(), &vars))
        };
        // what is optional and not there is not set
        if let Some(value) = value {
            vars.push((var["name"].to_str(), value));
        }
    }
    vars
}

/// What a container's variables are made from, as it was when the container started.
#[derive(Clone, Debug)]
pub struct Given {
    /// ConfigMaps and Secrets, and the pod itself if its labels or annotations are asked for.
    objects: Vec<Obj>,
    /// The Services of its namespace.
    services: Rc<[Obj]>,
}

/// What the variables of a container that starts now are made from.
pub fn given(w: &mut World, pod: &Obj, container: &Value) -> Given {
    let all = container["envFrom"].items().iter();
    let single = container["env"].items().iter().map(|var| &var["valueFrom"]);
    let mut objects: Vec<Obj> = Vec::new();
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
                objects.push(obj.clone());
            }
        }
        // labels and annotations; the rest of the metadata does not change
        if from["fieldRef"]["fieldPath"].str().contains('[') {
            objects.push(pod.clone());
        }
    }
    let ns = pod.ns();
    let known = w.kubelet.services.get(&ns).cloned();
    let services = known.unwrap_or_else(|| {
        let list = services(w, &ns);
        w.kubelet.services.insert(ns, list.clone());
        list
    });
    Given { objects, services }
}

/// Is it the API server's own Service, whose variables every container has?
fn is_own(service: &Obj) -> bool {
    service.name() == "kubernetes" && service.ns() == "default"
}

/// The Services of which containers of a namespace have variables; later ones win.
fn services(w: &World, ns: &Str) -> Rc<[Obj]> {
    let own = w.store.get(Kind::Service, "default", "kubernetes").into_iter();
    let all = own.chain(w.store.list(Kind::Service, ns));
    all.filter(|s| !matches!(s.spec()["clusterIP"].str(), "" | "None")).cloned().collect()
}

/// The variables of one Service.
fn link(service: &Obj, vars: &mut Vec<(Str, Str)>) {
    let upper = |s: &str| s.to_uppercase().replace('-', "_");
    let name = upper(&service.name());
    let spec = service.spec();
    let ip = spec["clusterIP"].str();
    let mut set = |name: String, value: &str| vars.push((name.into(), text(value)));
    set(format!("{name}_SERVICE_HOST"), ip);
    for (i, p) in spec["ports"].items().iter().enumerate() {
        let port = p["port"].int_or(0).to_string();
        let protocol = p["protocol"].as_str().unwrap_or("TCP");
        let lower = protocol.to_lowercase();
        let url = format!("{lower}://{ip}:{port}");
        if i == 0 {
            set(format!("{name}_SERVICE_PORT"), &port);
            set(format!("{name}_PORT"), &url);
        }
        if let Some(word) = p["name"].as_str().filter(|n| !n.is_empty()) {
            set(format!("{name}_SERVICE_PORT_{}", upper(word)), &port);
        }
        let prefix = format!("{name}_PORT_{port}_{protocol}");
        set(format!("{prefix}_PROTO"), &lower);
        set(format!("{prefix}_PORT"), &port);
        set(format!("{prefix}_ADDR"), ip);
        set(prefix, &url);
    }
}

/// Kubernetes' own `$(NAME)` in a text; `$$` stands for a dollar sign.
pub fn references(value: &str, vars: &[(Str, Str)]) -> Str {
    if !value.contains('$') {
        return text(value);
    }
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            match vars.iter().rev().find(|(n, _)| n == name) {
                Some((_, v)) => out.push_str(v),
                None => out.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out.into()
}
