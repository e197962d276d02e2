//! `apply`, `create -f`, `replace` (behaviour/kubectl.md 3).

use crate::api::Obj;
use crate::apiserver::patch;
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::files::{Document, documents};
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::resources::meta;
use crate::kubectl::verbs::common::{self, LAST_APPLIED, report, send, write_options};
use crate::kubectl::verbs::delete;
use crate::value::Value;
use crate::world::World;

/// The file as `apply` remembers it, the annotation set.
pub(crate) fn modified(doc: &Value) -> Value {
    let mut value = doc.clone();
    let notes = value.entry("metadata").entry("annotations");
    if notes.as_map().is_none() {
        *notes = Value::map();
    }
    notes.remove(LAST_APPLIED);
    let text = format!("{value}\n");
    value.entry("metadata").entry("annotations").set(LAST_APPLIED, text);
    value
}

/// Reads the files of `-f`; none is an error.
fn read(w: &World, io: &mut Io, args: &Args, verb: &str) -> Res<(Vec<Document>, Vec<Failure>)> {
    if args.given("kustomize") {
        return Err(Failure::new("not simulated: kustomize"));
    }
    if !args.given("filename") {
        return Err(Failure::new("must specify one of -f and -k"));
    }
    if !args.pos.is_empty() {
        return Err(Failure(format!(
            "error: Unexpected args: [{}]\nSee 'kubectl {verb} -h' for help and examples",
            args.pos.join(" ")
        )));
    }
    let (docs, failures) = documents(w, io, args)?;
    if docs.is_empty() && failures.is_empty() {
        return Err(Failure::new(format!("no objects passed to {verb}")));
    }
    Ok((docs, failures))
}

/// `kubectl apply`.
pub fn apply(w: &mut World, io: &mut Io, args: &Args) -> Run {
    Run::Done(match apply_all(w, io, args) {
        Ok(code) => code,
        Err(f) => io.fail(&f),
    })
}

fn apply_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let dry = args.dry_run()?;
    if args.on("prune") {
        return Err(Failure::new("not simulated: --prune"));
    }
    let (docs, mut failures) = read(w, io, args, "apply")?;
    for doc in &docs {
        if let Err(f) = apply_one(w, io, args, doc, dry) {
            failures.push(f);
        }
    }
    Ok(common::finish(io, &failures))
}

fn apply_one(w: &mut World, io: &mut Io, args: &Args, doc: &Document, dry: DryRun) -> Res<()> {
    let (ns, name) = meta(&doc.value);
    let info = doc.kind.info();
    let describe = |name: &str| {
        format!(
            "Resource: \"{}, Resource={}\", GroupVersionKind: \"{}, Kind={}\"\nName: {name:?}, Namespace: {:?}",
            info.api_version,
            info.plural,
            info.api_version,
            info.kind,
            ns.as_str()
        )
    };
    if name.is_empty() {
        return Err(Failure::new(format!(
            "error when retrieving current configuration of:\n{}\nfrom server for: {:?}: resource name may not be empty",
            describe(""),
            doc.source.as_str()
        )));
    }
    let live = w.store.get(doc.kind, &ns, &name).cloned();
    if args.on("server-side") {
        return server_side(w, io, args, doc, live, dry);
    }
    let new = modified(&doc.value);
    let Some(live) = live else {
        let obj = if dry == DryRun::Client {
            new
        } else {
            let prefix = format!("error when creating {:?}: ", doc.source.as_str());
            let made = w.create(doc.kind, new, common::file_options(args, dry));
            common::warned(w, io);
            let obj = made.map_err(|e| Failure::status(&e, &prefix))?;
            obj.value.clone()
        };
        return report(io, args, doc.kind, &obj, "created", dry);
    };
    let last = live.annotation(LAST_APPLIED).map(str::to_owned);
    if last.is_none() {
        io.warn(format!(
            "resource {}/{name} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
            info.plural
        ));
    }
    if dry == DryRun::Client {
        return report(io, args, doc.kind, &live.value, "configured", dry);
    }
    let last = last
        .and_then(|t| serde_json::from_str::<serde_json::Value>(&t).ok())
        .map_or_else(Value::map, |v| crate::shell::json_value(&v));
    let change = patch::three_way(&last, &live.value, &new);
    if change.is_empty() {
        return report(io, args, doc.kind, &live.value, "unchanged", dry);
    }
    if live.terminating() {
        io.warn(format!("Detected changes to resource {name} which is currently being deleted."));
    }
    let prefix = || {
        format!(
            "error when applying patch:\n{change}\nto:\n{}\nfor: {:?}: ",
            describe(&name),
            doc.source.as_str()
        )
    };
    let target = patch::strategic(&live.value, &change);
    common::check_patch(args, doc.kind, &change, &target)?;
    let (obj, _) = send(w, &live, target, dry).map_err(|e| Failure::status(&e, &prefix()))?;
    report(io, args, doc.kind, &obj.value, "configured", dry)
}

