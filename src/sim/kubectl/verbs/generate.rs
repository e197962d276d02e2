//! Objects made from flags: `create deployment`, `create service`, `expose`, `run` and so on.

use crate::api::{Kind, quantity};
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::output::Output;
use crate::kubectl::resources::{Options, select};
use crate::kubectl::selectors::Selector;
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::checks;
use crate::kubectl::verbs::common::{
    LAST_APPLIED, ask, parse_pairs, report, validation, write_options,
};
use crate::manifest::print::typed_json;
use crate::manifest::validation::is_subdomain;
use crate::rng::Stream;
use crate::value;
use crate::value::{Map, Value, text};
use crate::world::World;

/// Creates what flags describe; `failed`: words in front of the server's refusal.
///
/// # Errors
/// What the server or `-o` refuses.
pub fn make(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    kind: Kind,
    mut value: Value,
    failed: &str,
    operation: &str,
) -> Res<i32> {
    let dry = args.dry_run()?;
    validation(args)?;
    if args.on("save-config") {
        // what the flags say, as a typed object is written
        let mut saved = value.clone();
        saved.set("apiVersion", kind.info().api_version);
        saved.set("kind", kind.info().kind);
        if kind.info().namespaced
            && let Some(ns) = args.given_ns()
        {
            saved.entry("metadata").set("namespace", ns);
        }
        let notes = value.entry("metadata").entry("annotations");
        notes.set(LAST_APPLIED, typed_json(kind.info().kind, &saved, false));
    }
    if kind.info().namespaced {
        let shown = dry == DryRun::Client && args.given("output");
        if !shown || args.given_ns().is_some() {
            value.entry("metadata").set("namespace", args.ns(w));
        }
    }
    let made = if dry == DryRun::Client {
        value.set("apiVersion", kind.info().api_version);
        value.set("kind", kind.info().kind);
        value
    } else {
        match ask(w, io, |w| w.create(kind, value, write_options(dry))) {
            Ok(obj) => obj.value.clone(),
            Err(e) if failed.is_empty() || e.reason == crate::apiserver::error::Reason::Invalid => {
                return Err(e.into());
            }
            Err(e) => return Err(Failure::new(format!("{failed} {e}"))),
        }
    };
    // what expose was answered is no typed object
    let typed = args.verb != "expose" || dry == DryRun::Client;
    if typed && matches!(Output::of(args)?, Output::Json) {
        io.print(typed_json(kind.info().kind, &made, true));
        return Ok(0);
    }
    report(io, args, kind, &made, operation, dry)?;
    Ok(0)
}

/// The one name that a command wants.
///
/// # Errors
/// None, or several.
pub fn name(args: &Args, n: usize) -> Res<&str> {
    match args.pos.len().min(args.dash.unwrap_or(usize::MAX)) {
        0 => Err(Failure::raw(format!(
            "error: exactly one NAME is required, got 0\nSee 'kubectl {} -h' for help and examples",
            args.verb
        ))),
        many if many > n => Err(Failure::raw(format!(
            "error: exactly one NAME is required, got {many}\nSee 'kubectl {} -h' for help and examples",
            args.verb
        ))),
        _ => Ok(args.pos.first().map_or("", String::as_str)),
    }
}

/// The words after `--`.
pub fn words(args: &Args) -> Vec<Value> {
    let skip = args.dash.unwrap_or(args.pos.len());
    args.pos.iter().skip(skip).map(|p| text(p).into()).collect()
}

/// `kubectl create namespace`.
pub fn namespace(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let value = value!({"metadata": {"name": (text(n))}, "spec": {}, "status": {}});
        make(w, io, args, Kind::Namespace, value, "", "created")
    });
    ended(io, result)
}

/// `kubectl create serviceaccount`.
pub fn service_account(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let value = value!({"metadata": {"name": (text(n))}});
        make(
            w,
            io,
            args,
            Kind::ServiceAccount,
            value,
            "failed to create serviceaccount:",
            "created",
        )
    });
    ended(io, result)
}

