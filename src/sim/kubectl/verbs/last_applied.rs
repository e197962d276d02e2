//! `apply view-last-applied`, `set-last-applied`: the file that `apply` remembers.

use crate::api::Obj;
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::files::documents;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::resources::{Options, meta, select};
use crate::kubectl::verbs::apply::modified;
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::common::{LAST_APPLIED, finish, report, send};
use crate::manifest::print::{to_json_pretty, to_yaml};
use crate::value::Value;
use crate::world::World;

/// What the annotation of an object holds.
pub fn of(obj: &Obj) -> Option<Value> {
    let t = obj.annotation(LAST_APPLIED)?;
    let json = serde_json::from_str::<serde_json::Value>(t).ok()?;
    Some(crate::shell::json_value(&json))
}

/// `kubectl apply view-last-applied`.
pub fn view(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = view_all(w, io, args);
    ended(io, result)
}

fn view_all(w: &World, io: &mut Io, args: &Args) -> Res<i32> {
    let json = match args.text("output") {
        "" | "yaml" => false,
        "json" => true,
        other => {
            return Err(args.usage(&format!(
                "Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json"
            )));
        }
    };
    let selection = select(w, io, args, &args.pos, Options { list: args.on("all") })?;
    if let Some(f) = selection.failures.first() {
        return Err(f.clone());
    }
    for target in &selection.targets {
        let obj = &target.obj;
        let Some(last) = of(obj) else {
            return Err(Failure::new(format!(
                "no last-applied-configuration annotation found on resource: {}",
                obj.name()
            )));
        };
        io.print(if json { to_json_pretty(&last) } else { to_yaml(&last) });
    }
    Ok(0)
}

/// `kubectl apply set-last-applied`.
pub fn set(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = set_all(w, io, args);
    ended(io, result)
}

fn set_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let dry = args.dry_run()?;
    if !args.given("filename") {
        return Err(Failure::new("must specify one of -f and -k"));
    }
    let (docs, mut failures) = documents(w, io, args)?;
    for doc in docs {
        let (ns, name) = meta(&doc.value);
        let Some(live) = w.store.get(doc.kind, &ns, &name).cloned() else {
            failures.push(crate::apiserver::error::Status::not_found(doc.kind, &name).into());
            continue;
        };
        if live.annotation(LAST_APPLIED).is_none() && !args.on("create-annotation") {
            failures.push(Failure::new(format!(
                "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run the command with --create-annotation"
            )));
            continue;
        }
        let note = modified(&doc.value)["metadata"]["annotations"][LAST_APPLIED].clone();
        let mut value = live.value.clone();
        value.entry("metadata").entry("annotations").set(LAST_APPLIED, note);
        let result = if dry == DryRun::Client {
            report(io, args, doc.kind, &value, "configured", dry)
        } else {
            send(w, io, &live, value, dry)
                .map_err(Failure::from)
                .and_then(|(new, _)| report(io, args, doc.kind, &new.value, "configured", dry))
        };
        failures.extend(result.err());
    }
    Ok(finish(io, &failures))
}
