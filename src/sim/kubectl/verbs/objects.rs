//! The rest of `kubectl create`: jobs, roles and bindings, priority classes, ingresses, secrets
//! of other types. What has no controller here is stored and shown as on any server.

use crate::api::Kind;
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::generate::{make, name, words};
use crate::value;
use crate::value::{Value, text};
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

/// The verbs of requests for objects.
const VERBS: &str = "* get delete list create update patch watch proxy deletecollection use bind escalate impersonate";

/// The verbs of requests for other addresses.
const URL_VERBS: &str = "* get post put delete patch head options";

fn among(words: &str, word: &str) -> bool {
    words.split(' ').any(|w| w == word)
}

/// A flag's values, each once; `*` stands for all of them.
fn each(args: &Args, flag: &str) -> Vec<String> {
    let mut all = args.list(flag);
    if all.iter().any(|v| v == "*") {
        return vec!["*".to_owned()];
    }
    let mut at = 0;
    while let Some(v) = all.get(at).cloned() {
        at += 1;
        let mut n = 0;
        all.retain(|other| {
            n += 1;
            n <= at || *other != v
        });
    }
    all
}

/// The rules of `create role`: each resource's group gets one.
fn rules(io: &mut Io, args: &Args) -> Res<Vec<Value>> {
    let verbs = each(args, "verb");
    if verbs.is_empty() {
        return Err(Failure::new("at least one verb must be specified"));
    }
    let urls = args.list("non-resource-url");
    let resources = each(args, "resource");
    if resources.is_empty() && urls.is_empty() {
        return Err(Failure::new(if args.verb.ends_with("clusterrole") {
            "one of resource or nonResourceURL must be specified"
        } else {
            "at least one resource must be specified"
        }));
    }
    let mut all = Vec::new();
    if !resources.is_empty() {
        for verb in verbs.iter().filter(|v| !among(VERBS, v)) {
            io.warn(format!("'{verb}' is not a standard resource verb"));
        }
        all = of_groups(args, &verbs, resources)?;
    }
    if !urls.is_empty() {
        if let Some(verb) = verbs.iter().find(|v| !among(URL_VERBS, v)) {
            return Err(Failure::new(format!("invalid verb: '{verb}' for nonResourceURL")));
        }
        if urls.iter().any(|u| u != "*" && !u.starts_with('/')) {
            return Err(Failure::new("nonResourceURL should start with /"));
        }
        if urls.iter().any(|u| u.trim_end_matches('*').contains('*') || u.ends_with("**")) {
            return Err(Failure::new(
                "nonResourceURL only supports wildcard matches when '*' is at the end",
            ));
        }
        all.push(value!({"nonResourceURLs": (list(urls)), "verbs": (list(verbs))}));
    }
    Ok(all)
}

fn of_groups(args: &Args, verbs: &[String], resources: Vec<String>) -> Res<Vec<Value>> {
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
                "apiGroups": [(text(&group))], "resources": (list(resources)), "verbs": (list(verbs.to_vec()))
            });
            if !names.is_empty() {
                rule.set("resourceNames", list(names.clone()));
            }
            rule
        })
        .collect())
}

/// A rule that takes in what other roles allow.
fn aggregation(args: &Args) -> Res<Value> {
    let given = args.text("aggregation-rule");
    let mut labels = Value::map();
    for pair in given.split(',') {
        let Some((k, v)) = pair.split_once('=') else {
            return Err(args.bad_flag(&format!(
                "invalid argument {given:?} for \"--aggregation-rule\" flag: malformed pair, expect string=string"
            )));
        };
        labels.set(text(k.trim()), text(v.trim()));
    }
    if ["non-resource-url", "verb", "resource", "resource-name"].iter().any(|f| args.given(f)) {
        return Err(Failure::new(
            "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
        ));
    }
    Ok(value!({"clusterRoleSelectors": [{"matchLabels": labels}]}))
}