/// A container's name made of an image's: a name that had to be changed is made unique.
fn container_name(w: &World, base: &str) -> String {
    if !base.contains(['_', '.']) {
        return base.to_owned();
    }
    let n = w.log.len().to_string();
    let mut stream = Stream::new(w.config.seed, &["container name", base, &n]);
    format!("{}-{}", base.replace(['_', '.'], "-"), stream.suffix(5))
}

/// `kubectl create deployment`.
pub fn deployment(w: &mut World, io: &mut Io, args: &Args) -> Run {
    if !args.given("image") {
        return Run::Done(io.fail(&Failure::new("required flag(s) \"image\" not set")));
    }
    let result = name(args, 1).and_then(|n| {
        let images = args.list("image");
        let command = words(args);
        if images.len() > 1 && !command.is_empty() {
            return Err(Failure::new("cannot specify multiple --image options and command"));
        }
        let mut containers: Vec<Value> = images
            .iter()
            .map(|image| {
                let base = image.rsplit('/').next().unwrap_or(image);
                let base = container_name(w, base.split([':', '@']).next().unwrap_or(base));
                let mut c = value!({"image": (text(image)), "name": base, "resources": {}});
                if !command.is_empty() {
                    c.set("command", command.clone());
                }
                c
            })
            .collect();
        // the port is the first container's
        if let (Some(port), Some(first)) =
            (args.int("port").filter(|p| *p >= 0), containers.first_mut())
        {
            first.set("ports", value!([{"containerPort": port}]));
        }
        let labels = value!({"app": (text(n))});
        let value = value!({
            "metadata": {"labels": (labels.clone()), "name": (text(n))},
            "spec": {
                "replicas": (args.int("replicas").unwrap_or(1)),
                "selector": {"matchLabels": (labels.clone())},
                "strategy": {},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}
            },
            "status": {}
        });
        make(w, io, args, Kind::Deployment, value, "failed to create deployment:", "created")
    });
    ended(io, result)
}

/// A port of `--tcp`: `port` or `port:targetPort`.
fn tcp_port(pair: &str, node: i64) -> Res<Value> {
    let (port, target) = checks::ports(pair)?;
    let mut p = value!({
        "name": (pair.replace(':', "-")), "port": port, "protocol": "TCP", "targetPort": target
    });
    if node != 0 {
        p.set("nodePort", node);
    }
    Ok(p)
}

/// `kubectl create service clusterip|nodeport|loadbalancer|externalname`.
pub fn service(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let service_type = match args.verb.rsplit(' ').next() {
        Some("nodeport") => "NodePort",
        Some("loadbalancer") => "LoadBalancer",
        Some("externalname") => "ExternalName",
        _ => "ClusterIP",
    };
    let result = (|| {
        let external = service_type == "ExternalName";
        if external && !args.given("external-name") {
            return Err(Failure::new("required flag(s) \"external-name\" not set"));
        }
        let n = name(args, 1)?;
        let host = args.text("external-name");
        if external && !is_subdomain(host) {
            return Err(Failure::new(format!("invalid service external name {host}")));
        }
        let pairs = args.list("tcp");
        let headless = args.get("clusterip") == Some("None");
        if pairs.is_empty() && !headless && !external {
            return Err(Failure::new("at least one tcp port specifier must be provided"));
        }
        let node = args.int("node-port").unwrap_or(0);
        let ports = pairs.iter().map(|p| tcp_port(p, node)).collect::<Res<Vec<Value>>>()?;
        let labels = value!({"app": (text(n))});
        let mut value = value!({
            "metadata": {"labels": (labels.clone()), "name": (text(n))},
            "spec": {"selector": labels, "type": service_type},
            "status": {"loadBalancer": {}}
        });
        let spec = value.entry("spec");
        if !ports.is_empty() {
            spec.set("ports", ports);
        }
        if let Some(ip) = args.get("clusterip") {
            spec.set("clusterIP", text(ip));
        }
        if external {
            spec.set("externalName", text(host));
        }
        let failed = format!("failed to create {service_type} service:");
        make(w, io, args, Kind::Service, value, &failed, "created")
    })();
    ended(io, result)
}

