//! The rest of `kubectl create`: jobs, roles and bindings, priority classes, ingresses, secrets
//! of other types. What has no controller here is stored and shown as on any server.

use crate::api::Kind;
use crate::kubectl::args::Args;
use crate::kubectl::files;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::generate::{make, name, words};
use crate::value;
use crate::value::{Map, Value, text};
use crate::world::World;

fn list(items: impl IntoIterator<Item = String>) -> Value {
    items.into_iter().map(|s| Value::from(text(&s))).collect::<Vec<_>>().into()
}

fn required(args: &Args, flags: &[&str]) -> Res<()> {
    let missing: Vec<String> =
        flags.iter().filter(|f| !args.given(f)).map(|f| format!("{f:?}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("required flag(s) {} not set", missing.join(", "))))
}

/// `kubectl create priorityclass`.
pub fn priority_class(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let mut v = value!({
            "metadata": {"name": (text(n))},
            "preemptionPolicy": (text(args.get("preemption-policy").unwrap_or("PreemptLowerPriority"))),
            "value": (args.int("value").unwrap_or(0))
        });
        if args.on("global-default") {
            v.set("globalDefault", true);
        }
        if let Some(about) = args.get("description") {
            v.set("description", text(about));
        }
        make(w, io, args, Kind::PriorityClass, v, "failed to create priorityclass:", "created")
    });
    ended(io, result)
}

/// A pod template's spec with one container, as `create job` makes it.
fn one_container(n: &str, image: &str, command: &[Value], restart: &str) -> Value {
    let mut c = value!({"image": (text(image)), "name": (text(n)), "resources": {}});
    if !command.is_empty() {
        c.set("command", command.to_vec());
    }
    value!({"containers": [c], "restartPolicy": (text(restart))})
}

/// `kubectl create job`.
pub fn job(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let command = words(args);
        let metadata = value!({"name": (text(n))});
        let spec = match (args.get("image"), args.get("from")) {
            (None, None) => {
                return Err(Failure::new("either --image or --from must be specified"));
            }
            (Some(_), Some(_)) => {
                return Err(Failure::new("either --image or --from must be specified"));
            }
            (Some(image), None) => {
                value!({"template": {"metadata": {}, "spec": (one_container(n, image, &command, "Never"))}})
            }
            (None, Some(from)) => {
                if !command.is_empty() {
                    return Err(Failure::new("cannot specify --from and command"));
                }
                let (kind, of) = from.split_once('/').unwrap_or(("", from));
                if Kind::from_word(kind) != Some(Kind::CronJob) {
                    return Err(Failure::new(format!(
                        "from must be an existing cronjob: {from}"
                    )));
                }
                let Some(obj) = w.store.get(Kind::CronJob, &args.ns(w), of) else {
                    return Err(crate::apiserver::error::Status::not_found(Kind::CronJob, of).into());
                };
                obj.spec()["jobTemplate"]["spec"].clone()
            }
        };
        let v = value!({"metadata": metadata, "spec": spec, "status": {}});
        make(w, io, args, Kind::Job, v, "failed to create job:", "created")
    });
    ended(io, result)
}

/// `kubectl create cronjob`.
pub fn cron_job(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result =
        required(args, &["image", "schedule"]).and_then(|()| name(args, 1)).and_then(|n| {
            let restart = args.get("restart").unwrap_or("OnFailure");
            let spec = one_container(n, args.text("image"), &words(args), restart);
            let v = value!({
                "metadata": {"name": (text(n))},
                "spec": {
                    "jobTemplate": {
                        "metadata": {"name": (text(n))},
                        "spec": {"template": {"metadata": {}, "spec": spec}}
                    },
                    "schedule": (text(args.text("schedule")))
                },
                "status": {}
            });
            make(w, io, args, Kind::CronJob, v, "failed to create cronjob:", "created")
        });
    ended(io, result)
}

