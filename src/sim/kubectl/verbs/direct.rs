//! `get --raw`, `port-forward`, `autoscale`: ways past the usual requests.

use crate::api::{Kind, Obj, Phase, kind};
use crate::apiserver::error::Status;
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::resources::{Options, select};
use crate::kubectl::verbs::common::{no_such_resource, scalable};
use crate::kubectl::verbs::generate::make;
use crate::value;
use crate::value::{Str, Value, text};
use crate::world::World;

/// JSON as the server sends it: compact, and what it is goes first.
fn json(v: &Value, typed: bool) -> String {
    let first = ["kind", "apiVersion", "metadata"];
    let head = first.into_iter().filter(|k| typed || *k == "metadata").map(|k| (k, &v[k]));
    let rest = v.pairs().map(|(k, v)| (k.as_str(), v)).filter(|(k, _)| !first.contains(k));
    let pairs: Vec<String> =
        head.chain(rest).filter(|(_, v)| !v.is_null()).map(|(k, v)| format!("{k:?}:{v}")).collect();
    format!("{{{}}}", pairs.join(","))
}

/// `kubectl get --raw`: what the server answers to that path.
///
/// # Errors
/// Paths that do not exist, or are not simulated.
pub fn raw(w: &World, io: &mut Io, path: &str) -> Res<()> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let (version, rest) = match parts.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => {
            io.print("ok");
            return Ok(());
        }
        ["version"] => {
            io.print(super::misc::version_json());
            return Ok(());
        }
        [] | ["api" | "apis"] | ["metrics" | "openapi" | "logs", ..] => {
            return Err(Failure::new(format!("not simulated: --raw {path}")));
        }
        ["api", "v1", rest @ ..] => ("v1".to_owned(), rest),
        ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
        _ => return Err(no_such_resource()),
    };
    let (ns, rest) = match rest {
        ["namespaces", ns, rest @ ..] if !rest.is_empty() && *rest != ["status"] => {
            (Some(*ns), rest)
        }
        rest => (None, rest),
    };
    let (plural, name) = match rest {
        [plural] => (*plural, None),
        [plural, name] | [plural, name, "status"] => (*plural, Some(*name)),
        _ => return Err(no_such_resource()),
    };
    let known = kind::ALL
        .iter()
        .copied()
        .find(|k| k.info().plural == plural && k.info().api_version == version)
        .filter(|k| k.info().namespaced || ns.is_none())
        .ok_or_else(no_such_resource)?;
    if let Some(name) = name {
        let found = w.store.get(known, ns.unwrap_or_default(), name);
        let obj = found.ok_or_else(|| Failure::from(Status::not_found(known, name)))?;
        io.line(json(&obj.value, true));
        return Ok(());
    }
    let all = w.store.all(known).filter(|o| ns.is_none_or(|ns| *o.ns() == *ns));
    let items: Vec<String> = all.map(|o| json(&o.value, false)).collect();
    io.line(format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{version}\",\"metadata\":{{\"resourceVersion\":\"{}\"}},\"items\":[{}]}}",
        known.info().kind,
        w.store.revision,
        items.join(",")
    ));
    Ok(())
}

