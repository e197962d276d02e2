//! What the changing commands share: result lines, patches, timeouts.

use crate::api::{Kind, Obj};
use crate::apiserver::error::{Reason, Status};
use crate::apiserver::{FieldValidation, Sub, WriteOptions};
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Res};
use crate::kubectl::output::Output;
use crate::kubectl::resources::{Selection, slashed};
use crate::value::Value;
use crate::world::World;

/// The annotation that `kubectl apply` keeps the file in.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The annotation that tells why there is a revision.
pub const CAUSE: &str = "kubernetes.io/change-cause";

/// What the server says of a subresource that a kind does not have.
pub fn no_such_resource() -> Failure {
    Status::new(Reason::NotFound, "the server could not find the requested resource").into()
}

/// Does the kind have the subresource `scale`?
pub fn scalable(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::StatefulSet | Kind::Deployment | Kind::ReplicaSet | Kind::ReplicationController
    )
}

/// Options of a write.
pub fn write_options(dry: DryRun) -> WriteOptions {
    WriteOptions { dry_run: dry != DryRun::None, ..WriteOptions::default() }
}

/// What `--validate` asks for.
///
/// # Errors
/// Another word.
pub fn validation(args: &Args) -> Res<FieldValidation> {
    Ok(match args.get("validate").unwrap_or("strict") {
        "strict" | "true" | "TRUE" | "True" | "t" | "T" | "1" => FieldValidation::Strict,
        "warn" => FieldValidation::Warn,
        "ignore" | "false" | "FALSE" | "False" | "f" | "F" | "0" => FieldValidation::Ignore,
        other => {
            return Err(Failure::new(format!(
                "invalid - validate option {other:?}; must be one of: strict (or true), warn, ignore (or false)"
            )));
        }
    })
}

/// Options of a write of an object from a file, with `--validate`.
pub fn file_options(args: &Args, dry: DryRun) -> WriteOptions {
    WriteOptions { fields: validation(args).unwrap_or_default(), ..write_options(dry) }
}

/// Makes a request and prints what the server warns of: every writing command asks in this way,
/// so that no warning is left for another command.
///
/// # Errors
/// What the server answers.
pub fn ask(
    w: &mut World,
    io: &mut Io,
    request: impl FnOnce(&mut World) -> Result<Obj, Status>,
) -> Result<Obj, Status> {
    w.warnings.clear();
    let answer = request(w);
    warned(w, io);
    answer
}

fn warned(w: &mut World, io: &mut Io) {
    for warning in std::mem::take(&mut w.warnings) {
        // a command says the same thing once
        let text = format!("Warning: {warning}\n");
        if !io.out.iter().any(|c| c.text == text.as_str()) {
            io.warn(warning);
        }
    }
}

/// Prints `pod/web-0 patched (dry run)`, or the object where `-o` asks for it.
///
/// # Errors
/// An output format that there is not.
pub fn report(
    io: &mut Io,
    args: &Args,
    kind: Kind,
    value: &Value,
    operation: &str,
    dry: DryRun,
) -> Res<()> {
    let name = value["metadata"]["name"].str();
    match Output::of(args)? {
        Output::Table(false) => {
            io.line(format!("{} {operation}{}", slashed(kind, name), dry.suffix()));
        }
        Output::Table(true) | Output::Columns(..) => {
            return Err(Output::no_printer(args.text("output"), false));
        }
        Output::Name => io.line(slashed(kind, name)),
        output => {
            if let Some(gathered) = &mut io.gathered {
                gathered.push(shown(value));
                return Ok(());
            }
            document(io, &output, &shown(value))?;
            // these commands have a printer for each object, which sets nothing apart
            let alone = ["label", "patch", "taint"].contains(&args.verb);
            io.yaml &= !alone && !args.verb.starts_with("rollout");
        }
    }
    Ok(())
}

/// Prints an object in the format; a YAML document after another one is set apart from it.
///
/// # Errors
/// A template that cannot be filled.
pub fn document(io: &mut Io, output: &Output, value: &Value) -> Res<()> {
    let text = output.value(value)?;
    if matches!(output, Output::Yaml) && std::mem::replace(&mut io.yaml, true) {
        io.print("---\n");
    }
    io.print(text);
    Ok(())
}

