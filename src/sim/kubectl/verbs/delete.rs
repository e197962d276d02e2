//! `delete` (behaviour/kubectl.md 4).

use crate::api::{Key, Obj};
use crate::apiserver::{DeleteOptions, Propagation};
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::resources::{Options, select};
use crate::kubectl::verbs::common::warn_of_old;
use crate::value::Str;
use crate::world::World;

/// How objects are deleted.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Grace period, seconds.
    pub grace: Option<i64>,
    /// What becomes of dependents.
    pub propagation: Propagation,
    /// Nothing, in earnest?
    pub dry: DryRun,
    /// `-o name`.
    pub names: bool,
}

/// Sends the delete request and prints its line.
///
/// # Errors
/// What the server answers.
pub fn one(w: &mut World, io: &mut Io, obj: &Obj, how: &How) -> Res<()> {
    let key = obj.key();
    let options = DeleteOptions {
        grace: how.grace,
        propagation: how.propagation,
        uid: None,
        dry_run: how.dry != DryRun::None,
    };
    if how.dry != DryRun::Client {
        w.delete(&key, &options)?;
    }
    if how.names {
        io.line(format!("{}/{}", key.kind.printed(), key.name));
        return Ok(());
    }
    let operation = if how.grace == Some(0) { "force deleted" } else { "deleted" };
    let from =
        if key.ns.is_empty() { String::new() } else { format!(" from {} namespace", key.ns) };
    io.line(format!(
        "{} \"{}\" {operation}{}{from}",
        key.kind.printed(),
        key.name,
        how.dry.suffix()
    ));
    Ok(())
}

/// `kubectl delete`.
pub fn run(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match start(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

/// What `--cascade` asks for.
///
/// # Errors
/// Another word.
pub fn propagation(io: &mut Io, args: &Args) -> Res<Propagation> {
    Ok(match args.get("cascade") {
        None | Some("background") => Propagation::Background,
        Some("foreground") => Propagation::Foreground,
        Some("orphan") => Propagation::Orphan,
        Some("true") => {
            io.err("warning: --cascade=true is deprecated (boolean value) and can be replaced with --cascade=background.");
            Propagation::Background
        }
        Some("false") => {
            io.err("warning: --cascade=false is deprecated (boolean value) and can be replaced with --cascade=orphan.");
            Propagation::Orphan
        }
        Some(other) => {
            return Err(Failure::new(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    })
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let dry = args.dry_run()?;
    if args.on("interactive") {
        return Err(Failure::new("not simulated: --interactive"));
    }
    let mut grace = args.int("grace-period").filter(|g| *g >= 0);
    let force = args.on("force");
    if args.on("now") {
        if args.given("grace-period") && args.int("grace-period") != Some(-1) {
            return Err(Failure::new("--now and --grace-period cannot be specified together"));
        }
        grace = Some(1);
    }
    if grace == Some(0) && !force {
        grace = Some(1);
    }
    if force && grace.is_none() {
        grace = Some(0);
    }
    if force && grace.is_some_and(|g| g > 0) {
        return Err(Failure::new(
            "--force and --grace-period greater than 0 cannot be specified together",
        ));
    }
    if args.on("all") && !args.text("selector").is_empty() {
        return Err(Failure::new("cannot set --all and --selector at the same time"));
    }
    let propagation = propagation(io, args)?;
    let selection = select(w, io, args, &args.pos, Options::default())?;
    if force && grace == Some(0) {
        io.warn("Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    }
    if args.given_ns().is_some() && selection.targets.iter().any(|t| t.obj.ns().is_empty()) {
        io.warn("deleting cluster-scoped resources, not scoped to the provided namespace");
    }
    warn_of_old(io, &selection);
    let mut failures = selection.failures;
    if args.on("ignore-not-found") || !selection.named {
        failures.retain(|f| !f.text.starts_with("Error from server (NotFound)"));
    }
    let how = How { grace, propagation, dry, names: args.get("output") == Some("name") };
    let mut gone = Vec::new();
    let found = selection.targets.len();
    for target in selection.targets {
        match one(w, io, &target.obj, &how) {
            Ok(()) => gone.push((target.obj.key(), target.obj.uid())),
            Err(f) => failures.push(f),
        }
    }
    if found == 0 && failures.is_empty() && !selection.named {
        io.line("No resources found");
        return Ok(Run::Done(0));
    }
    let wait = args.on_or("wait", true) && dry == DryRun::None;
    if !wait || !failures.is_empty() {
        return Ok(Run::Done(io.fail_all(&failures)));
    }
    let until = args.deadline(w, None);
    if let Some(until) = until {
        w.wake_terminal(io.term, until - w.now, true);
    }
    Ok(Run::wait(Gone { waits: gone, until }))
}

/// Waits until objects are gone.
#[derive(Clone)]
pub struct Gone {
    /// Keys and uids.
    pub waits: Vec<(Key, Str)>,
    /// When it gives up.
    pub until: Option<u64>,
}

impl Job for Gone {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        self.waits.retain(|(k, uid)| w.store.by_key(k).is_some_and(|o| o.uid() == *uid));
        let Some((key, _)) = self.waits.first() else { return Some(0) };
        if self.until.is_some_and(|until| w.now >= until) {
            io.err(format!(
                "error: timed out waiting for the condition on {}/{}",
                key.kind.info().plural,
                key.name
            ));
            return Some(1);
        }
        None
    }
}
