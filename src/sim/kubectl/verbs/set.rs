//! `set image`, `set env`, `set resources` (behaviour/kubectl.md 5).

use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::resources::{Options, select};
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::common::{finish, pairs, pod_spec_path, report, send};
use crate::value;
use crate::value::{Value, text};
use crate::world::World;

/// What is changed in a pod spec.
type Change<'a> = dyn Fn(&mut Value) -> Res<()> + 'a;

fn all(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    words: &[String],
    operation: &str,
    change: &Change<'_>,
) -> Res<i32> {
    let dry = args.dry_run()?;
    let options = Options { list: args.on("all") };
    let selection = select(w, io, args, words, options)?;
    let mut failures = selection.failures;
    for target in &selection.targets {
        let obj = &target.obj;
        let mut value = obj.value.clone();
        let Some(path) = pod_spec_path(obj.kind) else {
            failures.push(Failure::new(format!(
                "{} is not a workload with a pod template: {}/{}",
                obj.kind.info().kind,
                obj.kind.info().plural,
                obj.name()
            )));
            continue;
        };
        if let Err(f) = change(value.path_mut(path)) {
            failures.push(f);
            continue;
        }
        // what is as wanted already is not sent, and nothing is said of it
        if value == obj.value {
            continue;
        }
        let result = if dry == DryRun::Client {
            report(io, args, obj.kind, &value, operation, dry)
        } else {
            send(w, obj, value, dry)
                .map_err(Failure::from)
                .and_then(|(new, _)| report(io, args, obj.kind, &new.value, operation, dry))
        };
        failures.extend(result.err());
    }
    Ok(finish(io, &failures))
}

/// Containers of a pod spec that a name means (`*`: all).
fn containers(spec: &mut Value, init: bool, mut f: impl FnMut(&mut Value) -> bool) -> bool {
    let mut hit = false;
    for field in if init { &["containers", "initContainers"][..] } else { &["containers"][..] } {
        if spec.has(field) {
            for c in spec.entry(*field).list_mut() {
                hit |= f(c);
            }
        }
    }
    hit
}

/// `kubectl set image`.
pub fn image(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let (words, changes) = pairs(&args.pos);
    if changes.is_empty() {
        return Run::Done(io.fail(&Failure::new("at least one image update is required")));
    }
    let images: Vec<(&str, &str)> = changes.iter().filter_map(|c| c.split_once('=')).collect();
    let result = all(w, io, args, &words, "image updated", &|spec| {
        for (name, image) in &images {
            let hit = containers(spec, true, |c| {
                let yes = *name == "*" || c["name"].str() == *name;
                if yes && c["image"].str() != *image {
                    c.set("image", text(image));
                }
                yes
            });
            if !hit {
                return Err(Failure::new(format!("unable to find container named {name:?}")));
            }
        }
        Ok(())
    });
    ended(io, result)
}

/// `kubectl set env`.
pub fn env(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let (words, changes) = pairs(&args.pos);
    let changes: Vec<String> = changes.into_iter().chain(args.list("env")).collect();
    if args.on("list") || args.given("from") {
        io.err("error: not simulated: set env --list and --from");
        return Run::Done(1);
    }
    if changes.is_empty() {
        return Run::Done(
            io.fail(&Failure::new("at least one environment variable must be provided")),
        );
    }
    let only = args.get("containers").unwrap_or("*").to_owned();
    let result = all(w, io, args, &words, "env updated", &|spec| {
        let hit = containers(spec, false, |c| {
            if !crate::shell::glob(&only, c["name"].str()) {
                return false;
            }
            for change in &changes {
                let list = c.entry("env").list_mut();
                if let Some((name, v)) = change.split_once('=') {
                    let new = value!({"name": (text(name)), "value": (text(v))});
                    match list.iter().position(|e| e["name"].str() == name) {
                        Some(i) => list[i] = new,
                        None => list.push(new),
                    }
                } else {
                    let name = change.trim_end_matches('-');
                    list.retain(|e| e["name"].str() != name);
                }
            }
            if c["env"].is_empty() {
                c.remove("env");
            }
            true
        });
        if hit {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "{} does not have any containers matching {only:?}",
                "the template"
            )))
        }
    });
    ended(io, result)
}

/// `kubectl set resources`.
pub fn resources(w: &mut World, io: &mut Io, args: &Args) -> Run {
    if !args.given("limits") && !args.given("requests") {
        return Run::Done(io.fail(&Failure::new(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        )));
    }
    let only = args.get("containers").unwrap_or("*").to_owned();
    let result = all(w, io, args, &args.pos, "resource requirements updated", &|spec| {
        let mut wrong = None;
        let hit = containers(spec, false, |c| {
            if !crate::shell::glob(&only, c["name"].str()) {
                return false;
            }
            for field in ["limits", "requests"] {
                for pair in args.list(field) {
                    let Some((name, amount)) = pair.split_once('=') else {
                        wrong = Some(Failure::new(format!(
                            "Invalid argument syntax {pair:?}, expected <resource>=<quantity>"
                        )));
                        continue;
                    };
                    let amount = crate::manifest::canonical_quantity(&text(amount).into());
                    c.entry("resources").entry(field).set(text(name), amount);
                }
            }
            true
        });
        match wrong {
            Some(f) => Err(f),
            None if !hit => Err(Failure::new(format!("unable to find container named {only:?}"))),
            None => Ok(()),
        }
    });
    ended(io, result)
}