/// The rules of `create role`: each resource's group gets one.
fn rules(args: &Args) -> Res<Vec<Value>> {
    let verbs = args.list("verb");
    if verbs.is_empty() {
        return Err(Failure::new("at least one verb must be specified"));
    }
    let urls = args.list("non-resource-url");
    if !urls.is_empty() {
        return Ok(vec![value!({"nonResourceURLs": (list(urls)), "verbs": (list(verbs))})]);
    }
    let resources = args.list("resource");
    if resources.is_empty() {
        return Err(Failure::new("at least one resource must be specified"));
    }
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for word in resources {
        let (word, sub) = word.split_once('/').map_or((word.as_str(), None), |(w, s)| (w, Some(s)));
        let (group, plural) = if word == "*" {
            (String::new(), "*".to_owned())
        } else {
            let kind = Kind::from_word(word).ok_or_else(|| {
                Failure::new(format!("the server doesn't have a resource type {word:?}"))
            })?;
            (kind.info().group.to_owned(), kind.info().plural.to_owned())
        };
        let full = sub.map_or(plural.clone(), |s| format!("{plural}/{s}"));
        match groups.iter_mut().find(|(g, _)| *g == group) {
            Some((_, list)) => list.push(full),
            None => groups.push((group, vec![full])),
        }
    }
    let names = args.list("resource-name");
    Ok(groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = value!({
                "apiGroups": [(text(&group))], "resources": (list(resources)), "verbs": (list(verbs.clone()))
            });
            if !names.is_empty() {
                rule.set("resourceNames", list(names.clone()));
            }
            rule
        })
        .collect())
}

/// `kubectl create role`, `clusterrole`.
pub fn role(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let (kind, what) = if args.verb.ends_with("clusterrole") {
        (Kind::ClusterRole, "clusterrole")
    } else {
        (Kind::Role, "role")
    };
    let result = name(args, 1).and_then(|n| {
        let v = value!({"metadata": {"name": (text(n))}, "rules": (rules(args)?)});
        make(w, io, args, kind, v, &format!("failed to create {what}:"), "created")
    });
    ended(io, result)
}

/// `kubectl create rolebinding`, `clusterrolebinding`.
pub fn binding(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let cluster = args.verb.ends_with("clusterrolebinding");
    let (kind, what) = if cluster {
        (Kind::ClusterRoleBinding, "clusterrolebinding")
    } else {
        (Kind::RoleBinding, "rolebinding")
    };
    let result = name(args, 1).and_then(|n| {
        let reference = match (args.get("clusterrole"), args.get("role")) {
            (Some(r), None) => ("ClusterRole", r),
            (None, Some(r)) => ("Role", r),
            (None, None) if cluster => {
                return Err(Failure::new("required flag(s) \"clusterrole\" not set"));
            }
            _ => return Err(Failure::new("exactly one of clusterrole or role must be specified")),
        };
        let group = "rbac.authorization.k8s.io";
        let mut subjects = Vec::new();
        for (flag, kind) in [("user", "User"), ("group", "Group")] {
            for who in args.list(flag) {
                subjects.push(value!({"apiGroup": group, "kind": kind, "name": (text(&who))}));
            }
        }
        for account in args.list("serviceaccount") {
            let Some((ns, who)) = account.split_once(':') else {
                return Err(Failure::new("serviceaccount must be <namespace>:<name>"));
            };
            subjects.push(
                value!({"kind": "ServiceAccount", "name": (text(who)), "namespace": (text(ns))}),
            );
        }
        let mut v = value!({
            "metadata": {"name": (text(n))},
            "roleRef": {"apiGroup": group, "kind": (reference.0), "name": (text(reference.1))}
        });
        if !subjects.is_empty() {
            v.set("subjects", subjects);
        }
        make(w, io, args, kind, v, &format!("failed to create {what}:"), "created")
    });
    ended(io, result)
}

