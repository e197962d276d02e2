//! `rollout status`, `history`, `undo`, `restart`, `pause`, `resume` (behaviour/kubectl.md 6).

use crate::api::time::rfc3339;
use crate::api::{Key, Kind, Obj, object};
use crate::apiserver::patch;
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::resources::{Options, select, slashed};
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::common::{CAUSE, LAST_APPLIED, finish, report, send};
use crate::kubectl::verbs::template;
use crate::log::{ChangeType, Seq, What};
use crate::value::{Str, Value};
use crate::world::World;

const DEPLOYMENT_REVISION: &str = "deployment.kubernetes.io/revision";

fn targets(w: &World, io: &mut Io, args: &Args) -> Res<(Vec<Obj>, Vec<Failure>)> {
    if args.pos.is_empty() && !args.given("filename") {
        return Err(Failure::new("required resource not specified"));
    }
    let selection = select(
        w,
        io,
        args,
        &args.pos,
        Options { list: args.pos.len() == 1 && !args.pos.iter().any(|p| p.contains('/')) },
    )?;
    Ok((selection.targets.into_iter().map(|t| t.obj).collect(), selection.failures))
}

/// A kind cannot be rolled out, or is not rolled out here: the pods of DaemonSets are not made.
fn lacking(kind: Kind, what: &str) -> Failure {
    Failure::new(match kind {
        Kind::DaemonSet => "not simulated: the rollout of a DaemonSet".to_owned(),
        _ => format!("no {what}"),
    })
}

/// What `rollout status` says of an object now: a line, and whether it is done.
fn progress(obj: &Obj) -> Result<(String, bool), Failure> {
    let (spec, status) = (obj.spec(), obj.status());
    let n = |field: &str| status[field].int_or(0);
    let generation = obj.meta()["generation"].int_or(0);
    let replicas = spec["replicas"].int_or(1);
    let updated = n("updatedReplicas");
    let name = obj.name();
    match obj.kind {
        Kind::StatefulSet => {
            let strategy = &spec["updateStrategy"];
            if strategy["type"].str() != "RollingUpdate" {
                return Err(Failure::new(
                    "rollout status is only available for RollingUpdate strategy type",
                ));
            }
            let observed = n("observedGeneration");
            if observed == 0 || generation > observed {
                return Ok((
                    "Waiting for statefulset spec update to be observed...".to_owned(),
                    false,
                ));
            }
            let ready = n("readyReplicas");
            if ready < replicas {
                return Ok((
                    format!("Waiting for {} pods to be ready...", replicas - ready),
                    false,
                ));
            }
            if !strategy["rollingUpdate"].is_null() {
                let partition = strategy["rollingUpdate"]["partition"].int_or(0);
                if updated < replicas - partition {
                    return Ok((
                        format!(
                            "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...",
                            replicas - partition
                        ),
                        false,
                    ));
                }
                return Ok((
                    format!(
                        "partitioned roll out complete: {updated} new pods have been updated..."
                    ),
                    true,
                ));
            }
            let revision = status["updateRevision"].str();
            if revision != status["currentRevision"].str() {
                return Ok((
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {revision}..."
                    ),
                    false,
                ));
            }
            Ok((
                format!(
                    "statefulset rolling update complete {} pods at revision {}...",
                    n("currentReplicas"),
                    status["currentRevision"].str()
                ),
                true,
            ))
        }
        Kind::Deployment => {
            if generation > n("observedGeneration") {
                return Ok((
                    "Waiting for deployment spec update to be observed...".to_owned(),
                    false,
                ));
            }
            if object::condition(&obj.value, "Progressing")["reason"].str()
                == "ProgressDeadlineExceeded"
            {
                return Err(Failure::new(format!(
                    "deployment {:?} exceeded its progress deadline",
                    name.as_str()
                )));
            }
            let wait = |what: String| {
                Ok((
                    format!(
                        "Waiting for deployment {:?} rollout to finish: {what}...",
                        name.as_str()
                    ),
                    false,
                ))
            };
            if updated < replicas {
                return wait(format!("{updated} out of {replicas} new replicas have been updated"));
            }
            if n("replicas") > updated {
                return wait(format!(
                    "{} old replicas are pending termination",
                    n("replicas") - updated
                ));
            }
            if n("availableReplicas") < updated {
                return wait(format!(
                    "{} of {updated} updated replicas are available",
                    n("availableReplicas")
                ));
            }
            Ok((format!("deployment {:?} successfully rolled out", name.as_str()), true))
        }
        kind => Err(lacking(
            kind,
            &format!("status viewer has been implemented for {}", kind.info().kind),
        )),
    }
}