/// An object as `-o yaml` shows it.
fn shown(value: &Value) -> Value {
    let mut value = value.clone();
    if value["metadata"].has("managedFields") {
        value.entry("metadata").remove("managedFields");
    }
    value
}

/// Writes down the command line in an object, if `--record` asks for it.
pub fn record(io: &Io, value: &mut Value) {
    if let Some(cause) = &io.cause {
        let notes = value.entry("metadata").entry("annotations");
        if notes.as_map().is_none() {
            *notes = Value::map();
        }
        notes.set(CAUSE, cause);
    }
}

/// Sends a changed version of an object; gives the new version and whether anything changed.
///
/// # Errors
/// What the server answers.
pub fn send(
    w: &mut World,
    io: &mut Io,
    old: &Obj,
    value: Value,
    dry: DryRun,
) -> Result<(Obj, bool), Status> {
    let mut value = value;
    record(io, &mut value);
    // a patch is not bound to a version, unless it names one itself
    let meta = value.entry("metadata");
    if meta["resourceVersion"] == old.meta()["resourceVersion"] {
        meta.remove("resourceVersion");
    }
    let new = ask(w, io, |w| w.update(old.kind, value, Sub::Main, write_options(dry)))?;
    let changed = *new.value != *old.value;
    Ok((new, changed))
}

/// Sends a changed object, unless the command stays here (`--dry-run=client`, `--local`), and
/// prints what became of it.
///
/// # Errors
/// What the server answers; an output format that there is not.
pub fn deliver(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    old: &Obj,
    mut value: Value,
    operation: &str,
) -> Res<()> {
    let dry = args.dry_run()?;
    if dry != DryRun::Client && !args.on("local") {
        value = send(w, io, old, value, dry)?.0.value.clone();
    }
    report(io, args, old.kind, &value, operation, dry)
}

/// Prints the failures that came together and gives the exit status.
pub fn finish(io: &mut Io, failures: &[Failure]) -> i32 {
    io.fail_all(failures)
}

/// The pod template's spec of a workload, or a pod's own spec, as a path.
pub fn pod_spec_path(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Pod => Some("spec"),
        Kind::StatefulSet
        | Kind::Deployment
        | Kind::ReplicaSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::ReplicationController => Some("spec.template.spec"),
        Kind::CronJob => Some("spec.jobTemplate.spec.template.spec"),
        _ => None,
    }
}

/// `a=b` and `a-` apart from what stands before them; `what` they are.
///
/// # Errors
/// Something else stands after them.
pub fn pairs(words: &[String], what: &str) -> Res<(Vec<String>, Vec<String>)> {
    let is_pair =
        |w: &String| w.contains('=') && !w.starts_with('=') || w.len() > 1 && w.ends_with('-');
    let at = words.iter().position(is_pair).unwrap_or(words.len());
    let (head, tail) = words.split_at(at);
    if let Some(late) = tail.iter().find(|w| !is_pair(w)) {
        return Err(Failure::new(format!(
            "all resources must be specified before {what} changes: {late}"
        )));
    }
    Ok((head.to_vec(), tail.to_vec()))
}

/// What is set and what is removed.
pub type Pairs = (Vec<(String, String)>, Vec<String>);

/// Takes `a=b` and `a-` apart.
///
/// # Errors
/// Words that are neither; `a-` where nothing can be removed.
pub fn parse_pairs(words: &[String], what: &str, remove: bool) -> Res<Pairs> {
    let (mut set, mut drop, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for word in words {
        match (word.split_once('='), word.strip_suffix('-')) {
            (Some((k, v)), _) => set.push((k.to_owned(), v.to_owned())),
            (None, Some(k)) if remove => drop.push(k.to_owned()),
            _ => wrong.push(word.as_str()),
        }
    }
    if wrong.is_empty() {
        return Ok((set, drop));
    }
    Err(Failure::new(format!("invalid {what} format: {}", wrong.join(", "))))
}

/// Prints what the server warns of whoever asks for old kinds of objects.
pub fn warn_of_old(io: &mut Io, selected: &Selection) {
    let asked = selected.kinds.contains(&Kind::Endpoints);
    if asked || selected.targets.iter().any(|t| t.obj.kind == Kind::Endpoints) {
        io.warn("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
    }
}
