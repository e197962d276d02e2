//! `patch`, `label`, `annotate` (behaviour/kubectl.md 5).

use crate::api::Obj;
use crate::apiserver::error::{Reason, Status};
use crate::apiserver::{FieldValidation, PatchType, Sub, WriteOptions, admission, patch};
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::resources::{Options, select};
use crate::kubectl::verbs::common::{
    Pairs, ask, deliver, finish, no_such_resource, pairs, parse_pairs, report, send, write_options,
};
use crate::value::{Value, text};
use crate::world::World;

/// Runs a step that may fail before anything is done.
pub fn ended(io: &mut Io, result: Res<i32>) -> Run {
    Run::Done(match result {
        Ok(code) => code,
        Err(f) => io.fail(&f),
    })
}

/// `kubectl patch`.
pub fn patch(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = patch_all(w, io, args);
    ended(io, result)
}

fn patch_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let dry = args.dry_run()?;
    let how = match args.get("type").unwrap_or("strategic").to_ascii_lowercase().as_str() {
        "strategic" => PatchType::Strategic,
        "merge" => PatchType::Merge,
        "json" => PatchType::Json,
        _ => {
            return Err(Failure::new(format!(
                "--type must be one of [json merge strategic], not {:?}",
                args.text("type")
            )));
        }
    };
    let written = |flag| args.get(flag).filter(|t| !t.is_empty());
    let given = match (written("patch"), written("patch-file")) {
        (Some(p), None) => p.to_owned(),
        (None, Some(file)) => match crate::kubectl::files::read(w, io, file) {
            Some(t) => t.to_string(),
            None => {
                return Err(Failure::new(format!(
                    "unable to read patch file: open {file}: no such file or directory"
                )));
            }
        },
        (Some(_), Some(_)) => {
            return Err(Failure::new("cannot specify --patch and --patch-file together"));
        }
        (None, None) => {
            return Err(Failure::new(
                "must specify --patch or --patch-file containing the contents of the patch",
            ));
        }
    };
    let change = read_patch(&given)?;
    let selection = select(w, io, args, &args.pos, Options::default())?;
    let mut failures = selection.failures;
    for target in &selection.targets {
        let obj = &target.obj;
        let result = match &change {
            Ok(change) => patch_one(w, io, obj, change, how, args),
            Err(why) => {
                let prefix =
                    if how == PatchType::Strategic { "" } else { "error decoding patch: " };
                Err(Status::new(Reason::BadRequest, format!("{prefix}{why}")).into())
            }
        };
        let result = result.and_then(|new| {
            if args.get("subresource") == Some("scale") && args.get("output").is_none() {
                io.line(format!("scale.autoscaling/{} patched{}", obj.name(), dry.suffix()));
                return Ok(());
            }
            let changed = new != *obj.value;
            let operation = if changed { "patched" } else { "patched (no change)" };
            report(io, args, obj.kind, &new, operation, dry)
        });
        failures.extend(result.err());
    }
    Ok(finish(io, &failures))
}

/// A patch's text: JSON goes to the server as it is (which may refuse it), YAML is read here.
fn read_patch(given: &str) -> Res<Result<Value, String>> {
    if given.trim_start().starts_with('{') {
        return Ok(match crate::manifest::json::error(given) {
            Some(why) => Err(why),
            None => Ok(serde_json::from_str::<serde_json::Value>(given)
                .map_or(Value::Null, |v| crate::shell::json_value(&v))),
        });
    }
    match crate::manifest::parse::parse(given).into_iter().next() {
        Some(Ok(doc)) => Ok(Ok(doc.value)),
        Some(Err(why)) => Err(Failure::new(format!("unable to parse {given:?}: {why}"))),
        None => Ok(Ok(Value::Null)),
    }
}

fn patch_one(
    w: &mut World,
    io: &mut Io,
    obj: &Obj,
    change: &Value,
    how: PatchType,
    args: &Args,
) -> Res<Value> {
    let dry = args.dry_run()?;
    if dry == DryRun::Client || args.on("local") {
        return Ok(match how {
            PatchType::Json => patch::json(&obj.value, change)?,
            PatchType::Merge => patch::merge(&obj.value, change),
            PatchType::Strategic => patch::strategic(obj.kind, &obj.value, change)?,
        });
    }
    if args.get("subresource") == Some("scale") {
        let mut value = obj.value.clone();
        let replicas = patch::merge(&value, change)["spec"]["replicas"].clone();
        value.entry("spec").set("replicas", replicas);
        return Ok(send(w, io, obj, value, dry)?.0.value.clone());
    }
    let sub = if args.get("subresource") == Some("status") { Sub::Status } else { Sub::Main };
    if sub == Sub::Status && !admission::has_status(obj.kind) {
        return Err(no_such_resource());
    }
    let options = WriteOptions { fields: FieldValidation::Warn, ..write_options(dry) };
    let new = ask(w, io, |w| w.patch(obj, change, how, sub, options))?;
    if io.cause.is_some() {
        return Ok(send(w, io, &new, new.value.clone(), dry)?.0.value.clone());
    }
    Ok(new.value.clone())
}

/// `kubectl label`.
pub fn label(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = mark_all(w, io, args, "labels", "label");
    ended(io, result)
}

/// `kubectl annotate`.
pub fn annotate(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = mark_all(w, io, args, "annotations", "annotation");
    ended(io, result)
}