/// `kubectl create poddisruptionbudget`.
pub fn budget(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let flags = [("min-available", "minAvailable"), ("max-unavailable", "maxUnavailable")];
        let given = || flags.into_iter().filter(|(flag, _)| !args.text(flag).is_empty());
        let why = match (args.text("selector"), given().count()) {
            ("", _) => "a selector must be specified",
            (_, 0) => "one of min-available or max-unavailable must be specified",
            (_, 1) => "",
            _ => "min-available and max-unavailable cannot be both specified",
        };
        if !why.is_empty() {
            return Err(Failure::new(why));
        }
        let mut spec = value!({"selector": (Selector::structure(args.text("selector"))?)});
        for (flag, field) in given() {
            let v = args.text(flag);
            let digits = v.strip_suffix('%').unwrap_or(v);
            if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
                return Err(Failure::new(format!("invalid format specified for {flag}")));
            }
            spec.set(
                field,
                v.parse::<i32>().map_or_else(|_| text(v).into(), |n| Value::from(i64::from(n))),
            );
        }
        let status = value!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0
        });
        let value = value!({"metadata": {"name": (text(n))}, "spec": spec, "status": status});
        let failed = "failed to create poddisruptionbudgets:";
        make(w, io, args, Kind::PodDisruptionBudget, value, failed, "created")
    });
    ended(io, result)
}

/// `kubectl create quota`.
pub fn quota(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let mut hard = Map::new();
        for pair in args.text("hard").split(',').filter(|_| !args.text("hard").is_empty()) {
            let Some((k, v)) = pair.split_once('=').filter(|(_, v)| !v.contains('=')) else {
                return Err(Failure::new(format!(
                    "Invalid argument syntax {pair}, expected <resource>=<value>"
                )));
            };
            if let Some(why) = quantity::fault(v) {
                return Err(Failure::new(why));
            }
            hard.insert(text(k), quantity::canonical(v).unwrap_or_default());
        }
        let mut spec = Value::map();
        if !hard.is_empty() {
            spec.set("hard", hard);
        }
        let scopes = args.list("scopes");
        let scopes: Vec<Value> =
            scopes.iter().filter(|s| !s.is_empty()).map(|s| text(s).into()).collect();
        if !scopes.is_empty() {
            spec.set("scopes", scopes);
        }
        let value = value!({"metadata": {"name": (text(n))}, "spec": spec, "status": {}});
        make(w, io, args, Kind::ResourceQuota, value, "failed to create quota:", "created")
    });
    ended(io, result)
}

/// `kubectl expose`.
pub fn expose(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = expose_all(w, io, args);
    ended(io, result)
}