/// `kubectl create ingress`.
pub fn ingress(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let mut rules: Vec<Value> = Vec::new();
        let mut tls: Vec<Value> = Vec::new();
        let backend = |svc: &str| -> Res<Value> {
            let bad = || Failure::new(format!("rule {svc} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"));
            let (service, port) = svc.split_once(':').ok_or_else(bad)?;
            let port = port.parse::<i64>().map_or_else(
                |_| value!({"name": (text(port))}),
                |p| value!({"number": p}),
            );
            Ok(value!({"service": {"name": (text(service)), "port": port}}))
        };
        for rule in args.all("rule") {
            let mut parts = rule.split(',');
            let first = parts.next().unwrap_or("");
            let bad = || Failure::new(format!("rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"));
            let (address, svc) = first.split_once('=').ok_or_else(bad)?;
            let (host, path) = address.split_once('/').ok_or_else(bad)?;
            let (path, kind) = match path.strip_suffix('*') {
                Some(p) => (p, "Prefix"),
                None => (path, "Exact"),
            };
            let path = value!({
                "backend": (backend(svc)?), "path": (format!("/{path}")), "pathType": kind
            });
            let known = rules.iter_mut().find(|r| r["host"].str() == host);
            if let Some(known) = known {
                known.path_mut("http.paths").list_mut().push(path);
            } else {
                let mut r = value!({"http": {"paths": [path]}});
                if !host.is_empty() {
                    r.set("host", text(host));
                }
                rules.push(r);
            }
            if let Some(secret) = parts.next() {
                let mut t = value!({"hosts": [(text(host))]});
                if let Some((_, s)) = secret.split_once('=') {
                    t.set("secretName", text(s));
                }
                tls.push(t);
            }
        }
        let mut spec = Value::map();
        if let Some(class) = args.get("class") {
            spec.set("ingressClassName", text(class));
        }
        if let Some(svc) = args.get("default-backend") {
            spec.set("defaultBackend", backend(svc)?);
        }
        if rules.is_empty() && spec["defaultBackend"].is_null() {
            return Err(Failure::new("not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)"));
        }
        if !rules.is_empty() {
            spec.set("rules", rules);
        }
        if !tls.is_empty() {
            spec.set("tls", tls);
        }
        let v = value!({
            "metadata": {"name": (text(n))}, "spec": spec, "status": {"loadBalancer": {}}
        });
        make(w, io, args, Kind::Ingress, v, "failed to create ingress:", "created")
    });
    ended(io, result)
}

/// `kubectl create secret tls`, `docker-registry`.
pub fn other_secret(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let tls = args.verb.ends_with("tls");
    let result = name(args, 1).and_then(|n| {
        let mut data = Map::new();
        let kind = if tls {
            for (flag, key) in [("cert", "tls.crt"), ("key", "tls.key")] {
                let path = args.text(flag);
                if path.is_empty() {
                    return Err(Failure::new("key and cert must be specified"));
                }
                let Some(t) = files::read(w, io, path) else {
                    return Err(Failure::new(format!("open {path}: no such file or directory")));
                };
                data.insert(text(key), crate::base64::encode(t.as_bytes()));
            }
            "kubernetes.io/tls"
        } else {
            let (user, password) = (args.text("docker-username"), args.text("docker-password"));
            if user.is_empty() || password.is_empty() {
                return Err(Failure::new(
                    "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
                ));
            }
            let server = args.get("docker-server").unwrap_or("https://index.docker.io/v1/");
            let auth = crate::base64::encode(format!("{user}:{password}").as_bytes());
            let mut entry = value!({"username": (text(user)), "password": (text(password)), "auth": auth});
            if let Some(mail) = args.get("docker-email") {
                entry.set("email", text(mail));
            }
            let mut servers = Value::map();
            servers.set(text(server), entry);
            let config = value!({"auths": servers}).to_string();
            data.insert(text(".dockerconfigjson"), crate::base64::encode(config.as_bytes()));
            "kubernetes.io/dockerconfigjson"
        };
        let v = value!({"data": data, "metadata": {"name": (text(n))}, "type": kind});
        make(w, io, args, Kind::Secret, v, "failed to create secret", "created")
    });
    ended(io, result)
}