/// `kubectl create role`, `clusterrole`.
pub fn role(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let (kind, what) = if args.verb.ends_with("clusterrole") {
        (Kind::ClusterRole, "clusterrole")
    } else {
        (Kind::Role, "role")
    };
    let result = name(args, 1).and_then(|n| {
        let mut v = value!({"metadata": {"name": (text(n))}, "rules": null});
        if args.given("aggregation-rule") {
            v.set("aggregationRule", aggregation(args)?);
        } else {
            v.set("rules", rules(io, args)?);
        }
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
            for who in args.all(flag) {
                subjects.push(value!({"apiGroup": group, "kind": kind, "name": (text(who))}));
            }
        }
        for account in args.all("serviceaccount") {
            let (ns, who) = account
                .split_once(':')
                .filter(|(ns, who)| !ns.is_empty() && !who.is_empty() && !who.contains(':'))
                .ok_or_else(|| Failure::new("serviceaccount must be <namespace>:<name>"))?;
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

/// A Service and its port, `name:port`, as an ingress sends to it; none if there is no port.
fn backend(to: &str) -> Option<Value> {
    let (service, port) = to.split_once(':')?;
    let port = match port.parse::<i64>() {
        Ok(number) => value!({"number": number}),
        Err(_) if port.is_empty() => Value::map(),
        Err(_) => value!({"name": (text(port))}),
    };
    Some(value!({"service": {"name": (text(service)), "port": port}}))
}

/// A rule of `create ingress` taken apart: host, path, Service and port.
fn route(rule: &str) -> Option<(&str, &str, &str)> {
    let word = |s: &str| {
        !s.is_empty() && s.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-".contains(&c))
    };
    let (address, to) = rule.split(',').next()?.split_once('=')?;
    let at = address.find('/')?;
    let (host, path) = address.split_at(at);
    let (service, port) = to.split_once(':')?;
    let known = |c: u8| c.is_ascii_alphanumeric() || b"_-.*".contains(&c);
    (host.bytes().all(known) && word(service) && word(port)).then_some((host, path, to))
}

/// The hosts that an ingress' rules want certificates for, by Secret; a host counts once.
fn certificates(rules: &[&str]) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut hosts: Vec<&str> = Vec::new();
    for rule in rules {
        let [route, tls] = rule.split(',').collect::<Vec<_>>()[..] else { continue };
        let host = route.split('/').next().unwrap_or("");
        if hosts.contains(&host) {
            continue;
        }
        hosts.push(host);
        let secret = tls.split('=').nth(1).unwrap_or("");
        if let Some(t) = all.iter_mut().find(|t| t["secretName"].str() == secret) {
            t.entry("hosts").list_mut().push(text(host).into());
            continue;
        }
        let mut t = Value::map();
        if !host.is_empty() {
            t.set("hosts", value!([(text(host))]));
        }
        if !secret.is_empty() {
            t.set("secretName", text(secret));
        }
        if !t.is_empty() {
            all.push(t);
        }
    }
    all
}

/// `kubectl create ingress`.
pub fn ingress(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let given: Vec<&str> = args.all("rule").collect();
        let to = args.text("default-backend");
        if given.is_empty() && to.is_empty() {
            return Err(Failure::new("not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)"));
        }
        let mut rules: Vec<Value> = Vec::new();
        for rule in &given {
            let bad = || Failure::new(format!("rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"));
            let (host, path, to) = route(rule).ok_or_else(bad)?;
            let (path, kind) = match path.strip_suffix('*') {
                Some(p) => (p, "Prefix"),
                None => (path, "Exact"),
            };
            let path = value!({"backend": (backend(to).unwrap_or_default()), "path": (text(path)), "pathType": kind});
            if let Some(known) = rules.iter_mut().find(|r| r["host"].str() == host) {
                known.path_mut("http.paths").list_mut().push(path);
                continue;
            }
            let mut r = value!({"http": {"paths": [path]}});
            if !host.is_empty() {
                r.set("host", text(host));
            }
            rules.push(r);
        }
        let mut metadata = value!({"name": (text(n))});
        for note in args.all("annotation") {
            let (k, v) = note.split_once('=').ok_or_else(|| Failure::new(format!("annotation {note} is invalid and should be in format key=[value]")))?;
            metadata.entry("annotations").set(text(k), text(v));
        }
        let mut spec = Value::map();
        if let Some(class) = args.get("class").filter(|c| !c.is_empty()) {
            spec.set("ingressClassName", text(class));
        }
        if !to.is_empty() {
            let to = backend(to).ok_or_else(|| Failure::new("default-backend should be in format servicename:serviceport"))?;
            spec.set("defaultBackend", to);
        }
        if !rules.is_empty() {
            spec.set("rules", rules);
        }
        let tls = certificates(&given);
        if !tls.is_empty() {
            spec.set("tls", tls);
        }
        let v = value!({"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}});
        make(w, io, args, Kind::Ingress, v, "failed to create ingress:", "created")
    });
    ended(io, result)
}
