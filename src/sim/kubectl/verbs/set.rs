//! `set image`, `set env`, `set resources`, `set serviceaccount`, `set selector`
//! (behaviour/kubectl.md 5).

use crate::api::{Kind, Obj};
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::resources::{Options, select};
use crate::kubectl::selectors::Selector;
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::checks;
use crate::kubectl::verbs::common::{deliver, finish, pairs, parse_pairs, pod_spec_path};
use crate::manifest::print::go_text;
use crate::value;
use crate::value::{Value, text};
use crate::world::World;

/// What is changed in a pod spec; gives what could not be done.
type Change<'a> = dyn FnMut(&mut Io, &Obj, &mut Value) -> Vec<Failure> + 'a;

fn all(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    words: &[String],
    operation: &str,
    change: &mut Change<'_>,
) -> Res<i32> {
    if args.on("all") && !args.text("selector").is_empty() {
        return Err(Failure::new("cannot set --all and --selector at the same time"));
    }
    // the other commands have the general words for it
    if args.verb == "set env" && words.is_empty() && !args.given("filename") {
        return Err(Failure::new(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    let options = Options { list: args.on("all") };
    let selection = select(w, io, args, words, options)?;
    let (mut failures, mut without) = (selection.failures, Vec::new());
    for target in &selection.targets {
        let obj = &target.obj;
        let mut value = obj.value.clone();
        let Some(path) = pod_spec_path(obj.kind) else {
            let info = obj.kind.info();
            let kind = info.kind.to_lowercase();
            let what = if args.on("local") { &kind } else { info.plural };
            without.push(Failure::always(&format!(
                "{what}/{} the object is not a pod or does not have a pod template: *{}.{}\n",
                obj.name(),
                info.version,
                info.kind
            )));
            continue;
        };
        failures.extend(change(io, obj, value.path_mut(path)));
        // what is as wanted already is not sent, and nothing is said of it
        if value == *obj.value {
            continue;
        }
        if args.on("local") {
            with_empty(obj.kind, path, &mut value);
        }
        without.extend(deliver(w, io, args, obj, value, operation).err());
    }
    // what was not found in a template is told first; a list tells nothing of what has none
    if !args.on("list") {
        failures.append(&mut without);
    }
    Ok(finish(io, &failures))
}

/// What Go writes of structures that a file leaves out: only the server fills them.
fn with_empty(kind: Kind, pod_spec: &'static str, value: &mut Value) {
    let mut fill = |path: &'static str, empty: Value| {
        let place = value.path_mut(path);
        if place.is_null() {
            *place = empty;
        }
    };
    match kind {
        Kind::StatefulSet => {
            fill("spec.updateStrategy", Value::map());
            fill("status", value!({"availableReplicas": 0, "replicas": 0}));
        }
        Kind::Deployment => {
            fill("spec.strategy", Value::map());
            fill("status", Value::map());
        }
        Kind::ReplicaSet | Kind::ReplicationController => fill("status", value!({"replicas": 0})),
        Kind::DaemonSet => {
            fill("spec.updateStrategy", Value::map());
            fill(
                "status",
                value!({
                    "currentNumberScheduled": 0, "desiredNumberScheduled": 0,
                    "numberMisscheduled": 0, "numberReady": 0
                }),
            );
        }
        _ => fill("status", Value::map()),
    }
    containers(value.path_mut(pod_spec), |c| {
        c.entry("resources");
        if c["resources"].is_null() {
            c.set("resources", Value::map());
        }
        true
    });
    if value["spec"].has("volumeClaimTemplates") {
        for claim in value.path_mut("spec.volumeClaimTemplates").list_mut() {
            claim.set("status", Value::map());
        }
    }
}

/// Containers of a pod spec, init containers last.
fn containers(spec: &mut Value, mut f: impl FnMut(&mut Value) -> bool) -> bool {
    let mut hit = false;
    for field in ["containers", "initContainers"] {
        if spec.has(field) {
            for c in spec.entry(field).list_mut() {
                hit |= f(c);
            }
        }
    }
    hit
}

/// `kubectl set image`.
pub fn image(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = (|| {
        let (words, changes) = pairs(&args.pos, "image")?;
        let (images, _) = parse_pairs(&changes, "image", false)?;
        if images.is_empty() {
            let options = Options { list: args.on("all") };
            if let Some(f) = select(w, io, args, &words, options)?.failures.into_iter().next() {
                return Err(f);
            }
            return Err(Failure::new("at least one image update is required"));
        }
        if images.len() > 1 && images.iter().any(|(n, _)| n == "*") {
            return Err(Failure::new(
                "all containers are already specified by *, but saw more than one container_name=container_image pairs",
            ));
        }
        all(w, io, args, &words, "image updated", &mut |_, _, spec| {
            let mut failures = Vec::new();
            for (name, image) in &images {
                let hit = containers(spec, |c| {
                    let yes = *name == "*" || c["name"].str() == *name;
                    if yes && c["image"].str() != *image {
                        c.set("image", text(image));
                    }
                    yes
                });
                if !hit {
                    failures
                        .push(Failure::always(&format!("unable to find container named {name:?}")));
                }
            }
            failures
        })
    })();
    ended(io, result)
}

/// The variables of `--from=configmap/x`: a reference for each key.
fn from(w: &World, args: &Args) -> Res<Vec<(String, Value)>> {
    let Some(source) = args.get("from") else { return Ok(Vec::new()) };
    let (kind, name) = source.split_once('/').unwrap_or((source, ""));
    let (kind, field) = match Kind::from_word(kind) {
        Some(Kind::ConfigMap) => (Kind::ConfigMap, "configMapKeyRef"),
        Some(Kind::Secret) => (Kind::Secret, "secretKeyRef"),
        Some(_) => return Err(Failure::new("unsupported resource specified in --from")),
        None => return Err(crate::kubectl::resources::unknown_type(kind)),
    };
    let Some(obj) = w.store.get(kind, &args.ns(w), name) else {
        return Err(crate::apiserver::error::Status::not_found(kind, name).into());
    };
    let keys = args.list("keys");
    let wanted = |k: &str| keys.is_empty() || keys.iter().any(|x| x == k);
    Ok(obj.value["data"]
        .pairs()
        .filter(|(k, _)| wanted(k))
        .map(|(k, _)| {
            let upper: String = k
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect();
            let mut reference = Value::map();
            reference.set(field, value!({"key": (k.clone()), "name": (text(name))}));
            (upper, value!({"valueFrom": reference}))
        })
        .collect())
}

/// Where a variable's value comes from, as `set env --list` says it.
fn origin(source: &Value) -> String {
    let key = |r: &Value, what: &str| format!("{what} {}, key {}", r["name"].str(), r["key"].str());
    if source.has("configMapKeyRef") {
        key(&source["configMapKeyRef"], "configmap")
    } else if source.has("secretKeyRef") {
        key(&source["secretKeyRef"], "secret")
    } else if source.has("fieldRef") {
        format!("field path {}", source["fieldRef"]["fieldPath"].str())
    } else if source.has("resourceFieldRef") {
        let r = &source["resourceFieldRef"];
        let container = match r["containerName"].str() {
            "" => String::new(),
            c => format!("{c}."),
        };
        format!("resource field {container}{}", r["resource"].str())
    } else {
        "invalid valueFrom".to_owned()
    }
}

fn list_env(io: &mut Io, kind: Kind, name: &str, c: &Value) {
    io.line(format!("# {} {name}, container {}", kind.info().kind, c["name"].str()));
    for e in c["env"].items() {
        let name = e["name"].str();
        if e["valueFrom"].is_null() {
            io.line(format!("{name}={}", e["value"].str()));
        } else {
            io.line(format!("# {name} from {}", origin(&e["valueFrom"])));
        }
    }
}

/// `kubectl set env`.
pub fn env(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = env_all(w, io, args);
    ended(io, result)
}

fn env_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let (words, changes) = pairs(&args.pos, "environment")?;
    let changes: Vec<String> = args.list("env").into_iter().chain(changes).collect();
    if args.given("keys") && !args.given("from") {
        return Err(Failure::new(
            "when specifying --keys, a configmap or secret must be provided with --from",
        ));
    }
    let listing = args.on("list");
    if listing && args.given("output") {
        return Err(Failure::new("--list and --output may not be specified together"));
    }
    let (set, drop) = parse_pairs(&changes, "environment variable", true)?;
    for (name, _) in &set {
        checks::variable_name(name)?;
    }
    if set.iter().any(|(k, _)| drop.contains(k)) {
        return Err(Failure::new(
            "can not both modify and remove the same environment variable in the same command",
        ));
    }
    let mut new = from(w, args)?;
    new.extend(set.into_iter().map(|(k, v)| (k, value!({"value": (text(&v))}))));
    if let Some(prefix) = args.get("prefix") {
        for (k, _) in &mut new {
            k.insert_str(0, prefix);
        }
    }
    let only = args.get("containers").unwrap_or("*").to_owned();
    let overwrite = args.on_or("overwrite", true);
    all(w, io, args, &words, "env updated", &mut |io, obj, spec| {
        let mut failures = Vec::new();
        let hit = containers(spec, |c| {
            if !crate::shell::glob(&only, c["name"].str()) {
                return false;
            }
            if listing {
                list_env(io, obj.kind, &obj.name(), c);
                return true;
            }
            let taken = c["env"].items().iter().find(|e| {
                new.iter().any(|(k, v)| e["name"].str() == k && e["value"] != v["value"])
            });
            if let Some(e) = taken.filter(|_| !overwrite) {
                failures.push(Failure::new(format!(
                    "{}/{} '{}' already has a value ({}), and --overwrite is false",
                    obj.kind.info().plural,
                    obj.name(),
                    e["name"].str(),
                    e["value"].str()
                )));
                return true;
            }
            let list = c.entry("env").list_mut();
            for (name, v) in &new {
                let mut e = v.clone();
                e.set("name", text(name));
                match list.iter_mut().find(|e| e["name"].str() == name) {
                    Some(old) => *old = e,
                    None => list.push(e),
                }
            }
            list.retain(|e| !drop.iter().any(|d| e["name"].str() == d));
            if c["env"].is_empty() {
                c.remove("env");
            }
            true
        });
        if !hit {
            io.err(format!(
                "warning: {}/{} does not have any containers matching {only:?}",
                obj.kind.info().kind,
                obj.name()
            ));
        }
        failures
    })
}

/// `kubectl set resources`.
pub fn resources(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = (|| {
        let named = !args.pos.is_empty() || args.given("filename");
        if named && !args.given("limits") && !args.given("requests") {
            return Err(Failure::new(
                "you must specify an update to requests or limits (in the form of --requests/--limits)",
            ));
        }
        let mut amounts = Vec::new();
        for field in ["limits", "requests"] {
            for pair in args.list(field) {
                let Some((name, amount)) = pair.split_once('=') else {
                    return Err(Failure::new(format!(
                        "Invalid argument syntax {pair}, expected <resource>=<value>"
                    )));
                };
                if crate::api::quantity::milli(amount).is_none() {
                    return Err(Failure::new(
                        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                    ));
                }
                let amount = crate::manifest::canonical_quantity(&text(amount).into());
                amounts.push((field, name.to_owned(), amount));
            }
        }
        let only = args.get("containers").unwrap_or("*").to_owned();
        let operation = "resource requirements updated";
        all(w, io, args, &args.pos, operation, &mut |_, _, spec| {
            let hit = containers(spec, |c| {
                let yes = crate::shell::glob(&only, c["name"].str());
                if yes {
                    for (field, name, amount) in &amounts {
                        c.entry("resources").entry(*field).set(text(name), amount.clone());
                    }
                }
                yes
            });
            if hit {
                return Vec::new();
            }
            vec![Failure::always(&format!("unable to find container named {only}"))]
        })
    })();
    ended(io, result)
}

/// `kubectl set serviceaccount`.
pub fn service_account(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = match args.pos.split_last() {
        None => Err(Failure::new("serviceaccount is required")),
        Some((name, words)) => {
            all(w, io, args, words, "serviceaccount updated", &mut |_, _, spec| {
                spec.set("serviceAccountName", text(name));
                // the server keeps the old name of the field as well
                if !args.on("local") {
                    spec.set("serviceAccount", text(name));
                }
                Vec::new()
            })
        }
    };
    ended(io, result)
}

/// Requirements as Go prints them.
fn expressions_text(all: &Value) -> String {
    let one = |e: &Value| {
        format!("{{{} {} {}}}", e["key"].str(), e["operator"].str(), go_text(&e["values"]))
    };
    format!("[{}]", all.items().iter().map(one).collect::<Vec<_>>().join(" "))
}

/// `kubectl set selector`.
pub fn selector(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = (|| {
        let Some((last, words)) = args.pos.split_last() else {
            return Err(Failure::new("one selector is required"));
        };
        let selector = Selector::structure(last)?;
        let selection = select(w, io, args, words, Options { list: args.on("all") })?;
        let mut failures = selection.failures;
        for target in &selection.targets {
            let obj = &target.obj;
            if obj.kind != Kind::Service {
                failures.push(Failure::new("setting a selector is only supported for Services"));
                continue;
            }
            let mut value = obj.value.clone();
            let expressions = &selector["matchExpressions"];
            if !expressions.is_empty() {
                failures.push(Failure::new(format!(
                    "match expression {} not supported on this object",
                    expressions_text(expressions)
                )));
                continue;
            }
            value.entry("spec").set("selector", selector["matchLabels"].clone());
            failures.extend(deliver(w, io, args, obj, value, "selector updated").err());
        }
        Ok(finish(io, &failures))
    })();
    ended(io, result)
}
