//! `apply`, `create -f`, `replace` (behaviour/kubectl.md 3).

use crate::api::{Kind, Obj};
use crate::apiserver::error::Reason;
use crate::apiserver::three_way::three_way;
use crate::apiserver::{DeleteOptions, PatchType, Sub, managed};
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::files::{Document, documents};
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::output::Output;
use crate::kubectl::resources::meta;
use crate::kubectl::selectors::Selector;
use crate::kubectl::verbs::common::{self, LAST_APPLIED, report};
use crate::kubectl::verbs::{delete, last_applied};
use crate::value;
use crate::value::{Str, Value};
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
    if !args.given("filename") {
        return Err(Failure::new("must specify one of -f and -k"));
    }
    if !args.pos.is_empty() {
        return Err(args.usage(&format!("Unexpected args: [{}]", args.pos.join(" "))));
    }
    common::validation(args)?;
    let (mut docs, failures) = documents(w, io, args)?;
    for doc in &mut docs {
        common::record(io, &mut doc.value);
    }
    if docs.is_empty() && failures.is_empty() {
        return Err(Failure::new(format!("no objects passed to {verb}")));
    }
    Ok((docs, failures))
}

/// `kubectl apply`.
pub fn apply(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let mut job = match start(w, io, args) {
        Ok(job) => job,
        Err(f) => return Run::Done(io.fail(&f)),
    };
    match job.poll(w, io) {
        Some(code) => Run::Done(code),
        None => Run::wait(job),
    }
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Apply> {
    if !args.pos.is_empty() {
        return Err(args.usage(&format!("Unexpected args: [{}]", args.pos.join(" "))));
    }
    let dry = args.dry_run()?;
    check(args, dry)?;
    let (docs, failures) = read(w, io, args, "apply")?;
    io.gathered = Some(Vec::new());
    let until = args.deadline(w, None);
    if let Some(until) = until {
        w.wake_terminal(io.term, until.saturating_sub(w.now), true);
    }
    Ok(Apply { args: args.clone(), dry, docs, next: 0, gone: None, failures, until })
}

/// The documents of an `apply`, one after the other. It waits only where `--force` deletes.
#[derive(Clone)]
struct Apply {
    args: Args,
    dry: DryRun,
    docs: Vec<Document>,
    /// The document that is applied next.
    next: usize,
    /// The old version of that document's object, which is to go first.
    gone: Option<Obj>,
    failures: Vec<Failure>,
    /// `--timeout`: how long it waits for that.
    until: Option<u64>,
}

impl Job for Apply {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        while let Some(doc) = self.docs.get(self.next) {
            let done = match &self.gone {
                None => apply_one(w, io, &self.args, doc, self.dry),
                Some(old) if w.store.by_key(&old.key()).is_some_and(|o| o.uid() == old.uid()) => {
                    if self.until.is_none_or(|until| w.now < until) {
                        return None;
                    }
                    Err(Failure::new("timed out waiting for the condition"))
                }
                Some(old) => create_anew(w, io, &self.args, doc, old).map(|()| None),
            };
            self.gone = done.unwrap_or_else(|f| {
                self.failures.push(f);
                None
            });
            if self.gone.is_none() {
                self.next += 1;
            }
        }
        if self.args.on("prune") && self.failures.is_empty() {
            self.failures.extend(prune(w, io, &self.args, &self.docs, self.dry).err());
        }
        Some(match print_gathered(io, &self.args) {
            Ok(()) => common::finish(io, &self.failures),
            Err(f) => io.fail(&f),
        })
    }
}

/// Objects are printed as one, as a list if there are several.
fn print_gathered(io: &mut Io, args: &Args) -> Res<()> {
    let mut applied = io.gathered.take().unwrap_or_default();
    let whole = match applied.len() {
        0 => None,
        1 => applied.pop(),
        _ => Some(value!({"apiVersion": "v1", "items": applied, "kind": "List", "metadata": {}})),
    };
    match whole {
        Some(whole) => common::document(io, &Output::of(args)?, &whole),
        None => Ok(()),
    }
}

/// `apply --force`, once the old object is gone: makes the new one, or the old one again.
fn create_anew(w: &mut World, io: &mut Io, args: &Args, doc: &Document, old: &Obj) -> Res<()> {
    let new = modified(&doc.value);
    let options = common::file_options(args, DryRun::None);
    match common::ask(w, io, |w| w.create(doc.kind, new.clone(), options)) {
        Ok(obj) => report(io, args, doc.kind, &obj.value, "configured", DryRun::None),
        Err(e) => match common::ask(w, io, |w| w.create(doc.kind, (*old.value).clone(), options)) {
            Ok(_) => Err(Failure::status(&e, &patching(doc, &new))),
            Err(other) => Err(Failure::new(format!(
                "{}An error occurred force-replacing the existing object with the newly provided one:\n\n{e}.\n\nAdditionally, an error occurred attempting to restore the original object:\n\n{other}",
                patching(doc, &new)
            ))),
        },
    }
}