fn expose_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let selection = select(w, io, args, &args.pos, Options::default())?;
    if let Some(f) = selection.failures.first() {
        return Err(f.clone());
    }
    for target in &selection.targets {
        let obj = &target.obj;
        let (selector, template) = match obj.kind {
            Kind::Pod => (obj.meta()["labels"].clone(), obj.spec()),
            Kind::Service => (obj.spec()["selector"].clone(), obj.spec()),
            Kind::Deployment | Kind::ReplicaSet => {
                (obj.spec()["selector"]["matchLabels"].clone(), &obj.spec()["template"]["spec"])
            }
            Kind::ReplicationController => {
                (obj.spec()["selector"].clone(), &obj.spec()["template"]["spec"])
            }
            kind => {
                let info = kind.info();
                let group =
                    if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
                return Err(Failure::new(format!("cannot expose a {}{group}", info.kind)));
            }
        };
        let selector = match args.get("selector") {
            Some(s) => checks::labels(s)?,
            None => selector,
        };
        if selector.is_empty() {
            return Err(Failure::new(
                "couldn't retrieve selectors via --selector flag or introspection: the object has no labels and cannot be exposed",
            ));
        }
        let mut ports = Vec::new();
        let target_port = args
            .get("target-port")
            .map(|t| t.parse::<i64>().map_or_else(|_| Value::from(text(t)), Value::from));
        let protocol = args.get("protocol").unwrap_or("TCP").to_owned();
        let given: Vec<i64> = args.list("port").iter().filter_map(|p| p.parse().ok()).collect();
        let found: Vec<i64> = if given.is_empty() {
            if obj.kind == Kind::Service {
                template["ports"].items().iter().filter_map(|p| p["port"].as_int()).collect()
            } else {
                let containers = template["containers"].items().iter();
                containers
                    .flat_map(|c| c["ports"].items())
                    .filter_map(|p| p["containerPort"].as_int())
                    .collect()
            }
        } else {
            given
        };
        if found.is_empty() && args.get("cluster-ip") != Some("None") {
            return Err(Failure::raw(
                "error: couldn't find port via --port flag or introspection\nSee 'kubectl expose -h' for help and examples"
                    .to_owned(),
            ));
        }
        for (i, port) in found.iter().enumerate() {
            let mut p = value!({
                "port": (*port), "protocol": (protocol.clone()),
                "targetPort": (target_port.clone().unwrap_or_else(|| Value::from(*port)))
            });
            if found.len() > 1 {
                p.set("name", format!("port-{}", i + 1));
            }
            ports.push(p);
        }
        let name = args.get("name").map_or_else(|| obj.name(), text);
        let mut value = value!({
            "metadata": {"name": name},
            "spec": {"selector": selector},
            "status": {"loadBalancer": {}}
        });
        let own = match args.get("labels") {
            Some(given) => checks::labels(given)?,
            None => obj.meta()["labels"].clone(),
        };
        if !own.is_empty() {
            value.entry("metadata").set("labels", own);
        }
        if let Some(ip) = args.get("external-ip") {
            value.entry("spec").set("externalIPs", value!([(text(ip))]));
        }
        if !ports.is_empty() {
            value.entry("spec").set("ports", ports);
        }
        for (flag, field) in [
            ("type", "type"),
            ("cluster-ip", "clusterIP"),
            ("session-affinity", "sessionAffinity"),
            ("load-balancer-ip", "loadBalancerIP"),
        ] {
            if let Some(v) = args.get(flag) {
                value.entry("spec").set(field, text(v));
            }
        }
        let value = overridden(args, Kind::Service, value)?;
        make(w, io, args, Kind::Service, value, "", "exposed")?;
    }
    Ok(0)
}

/// What was made of flags, with `--overrides` on top.
fn overridden(args: &Args, kind: Kind, value: Value) -> Res<Value> {
    let Some(o) = args.get("overrides") else { return Ok(value) };
    let change = serde_json::from_str::<serde_json::Value>(o)
        .map(|v| crate::shell::json_value(&v))
        .map_err(|_| Failure::new("Invalid value for overrides: it is no JSON"))?;
    Ok(match args.get("override-type") {
        Some("strategic") => crate::apiserver::patch::strategic(kind, &value, &change)?,
        Some("json") => crate::apiserver::patch::json(&value, &change)?,
        _ => crate::apiserver::patch::merge(&value, &change),
    })
}