/// `kubectl rollout status`.
pub fn status(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let (objs, failures) = match targets(w, io, args) {
        Ok(found) => found,
        Err(f) => return Run::Done(io.fail(&f)),
    };
    if !failures.is_empty() {
        return Run::Done(finish(io, &failures));
    }
    let watch = args.on_or("watch", true);
    let until = args.deadline(w, None);
    if let Some(until) = until {
        w.wake_terminal(io.term, until.saturating_sub(w.now), true);
    }
    let keys = objs.iter().rev().map(|o| (o.key(), o.uid())).collect();
    Run::wait(Status { keys, seen: None, watch, until })
}

/// Prints a line for each change of the object until its roll-out is done.
#[derive(Clone)]
struct Status {
    /// Objects still to be watched, the current one last.
    keys: Vec<(Key, Str)>,
    seen: Option<Seq>,
    watch: bool,
    until: Option<u64>,
}

impl Status {
    /// Says how far the object is; true if the next one can be looked at.
    fn say(&self, io: &mut Io, obj: &Obj) -> Result<bool, i32> {
        match progress(obj) {
            Ok((line, done)) => {
                io.line(line);
                Ok(done || !self.watch)
            }
            Err(f) => Err(io.fail(&f)),
        }
    }
}

impl Job for Status {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        loop {
            let Some((key, uid)) = self.keys.last().cloned() else { return Some(0) };
            let mut done = false;
            if let Some(from) = self.seen {
                let changes: Vec<(ChangeType, Obj)> = w
                    .log
                    .since(from)
                    .filter_map(|(_, r)| match &r.what {
                        What::Change { change, new, .. }
                            if new.kind == key.kind && new.uid() == uid =>
                        {
                            Some((*change, new.clone()))
                        }
                        _ => None,
                    })
                    .collect();
                self.seen = Some(w.log.len());
                for (change, obj) in changes {
                    if change == ChangeType::Deleted {
                        io.err("error: object has been deleted");
                        return Some(1);
                    }
                    match self.say(io, &obj) {
                        Ok(end) => done = end,
                        Err(code) => return Some(code),
                    }
                    if done {
                        break;
                    }
                }
            } else {
                self.seen = Some(w.log.len());
                let Some(obj) = w.store.by_key(&key).cloned() else {
                    io.err("error: object has been deleted");
                    return Some(1);
                };
                match self.say(io, &obj) {
                    Ok(end) => done = end,
                    Err(code) => return Some(code),
                }
            }
            if done {
                self.keys.pop();
                self.seen = None;
                continue;
            }
            if self.until.is_some_and(|until| w.now >= until) {
                io.err("error: timed out waiting for the condition");
                return Some(1);
            }
            return None;
        }
    }
}

/// A revision of a workload.
struct Revision {
    number: i64,
    cause: String,
    template: Value,
    /// Annotations of the ReplicaSet that is a Deployment's revision.
    annotations: Value,
}

fn revisions(w: &World, obj: &Obj) -> Vec<Revision> {
    let ns = obj.ns();
    let cause = |o: &Obj| o.annotation(CAUSE).unwrap_or("").to_owned();
    let mut list: Vec<Revision> = match obj.kind {
        Kind::Deployment => w
            .store
            .list(Kind::ReplicaSet, &ns)
            .filter(|rs| rs.controller_uid() == obj.uid().as_str())
            .map(|rs| {
                let number = rs.annotation(DEPLOYMENT_REVISION).and_then(|r| r.parse().ok());
                Revision {
                    number: number.unwrap_or(0),
                    cause: cause(rs),
                    template: rs.spec()["template"].clone(),
                    annotations: rs.meta()["annotations"].clone(),
                }
            })
            .collect(),
        _ => w
            .store
            .list(Kind::ControllerRevision, &ns)
            .filter(|r| r.controller_uid() == obj.uid().as_str())
            .map(|r| Revision {
                number: r.value["revision"].int_or(0),
                cause: cause(r),
                template: r.value["data"]["spec"]["template"].clone(),
                annotations: Value::Null,
            })
            .collect(),
    };
    list.sort_by_key(|r| r.number);
    list
}

/// `kubectl rollout history`.
pub fn history(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = history_all(w, io, args);
    ended(io, result)
}