/// A document's object as kubectl describes it in errors.
fn described(doc: &Document) -> String {
    let info = doc.kind.info();
    let (ns, name) = meta(&doc.value);
    format!(
        "Resource: \"{}, Resource={}\", GroupVersionKind: \"{}, Kind={}\"\nName: {:?}, Namespace: {:?}",
        info.api_version,
        info.plural,
        info.api_version,
        info.kind,
        name.as_str(),
        ns.as_str()
    )
}

/// What stands before the refusal of a patch.
fn patching(doc: &Document, change: &Value) -> String {
    format!(
        "error when applying patch:\n{change}\nto:\n{}\nfor: {:?}: ",
        described(doc),
        doc.source.as_str()
    )
}

/// Flags that exclude each other.
fn check(args: &Args, dry: DryRun) -> Res<()> {
    let server_side = args.on("server-side");
    let no = |why: &str| Err(Failure::new(why));
    if args.on("force-conflicts") && !server_side {
        return no("--force-conflicts only works with --server-side");
    }
    if dry == DryRun::Client && server_side {
        return no(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        );
    }
    if args.on("force") && server_side {
        return no("--force cannot be used with --server-side");
    }
    if args.on("prune") {
        if args.given("applyset") {
            return no("not simulated: --applyset");
        }
        if args.on("all") && !args.text("selector").is_empty() {
            return no("cannot set --all and --selector at the same time");
        }
        if !args.on("all") && args.text("selector").is_empty() {
            return no(
                "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
            );
        }
    }
    Ok(())
}

/// What `--prune` looks at unless `--prune-allowlist` names kinds.
const PRUNED: &[Kind] = &[
    Kind::ConfigMap,
    Kind::Endpoints,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Secret,
    Kind::Service,
    Kind::Job,
    Kind::CronJob,
    Kind::Ingress,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
];

/// Deletes what was applied before and is not in the files any more.
fn prune(w: &mut World, io: &mut Io, args: &Args, docs: &[Document], dry: DryRun) -> Res<()> {
    let selector = Selector::parse(args.text("selector"))?;
    let allowed = args.list("prune-allowlist");
    let kinds: Vec<Kind> = if allowed.is_empty() {
        PRUNED.to_vec()
    } else {
        let of = |t: &String| {
            let mut parts = t.rsplit('/');
            let (kind, version) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            let api = match parts.next() {
                Some("core") | None => version.to_owned(),
                Some(group) => format!("{group}/{version}"),
            };
            Kind::from_gvk(&api, kind).ok_or_else(|| {
                Failure::new(format!("no matches for kind {kind:?} in version {api:?}"))
            })
        };
        allowed.iter().map(of).collect::<Res<_>>()?
    };
    let kept: Vec<_> = docs.iter().map(|d| (d.kind, meta(&d.value))).collect();
    let spaces: Vec<Str> = kept.iter().map(|(_, (ns, _))| ns.clone()).collect();
    for kind in kinds {
        let gone: Vec<Obj> = w
            .store
            .all(kind)
            .filter(|o| o.annotation(LAST_APPLIED).is_some() && spaces.contains(&o.ns()))
            .filter(|o| selector.matches(&o.meta()["labels"]))
            .filter(|o| !kept.contains(&(kind, (o.ns(), o.name()))))
            .cloned()
            .collect();
        for obj in gone {
            if dry == DryRun::None {
                w.delete(&obj.key(), &DeleteOptions::default())?;
            }
            report(io, args, kind, &obj.value, "pruned", dry)?;
        }
    }
    Ok(())
}