/// The pod of `kubectl run`.
///
/// # Errors
/// What is missing or wrong in the flags.
pub fn pod(args: &Args) -> Res<Value> {
    let Some(image) = args.get("image") else {
        return Err(Failure::new("required flag(s) \"image\" not set"));
    };
    let n = match args.pos.len().min(args.dash.unwrap_or(usize::MAX)) {
        0 => return Err(args.usage("NAME is required for run")),
        _ => args.pos.first().map_or("", String::as_str),
    };
    if args.duration("pod-running-timeout").is_some_and(|d| d <= 0) {
        return Err(args.usage("--pod-running-timeout must be higher than zero"));
    }
    checks::image(image)?;
    if args.on("tty") && !args.on("stdin") {
        return Err(args.usage("-i/--stdin is required for containers with -t/--tty=true"));
    }
    if args.on("expose") && args.text("port").is_empty() {
        return Err(args.usage("--port must be set when exposing a service"));
    }
    let restart = args.get("restart").filter(|r| !r.is_empty()).unwrap_or("Always");
    if !matches!(restart, "Always" | "OnFailure" | "Never") {
        return Err(args.usage(&format!("invalid restart policy: {restart}")));
    }
    let attach = args.on_or("attach", args.on("stdin"));
    if args.on("rm") && !attach {
        return Err(args.usage("--rm should only be used for attached containers"));
    }
    if attach && args.dry_run()? != DryRun::None {
        return Err(args.usage("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)"));
    }
    let pull = args.text("image-pull-policy");
    if !matches!(pull, "" | "Always" | "IfNotPresent" | "Never") {
        return Err(args.usage(&format!("invalid image pull policy: {pull}")));
    }
    let mut c = value!({"image": (text(image)), "name": (text(n)), "resources": {}});
    // words after the name are the command's, with or without --
    let words: Vec<Value> = args.pos.iter().skip(1).map(|p| text(p).into()).collect();
    if !words.is_empty() {
        c.set(if args.on("command") { "command" } else { "args" }, words);
    }
    let env: Vec<Value> = args
        .all("env")
        .map(|e| checks::variable(e).map(|(name, v)| value!({"name": name, "value": v})))
        .collect::<Res<_>>()?;
    if !env.is_empty() {
        c.set("env", env);
    }
    let labels = match args.get("labels").filter(|l| !l.is_empty()) {
        Some(l) => checks::labels(l)?,
        None => value!({"run": (text(n))}),
    };
    if let Some(port) = args.get("port").filter(|p| !p.is_empty()) {
        c.set("ports", value!([{"containerPort": (checks::port(port)?)}]));
    }
    if !pull.is_empty() {
        c.set("imagePullPolicy", text(pull));
    }
    for (flag, field) in [("stdin", "stdin"), ("tty", "tty")] {
        if args.on(flag) {
            c.set(field, true);
        }
    }
    if args.on("stdin") {
        c.set("stdinOnce", true);
    }
    let mut pod = value!({
        "metadata": {"labels": labels, "name": (text(n))},
        "spec": {"containers": [c], "dnsPolicy": "ClusterFirst", "restartPolicy": (text(restart))},
        "status": {}
    });
    let notes: Vec<String> = args.all("annotations").map(str::to_owned).collect();
    for (k, v) in parse_pairs(&notes, "annotations", false)?.0 {
        pod.entry("metadata").entry("annotations").set(text(&k), text(&v));
    }
    overridden(args, Kind::Pod, pod)
}

/// The Service of `run --expose`.
fn service_of(args: &Args, pod: &Value) -> Res<Value> {
    let port = checks::port(args.text("port"))?;
    let meta = &pod["metadata"];
    Ok(value!({
        "metadata": {"name": (meta["name"].clone())},
        "spec": {
            "ports": [{"port": port, "protocol": "TCP", "targetPort": port}],
            "selector": (meta["labels"].clone())
        },
        "status": {"loadBalancer": {}}
    }))
}

/// `kubectl run`.
pub fn run(w: &mut World, io: &mut Io, args: &Args) -> Run {
    // `--attach=false` starts what has `-i` and leaves it
    if !args.on_or("attach", args.on("stdin")) {
        let result = pod(args).and_then(|pod| {
            if args.on("expose") {
                let service = service_of(args, &pod)?;
                make(w, io, args, Kind::Service, service, "", "created")?;
            }
            make(w, io, args, Kind::Pod, pod, "", "created")
        });
        return ended(io, result);
    }
    match super::exec::attached(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}