/// Server-side apply, as far as one manager alone can tell: the file's fields win.
fn server_side(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    doc: &Document,
    live: Option<Obj>,
    dry: DryRun,
) -> Res<()> {
    if dry == DryRun::Client {
        return Err(Failure::new(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ));
    }
    let obj = match live {
        None => w.create(doc.kind, doc.value.clone(), write_options(dry))?,
        Some(live) => {
            let target = patch::strategic(&live.value, &doc.value);
            send(w, &live, target, dry)?.0
        }
    };
    report(io, args, doc.kind, &obj.value, "serverside-applied", dry)
}

/// `kubectl create -f`.
pub fn create(w: &mut World, io: &mut Io, args: &Args) -> Run {
    Run::Done(match create_all(w, io, args) {
        Ok(code) => code,
        Err(f) => io.fail(&f),
    })
}

fn create_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    if let (Some(word), false) = (args.pos.first(), args.given("filename")) {
        return Err(Failure(format!(
            "error: unknown command {word:?}\nSee 'kubectl create -h' for help and examples"
        )));
    }
    let dry = args.dry_run()?;
    let (docs, mut failures) = read(w, io, args, "create")?;
    for doc in &docs {
        let value = if args.on("save-config") { modified(&doc.value) } else { doc.value.clone() };
        let result = if dry == DryRun::Client {
            report(io, args, doc.kind, &value, "created", dry)
        } else {
            let prefix = format!("error when creating {:?}: ", doc.source.as_str());
            let made = w.create(doc.kind, value, common::file_options(args, dry));
            common::warned(w, io);
            made.map_err(|e| Failure::status(&e, &prefix))
                .and_then(|obj| report(io, args, doc.kind, &obj.value, "created", dry))
        };
        failures.extend(result.err());
    }
    Ok(common::finish(io, &failures))
}

/// `kubectl replace`.
pub fn replace(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let step = || -> Res<(DryRun, Vec<Document>, Vec<Failure>)> {
        let dry = args.dry_run()?;
        if !args.given("filename") {
            return Err(Failure::new("must specify one of -f and -k"));
        }
        let (docs, failures) = read(w, io, args, "replace")?;
        Ok((dry, docs, failures))
    };
    let mut step = step;
    let (dry, docs, mut failures) = match step() {
        Ok(x) => x,
        Err(f) => return Run::Done(io.fail(&f)),
    };
    if args.on("force") {
        let mut gone = Vec::new();
        for doc in &docs {
            let (ns, name) = meta(&doc.value);
            if let Some(obj) = w.store.get(doc.kind, &ns, &name).cloned() {
                let how = delete::How { dry, ..delete::How::default() };
                match delete::one(w, io, &obj, &how) {
                    Ok(()) => gone.push((obj.key(), obj.uid())),
                    Err(f) => failures.push(f),
                }
            }
        }
        if !failures.is_empty() {
            return Run::Done(common::finish(io, &failures));
        }
        return Run::wait(Recreate { gone, docs, args: args.clone() });
    }
    for doc in &docs {
        let result = replace_one(w, doc, dry)
            .and_then(|obj| report(io, args, doc.kind, &obj, "replaced", dry));
        failures.extend(result.err());
    }
    Run::Done(common::finish(io, &failures))
}

fn replace_one(w: &mut World, doc: &Document, dry: DryRun) -> Res<Value> {
    if dry == DryRun::Client {
        return Ok(doc.value.clone());
    }
    let prefix = format!("error when replacing {:?}: ", doc.source.as_str());
    w.update(doc.kind, doc.value.clone(), crate::apiserver::Sub::Main, write_options(dry))
        .map(|obj| obj.value.clone())
        .map_err(|e| Failure::status(&e, &prefix))
}

/// `replace --force`: waits until the old objects are gone, then makes the new ones.
#[derive(Clone)]
struct Recreate {
    gone: Vec<(crate::api::Key, crate::value::Str)>,
    docs: Vec<Document>,
    args: Args,
}

impl Job for Recreate {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        if self.gone.iter().any(|(k, uid)| w.store.by_key(k).is_some_and(|o| o.uid() == *uid)) {
            return None;
        }
        let mut failures = Vec::new();
        for doc in &self.docs {
            let made = w
                .create(doc.kind, doc.value.clone(), write_options(DryRun::None))
                .map_err(Failure::from)
                .and_then(|obj| {
                    report(io, &self.args, doc.kind, &obj.value, "replaced", DryRun::None)
                });
            failures.extend(made.err());
        }
        Some(common::finish(io, &failures))
    }
}