/// `kubectl port-forward`: says what it forwards, and stays as long as the pod.
pub fn port_forward(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match forward(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

fn forward(w: &World, io: &mut Io, args: &Args) -> Res<Run> {
    let [word, ports @ ..] = args.pos.as_slice() else { return Err(lacking(args)) };
    if ports.is_empty() {
        return Err(lacking(args));
    }
    let pod = super::exec::pod(w, args, word)?;
    let service = word
        .split_once('/')
        .filter(|(k, _)| Kind::from_word(k) == Some(Kind::Service))
        .and_then(|(_, n)| w.store.get(Kind::Service, &args.ns(w), n));
    let mut lines = Vec::new();
    let addresses = match args.text("address") {
        "" => vec!["localhost".to_owned()],
        _ => args.list("address"),
    };
    for port in ports {
        let (local, remote) = port.split_once(':').unwrap_or((port, port));
        let (number, target) = match service {
            Some(s) => of_service(s, &pod, remote)?,
            None => of_pod(&pod, remote).map(|n| (n, n))?,
        };
        let local = match local {
            // any that is free
            "" => 30_000 + number % 10_000,
            l if l == remote => number,
            l => l.parse::<u16>().map(i64::from).map_err(|_| {
                Failure::new(format!(
                    "error parsing local port '{l}': strconv.ParseUint: parsing {l:?}: invalid syntax"
                ))
            })?,
        };
        for address in &addresses {
            let both = ["127.0.0.1", "[::1]"];
            let all = if address == "localhost" { both.to_vec() } else { vec![address.as_str()] };
            lines.extend(all.iter().map(|a| format!("Forwarding from {a}:{local} -> {target}")));
        }
    }
    if pod.pod().phase != Phase::Running {
        return Err(Failure::new(format!(
            "unable to forward port because pod is not running. Current status={}",
            pod.status()["phase"].str()
        )));
    }
    for line in lines {
        io.line(line);
    }
    Ok(Run::wait(Forward { pod }))
}

fn lacking(args: &Args) -> Failure {
    args.usage("TYPE/NAME and list of ports are required for port-forward")
}

fn port_named(pod: &Obj, name: &str) -> Option<i64> {
    let all = pod.spec()["containers"].items().iter().flat_map(|c| c["ports"].items());
    all.filter(|p| p["name"].str() == name).find_map(|p| p["containerPort"].as_int())
}

fn of_pod(pod: &Obj, port: &str) -> Res<i64> {
    let found = port.parse::<u16>().ok().map(i64::from).or_else(|| port_named(pod, port));
    found.ok_or_else(|| {
        Failure::new(format!("Pod '{}' does not have a named port '{port}'", pod.name()))
    })
}

/// A Service's port, and the one behind it in the pod.
fn of_service(service: &Obj, pod: &Obj, port: &str) -> Res<(i64, i64)> {
    let number = port.parse::<u16>().ok().map(i64::from);
    let all = service.spec()["ports"].items();
    let found = all.iter().find(|p| match number {
        Some(n) => p["port"].as_int() == Some(n),
        None => p["name"].str() == port,
    });
    let Some(found) = found else {
        let what = if number.is_some() { "service port" } else { "named port" };
        let (start, shown) = match number {
            Some(n) => (format!("Service {}", service.name()), n.to_string()),
            None => (format!("Service '{}'", service.name()), format!("'{port}'")),
        };
        return Err(Failure::new(format!("{start} does not have a {what} {shown}")));
    };
    let own = found["port"].int_or(0);
    let target = match &found["targetPort"] {
        _ if service.spec()["clusterIP"].str() == "None" => own,
        Value::Str(name) => of_pod(pod, name)?,
        n => n.as_int().filter(|n| *n != 0).unwrap_or(own),
    };
    Ok((own, target))
}

#[derive(Clone)]
struct Forward {
    pod: Obj,
}

impl Job for Forward {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let now = w.store.by_key(&self.pod.key());
        let runs =
            now.is_some_and(|p| p.uid() == self.pod.uid() && p.pod().phase == Phase::Running);
        (!runs).then(|| io.fail(&Failure::new("lost connection to pod")))
    }
}

/// `kubectl autoscale`: an autoscaler is stored; nothing measures what it would act on.
pub fn autoscale(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = autoscale_all(w, io, args);
    super::change::ended(io, result)
}

fn autoscale_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let Some(max) = args.int("max") else {
        return Err(Failure::new("required flag(s) \"max\" not set"));
    };
    let min = args.int("min").unwrap_or(-1);
    if max < 1 {
        return Err(Failure::new(format!(
            "--max=MAXPODS is required and must be at least 1, max: {max}"
        )));
    }
    if max < min {
        return Err(Failure::new(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"
        )));
    }
    if args.given("cpu-percent") {
        io.err("Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).");
    }
    let percent = args.int("cpu-percent").filter(|n| *n > 0).map(|n| format!("{n}%"));
    let cpu = args.get("cpu").map(str::to_owned).or(percent);
    let mut metrics: Vec<Value> = Vec::new();
    for (name, wanted) in [("cpu", cpu), ("memory", args.get("memory").map(str::to_owned))] {
        let Some(wanted) = wanted else { continue };
        let target = match wanted.strip_suffix('%').map(str::parse::<i64>) {
            Some(Ok(n)) => value!({"averageUtilization": n, "type": "Utilization"}),
            _ => value!({"averageValue": (text(&wanted)), "type": "AverageValue"}),
        };
        metrics.push(value!({"resource": {"name": name, "target": target}, "type": "Resource"}));
    }
    let selection = select(w, io, args, &args.pos, Options::default())?;
    if let Some(f) = selection.failures.first() {
        return Err(f.clone());
    }
    for target in &selection.targets {
        let obj = &target.obj;
        let info = obj.kind.info();
        if !scalable(obj.kind) {
            return Err(Failure::new(format!(
                "cannot autoscale a {}: could not find scale subresource for {}/{}, Resource={} in discovery information",
                info.kind, info.group, info.version, info.plural
            )));
        }
        let name: Str = args.get("name").map_or_else(|| obj.name(), text);
        let mut spec = value!({
            "maxReplicas": max,
            "scaleTargetRef": {
                "apiVersion": (info.api_version), "kind": (info.kind), "name": (obj.name())
            }
        });
        if min > 0 {
            spec.set("minReplicas", min);
        }
        if !metrics.is_empty() {
            spec.set("metrics", metrics.clone());
        }
        let value = value!({
            "metadata": {"name": name}, "spec": spec,
            "status": {"currentMetrics": null, "desiredReplicas": 0}
        });
        make(w, io, args, Kind::HorizontalPodAutoscaler, value, "", "autoscaled")?;
    }
    Ok(0)
}
