//! `scale` (behaviour/kubectl.md 5).

use crate::api::Obj;
use crate::api::time::SECOND;
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::resources::{Options, select};
use crate::kubectl::verbs::common::{finish, no_such_resource, report, scalable, send};
use crate::world::World;

/// `kubectl scale`.
pub fn scale(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match scale_all(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

fn scale_all(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let Some(replicas) = args.int("replicas") else {
        return Err(Failure::new("required flag(s) \"replicas\" not set"));
    };
    if replicas < 0 {
        return Err(Failure::new(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ));
    }
    if args.int("current-replicas").is_some_and(|n| n < -1) {
        return Err(Failure::new(
            "The --current-replicas must specify an integer of -1 or greater",
        ));
    }
    let dry = args.dry_run()?;
    let selection = select(w, io, args, &args.pos, Options::default())?;
    if selection.targets.is_empty() {
        if selection.failures.is_empty() {
            return Err(Failure::new("no objects passed to scale"));
        }
        return Ok(Run::Done(finish(io, &selection.failures)));
    }
    if args.given("resource-version") && selection.targets.len() > 1 {
        return Err(Failure::new("cannot use --resource-version with multiple resources"));
    }
    let until = args.deadline(w, None).filter(|_| dry == DryRun::None);
    let mut sent = Vec::new();
    for target in &selection.targets {
        // the first one that cannot be scaled ends the command
        let obj = &target.obj;
        if !scalable(obj.kind) {
            return Err(no_such_resource());
        }
        let now = obj.spec()["replicas"].int_or(1);
        if let Some(wanted) = args.int("current-replicas").filter(|c| *c >= 0 && *c != now) {
            return Err(Failure::new(format!("Expected replicas to be {wanted}, was {now}")));
        }
        if let Some(wanted) = args.get("resource-version").filter(|v| *v != obj.resource_version())
        {
            return Err(Failure::new(format!(
                "Expected resource version to be {wanted}, was {}",
                obj.resource_version()
            )));
        }
        if dry == DryRun::Client {
            report(io, args, obj.kind, &obj.value, "scaled", dry)?;
        } else {
            let mut value = obj.value.clone();
            value.entry("spec").set("replicas", replicas);
            let (new, _) = send(w, io, obj, value, dry)?;
            if until.is_some() {
                sent.push(new);
            } else {
                report(io, args, obj.kind, &new.value, "scaled", dry)?;
            }
        }
    }
    let Some(until) = until else { return Ok(Run::Done(finish(io, &selection.failures))) };
    w.wake_terminal(io.term, until.saturating_sub(w.now), true);
    sent.reverse();
    let next = w.now;
    Ok(Run::wait(Scaled {
        sent,
        args: args.clone(),
        failures: selection.failures,
        dry,
        until,
        next,
    }))
}

/// `--timeout`: reports one object after the other, when it has as many replicas as it should.
#[derive(Clone)]
struct Scaled {
    /// The next one stands last.
    sent: Vec<Obj>,
    args: Args,
    failures: Vec<Failure>,
    dry: DryRun,
    until: u64,
    /// When it is looked at again.
    next: u64,
}

impl Job for Scaled {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        while let Some(new) = self.sent.last() {
            // kubectl looks once a second
            if w.now < self.next {
                return None;
            }
            let there = w.store.by_key(&new.key()).is_some_and(|o| {
                o.status()["replicas"].int_or(0) == new.spec()["replicas"].int_or(1)
            });
            if !there && w.now >= self.until {
                let why = format!("timed out waiting for {:?} to be synced", new.name().as_str());
                return Some(io.fail(&Failure::new(why)));
            }
            if !there {
                self.next = (w.now + SECOND).min(self.until);
                w.wake_terminal(io.term, self.next - w.now, true);
                return None;
            }
            if let Err(f) = report(io, &self.args, new.kind, &new.value, "scaled", self.dry) {
                return Some(io.fail(&f));
            }
            self.sent.pop();
        }
        Some(finish(io, &self.failures))
    }
}