/// The labels or annotations to set and to remove.
fn changes_of(changes: &[String], field: &str, one: &str) -> Res<Pairs> {
    if field == "annotations" {
        let (set, drop) = parse_pairs(changes, one, true)?;
        let both: Vec<&str> =
            drop.iter().filter(|d| set.iter().any(|(k, _)| k == *d)).map(String::as_str).collect();
        if !both.is_empty() {
            return Err(Failure::new(format!(
                "can not both modify and remove the following annotation(s) in the same command: {}",
                both.join(", ")
            )));
        }
        return Ok((set, drop));
    }
    let (set, drop) = parse_pairs(changes, one, true)?;
    for (k, v) in &set {
        let spec = format!("{k}={v}");
        if v.contains('=') {
            return Err(Failure::new(format!("invalid label spec: {spec}")));
        }
        if !v.is_empty() && !crate::kubectl::selectors::good_label(v) {
            return Err(Failure::new(format!(
                "invalid label value: {spec:?}: {}",
                crate::kubectl::selectors::LABEL_VALUE
            )));
        }
    }
    if set.iter().any(|(k, _)| drop.contains(k)) {
        return Err(Failure::new("can not both modify and remove a label in the same command"));
    }
    Ok((set, drop))
}

fn check_marks(args: &Args, words: &[String]) -> Res<()> {
    for flag in ["selector", "field-selector"] {
        if args.on("all") && !args.text(flag).is_empty() {
            return Err(Failure::new(format!("cannot set --all and --{flag} at the same time")));
        }
    }
    if args.on("local") {
        let (name, file) = match args.verb {
            "label" => ("-f pod.yaml", "--filename=pod.json"),
            _ => ("-f rsrc.yaml", "--filename=rsrc.json"),
        };
        if !words.is_empty() {
            return Err(Failure::new(format!(
                "can only use local files by {name} or {file} when --local=true is set"
            )));
        }
        if !args.given("filename") {
            return Err(Failure::new(format!(
                "one or more files must be specified as {name} or {file}"
            )));
        }
    }
    if words.is_empty() && !args.given("filename") {
        return Err(Failure::new(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if args.on("list") && args.given("output") {
        return Err(Failure::new("--list and --output may not be specified together"));
    }
    Ok(())
}

fn mark_all(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    field: &'static str,
    one: &'static str,
) -> Res<i32> {
    let dry = args.dry_run()?;
    let (words, changes) = pairs(&args.pos, one)?;
    let (set, drop) = changes_of(&changes, field, one)?;
    check_marks(args, &words)?;
    if changes.is_empty() && !args.on("list") {
        return Err(Failure::new(format!("at least one {one} update is required")));
    }
    let options = Options { list: args.on("all") };
    let selection = select(w, io, args, &words, options)?;
    let single = selection.named && selection.targets.len() == 1;
    if !single && args.given("resource-version") {
        return Err(Failure::new("--resource-version may only be used with a single resource"));
    }
    let mut failures = selection.failures;
    for target in &selection.targets {
        let obj = &target.obj;
        if args.on("list") {
            let mut indent = "";
            if !single {
                let info = obj.kind.info();
                io.line(format!(
                    "Listing {field} for {}.{}/{}:",
                    info.kind,
                    info.group,
                    obj.name()
                ));
                indent = " ";
            }
            for (k, v) in obj.meta()[field].pairs() {
                io.line(format!("{indent}{k}={}", v.str()));
            }
            continue;
        }
        let old = obj.meta()[field].clone();
        if !args.on_or("overwrite", false) {
            let taken: Vec<String> = set
                .iter()
                .filter(|(k, _)| k != "kubernetes.io/change-cause")
                .filter_map(|(k, v)| {
                    let was = old.get(k).as_str()?;
                    (was != v).then(|| format!("'{k}' already has a value ({was})"))
                })
                .collect();
            if !taken.is_empty() {
                failures.push(Failure::new(if field == "labels" {
                    taken
                        .iter()
                        .map(|t| format!("{t}, and --overwrite is false"))
                        .collect::<Vec<_>>()
                        .join("\n")
                } else {
                    format!(
                        "--overwrite is false but found the following declared annotation(s): {}",
                        taken.join("; ")
                    )
                }));
                continue;
            }
        }
        let mut value = obj.value.clone();
        if let Some(version) = args.get("resource-version").filter(|v| !v.is_empty()) {
            value.entry("metadata").set("resourceVersion", text(version));
        }
        let map = value.entry("metadata").entry(field);
        let (mut added, mut removed) = (false, false);
        for k in &drop {
            if map.remove(k).is_some() {
                removed = true;
            } else if field == "labels" && dry != DryRun::Client && !args.on("local") {
                io.line(format!("label {k:?} not found."));
            }
        }
        for (k, v) in &set {
            added |= map.get(k).as_str() != Some(v.as_str());
            map.set(text(k), text(v));
        }
        let operation = match (field, added, removed) {
            ("annotations", ..) => "annotated",
            (_, true, true) => "modified",
            (_, true, false) => "labeled",
            (_, false, true) => "unlabeled",
            (_, false, false) => "not labeled",
        };
        failures.extend(deliver(w, io, args, obj, value, operation).err());
    }
    Ok(finish(io, &failures))
}