/// Applies a document; gives the object that `--force` deletes before it is made anew.
fn apply_one(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    doc: &Document,
    dry: DryRun,
) -> Res<Option<Obj>> {
    let (ns, name) = meta(&doc.value);
    let info = doc.kind.info();
    let prefix = doc.value["metadata"]["generateName"].str();
    if name.is_empty() && !prefix.is_empty() {
        return Err(Failure::new(format!("from {prefix}: cannot use generate name with apply")));
    }
    if name.is_empty() {
        return Err(Failure::new(format!(
            "error when retrieving current configuration of:\n{}\nfrom server for: {:?}: resource name may not be empty",
            described(doc),
            doc.source.as_str()
        )));
    }
    if args.on("server-side") {
        return server_side(w, io, args, doc, dry).map(|()| None);
    }
    let live = w.store.get(doc.kind, &ns, &name).cloned();
    let new = modified(&doc.value);
    let Some(live) = live else {
        let obj = if dry == DryRun::Client {
            new
        } else {
            let prefix = format!("error when creating {:?}: ", doc.source.as_str());
            let options = common::file_options(args, dry);
            let made = common::ask(w, io, |w| w.create(doc.kind, new, options));
            let obj = made.map_err(|e| Failure::status(&e, &prefix))?;
            obj.value.clone()
        };
        return report(io, args, doc.kind, &obj, "created", dry).map(|()| None);
    };
    if live.annotation(LAST_APPLIED).is_none() {
        io.warn(format!(
            "resource {}/{name} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
            info.plural
        ));
    }
    if dry == DryRun::Client {
        return report(io, args, doc.kind, &live.value, "configured", dry).map(|()| None);
    }
    let last = last_applied::of(&live).unwrap_or_else(Value::map);
    let change = three_way(doc.kind, &last, &live.value, &new);
    if change.is_empty() {
        return report(io, args, doc.kind, &live.value, "unchanged", dry).map(|()| None);
    }
    if live.terminating() {
        io.warn(format!("Detected changes to resource {name} which is currently being deleted."));
    }
    let options = common::file_options(args, dry);
    let strategic = PatchType::Strategic;
    let obj = common::ask(w, io, |w| w.patch(&live, &change, strategic, Sub::Main, options));
    let obj = match obj {
        Ok(obj) => obj,
        Err(e)
            if args.on("force")
                && dry == DryRun::None
                && matches!(e.reason, Reason::Conflict | Reason::Invalid) =>
        {
            let options = DeleteOptions {
                grace: args.int("grace-period").filter(|g| *g >= 0),
                propagation: delete::propagation(io, args)?,
                ..DeleteOptions::default()
            };
            w.delete(&live.key(), &options)?;
            return Ok(Some(live));
        }
        Err(e) => return Err(Failure::status(&e, &patching(doc, &change))),
    };
    report(io, args, doc.kind, &obj.value, "configured", dry)?;
    Ok(None)
}

/// How kubectl ends a conflict's message.
const CONFLICT_HELP: &str =
    "Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// `apply --server-side`.
fn server_side(w: &mut World, io: &mut Io, args: &Args, doc: &Document, dry: DryRun) -> Res<()> {
    let manager = args.get("field-manager").unwrap_or(managed::KUBECTL);
    let (ns, name) = meta(&doc.value);
    let mut value = doc.value.clone();
    // the annotation goes on telling what kubectl applied
    let live = w.store.get(doc.kind, &ns, &name);
    if manager == managed::KUBECTL && live.is_some_and(|o| o.annotation(LAST_APPLIED).is_some()) {
        value = modified(&value);
    }
    let options = common::file_options(args, dry);
    let force = args.on("force-conflicts");
    let applied = common::ask(w, io, |w| w.apply(doc.kind, value, manager, force, options));
    let obj = applied.map_err(|e| {
        if e.reason == Reason::Conflict {
            Failure::new(format!("{}\n{CONFLICT_HELP}", e.message))
        } else {
            e.into()
        }
    })?;
    if obj.terminating() {
        io.warn(format!("Detected changes to resource {name} which is currently being deleted."));
    }
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
    if !args.pos.is_empty() {
        return Err(args.usage(&format!("Unexpected args: [{}]", args.pos.join(" "))));
    }
    if !args.given("filename") {
        return Err(Failure::new("must specify one of -f and -k"));
    }
    if args.given("raw") || args.on("edit") {
        return Err(Failure::new("not simulated: --raw and --edit"));
    }
    let dry = args.dry_run()?;
    let (docs, mut failures) = read(w, io, args, "create")?;
    for doc in &docs {
        let value = if args.on("save-config") { modified(&doc.value) } else { doc.value.clone() };
        let result = if dry == DryRun::Client {
            report(io, args, doc.kind, &value, "created", dry)
        } else {
            let prefix = format!("error when creating {:?}: ", doc.source.as_str());
            let options = common::file_options(args, dry);
            let made = common::ask(w, io, |w| w.create(doc.kind, value, options));
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
        let result = replace_one(w, io, args, doc, dry)
            .and_then(|obj| report(io, args, doc.kind, &obj, "replaced", dry));
        failures.extend(result.err());
    }
    Run::Done(common::finish(io, &failures))
}

fn replace_one(w: &mut World, io: &mut Io, args: &Args, doc: &Document, dry: DryRun) -> Res<Value> {
    if dry == DryRun::Client {
        return Ok(doc.value.clone());
    }
    let prefix = format!("error when replacing {:?}: ", doc.source.as_str());
    let sub = if args.get("subresource") == Some("status") { Sub::Status } else { Sub::Main };
    let options = common::file_options(args, dry);
    let new = common::ask(w, io, |w| w.update(doc.kind, doc.value.clone(), sub, options));
    new.map(|obj| obj.value.clone()).map_err(|e| Failure::status(&e, &prefix))
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
            let options = common::file_options(&self.args, DryRun::None);
            let made = common::ask(w, io, |w| w.create(doc.kind, doc.value.clone(), options));
            let made = made.map_err(Failure::from).and_then(|obj| {
                report(io, &self.args, doc.kind, &obj.value, "replaced", DryRun::None)
            });
            failures.extend(made.err());
        }
        Some(common::finish(io, &failures))
    }
}