fn history_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let wanted = args.int("revision").unwrap_or(0);
    if wanted < 0 {
        return Err(Failure::new(format!("revision must be a positive integer: {wanted}")));
    }
    let (objs, mut failures) = targets(w, io, args)?;
    for obj in objs {
        if !matches!(obj.kind, Kind::StatefulSet | Kind::Deployment) {
            let kind = obj.kind.info().kind;
            failures.push(lacking(
                obj.kind,
                &format!("history viewer has been implemented for {kind:?}"),
            ));
            continue;
        }
        let list = revisions(w, &obj);
        let name = slashed(obj.kind, &obj.name());
        if args.given("output") || args.given("template") {
            failures.extend(print_revisions(w, io, args, &obj, wanted, &list).err());
            continue;
        }
        if wanted > 0 {
            let Some(r) = list.iter().find(|r| r.number == wanted) else {
                failures.push(Failure::new("unable to find the specified revision"));
                continue;
            };
            let mut shown = r.template.clone();
            if obj.kind == Kind::Deployment && !r.cause.is_empty() {
                shown.path_mut("metadata.annotations").set(CAUSE, r.cause.clone());
            }
            io.line(format!("{name} with revision #{wanted}"));
            io.print(template::tabbed(&shown));
            io.line("");
            continue;
        }
        io.line(format!("{name} "));
        let numbers: Vec<String> = list.iter().map(|r| r.number.to_string()).collect();
        let width = numbers.iter().map(String::len).max().unwrap_or(0).max("REVISION".len()) + 2;
        io.line(format!("{:width$}CHANGE-CAUSE", "REVISION"));
        for (number, r) in numbers.iter().zip(&list) {
            let cause = if r.cause.is_empty() { "<none>" } else { &r.cause };
            io.line(format!("{number:width$}{cause}"));
        }
        io.line("");
    }
    Ok(finish(io, &failures))
}

/// `rollout history -o`: the set as it was at each revision, or the ReplicaSets.
fn print_revisions(
    w: &World,
    io: &mut Io,
    args: &Args,
    obj: &Obj,
    wanted: i64,
    list: &[Revision],
) -> Res<()> {
    for r in list.iter().filter(|r| wanted == 0 || r.number == wanted) {
        let value = if obj.kind == Kind::Deployment {
            let found = w.store.list(Kind::ReplicaSet, &obj.ns()).find(|rs| {
                rs.controller_uid() == obj.uid().as_str()
                    && rs.annotation(DEPLOYMENT_REVISION) == Some(r.number.to_string().as_str())
            });
            found.map(|rs| rs.value.clone()).unwrap_or_default()
        } else {
            let mut change = r.template.clone();
            change.set("$patch", "replace");
            let mut value = obj.value.clone();
            let template =
                patch::strategic_at("PodTemplateSpec", &value["spec"]["template"], &change)?;
            value.entry("spec").set("template", template);
            value
        };
        report(io, args, obj.kind, &value, "", DryRun::None)?;
    }
    Ok(())
}

/// `kubectl rollout undo`.
pub fn undo(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = undo_all(w, io, args);
    ended(io, result)
}

fn undo_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let dry = args.dry_run()?;
    let wanted = args.int("to-revision").unwrap_or(0);
    let (objs, mut failures) = targets(w, io, args)?;
    for obj in objs {
        if obj.annotation(LAST_APPLIED).is_some() {
            io.warn(format!(
                "resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.",
                obj.kind.info().plural,
                obj.name()
            ));
        }
        let result = undo_one(w, io, &obj, wanted, dry)
            .and_then(|said| report(io, args, obj.kind, &obj.value, &said, dry));
        failures.extend(result.err());
    }
    Ok(finish(io, &failures))
}

fn undo_one(w: &mut World, io: &mut Io, obj: &Obj, wanted: i64, dry: DryRun) -> Res<String> {
    if !matches!(obj.kind, Kind::StatefulSet | Kind::Deployment) {
        let kind = obj.kind.info().kind;
        return Err(lacking(obj.kind, &format!("rollbacker has been implemented for {kind:?}")));
    }
    let list = revisions(w, obj);
    let found = if wanted == 0 {
        if list.len() < 2 {
            return Err(Failure::new(match obj.kind {
                Kind::Deployment => {
                    format!("no rollout history found for deployment {:?}", obj.name().as_str())
                }
                _ => "no last revision to roll back to".to_owned(),
            }));
        }
        list.get(list.len() - 2)
    } else {
        list.iter().find(|r| r.number == wanted)
    };
    let Some(found) = found else {
        return Err(Failure::new(format!("unable to find specified revision {wanted} in history")));
    };
    if obj.kind == Kind::Deployment && obj.spec()["paused"].is_true() {
        return Err(Failure::new(format!(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume deployment/{}' and try again",
            obj.name()
        )));
    }
    let mut value = obj.value.clone();
    let mut change = found.template.clone();
    if obj.kind == Kind::Deployment {
        change.path_mut("metadata.labels").remove("pod-template-hash");
        restore_annotations(&mut value, &found.annotations);
    }
    change.set("$patch", "replace");
    let template = patch::strategic_at("PodTemplateSpec", &value["spec"]["template"], &change)?;
    if template == obj.spec()["template"] {
        return Ok(format!(
            "skipped rollback (current template already matches revision {})",
            found.number
        ));
    }
    if dry == DryRun::Client {
        let before = if obj.kind == Kind::Deployment { "" } else { "will roll back to " };
        return Ok(format!("{before}{}", template::tabbed(&template)));
    }
    value.entry("spec").set("template", template);
    send(w, io, obj, value, dry)?;
    Ok("rolled back".to_owned())
}

/// A Deployment that goes back gets the annotations of that revision, but for those that are
/// about the Deployment itself.
fn restore_annotations(deployment: &mut Value, revision: &Value) {
    const OWN: [&str; 6] = [
        LAST_APPLIED,
        DEPLOYMENT_REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    ];
    let own = |key: &Str| OWN.contains(&key.as_str());
    let mut annotations = Value::map();
    for (k, v) in deployment["metadata"]["annotations"].pairs().filter(|(k, _)| own(k)) {
        annotations.set(k, v);
    }
    for (k, v) in revision.pairs().filter(|(k, _)| !own(k)) {
        annotations.set(k, v);
    }
    deployment.entry("metadata").set("annotations", annotations);
}

/// `kubectl rollout restart`.
pub fn restart(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = each(w, io, args, "restarted", |obj, now| {
        if !matches!(obj.kind, Kind::StatefulSet | Kind::Deployment | Kind::DaemonSet) {
            return Err(format!(
                "{} {:?} restarting is not supported",
                obj.kind.resource(),
                obj.name().as_str()
            ));
        }
        if obj.spec()["paused"].is_true() {
            return Err(format!(
                "{} {:?} can't restart paused deployment (run rollout resume first)",
                obj.kind.resource(),
                obj.name().as_str()
            ));
        }
        let mut value = obj.value.clone();
        value
            .path_mut("spec.template.metadata.annotations")
            .set("kubectl.kubernetes.io/restartedAt", rfc3339(now));
        if value == *obj.value {
            return Err(format!(
                "failed to create patch for {}: if restart has already been triggered within the past second, please wait before attempting to trigger another",
                obj.name()
            ));
        }
        Ok(value)
    });
    ended(io, result)
}

/// `kubectl rollout pause`.
pub fn pause(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = each(w, io, args, "paused", |obj, _| paused(obj, true));
    ended(io, result)
}

/// `kubectl rollout resume`.
pub fn resume(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = each(w, io, args, "resumed", |obj, _| paused(obj, false));
    ended(io, result)
}

fn paused(obj: &Obj, pause: bool) -> Result<Value, String> {
    let name = format!("{} {:?}", obj.kind.resource(), obj.name().as_str());
    if obj.kind != Kind::Deployment {
        let word = if pause { "pausing" } else { "resuming" };
        return Err(format!("{name} {word} is not supported"));
    }
    if obj.spec()["paused"].is_true() == pause {
        return Err(format!("{name} is {} paused", if pause { "already" } else { "not" }));
    }
    let mut value = obj.value.clone();
    if pause {
        value.entry("spec").set("paused", true);
    } else {
        value.entry("spec").remove("paused");
    }
    Ok(value)
}

fn each(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    operation: &str,
    change: impl Fn(&Obj, u64) -> Result<Value, String>,
) -> Res<i32> {
    let (objs, mut failures) = targets(w, io, args)?;
    for obj in objs {
        let result = change(&obj, w.now)
            .map_err(Failure::new)
            .and_then(|value| Ok(send(w, io, &obj, value, DryRun::None)?))
            .and_then(|(new, _)| report(io, args, obj.kind, &new.value, operation, DryRun::None));
        failures.extend(result.err());
    }
    Ok(finish(io, &failures))
}
