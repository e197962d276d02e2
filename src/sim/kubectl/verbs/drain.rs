//! `cordon`, `uncordon`, `drain` (behaviour/kubectl.md 8).

use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj, Phase};
use crate::apiserver::DeleteOptions;
use crate::apiserver::error::{Reason, Status};
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::selectors::Selector;
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::common::{finish, send};
use crate::value::Str;
use crate::world::World;

/// `kubectl cordon`.
pub fn cordon(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = mark(w, io, args, true);
    ended(io, result)
}

/// `kubectl uncordon`.
pub fn uncordon(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = mark(w, io, args, false);
    ended(io, result)
}

fn nodes(w: &World, args: &Args) -> Res<(Vec<Obj>, Vec<Failure>)> {
    let selector = args.text("selector");
    if args.pos.is_empty() && selector.is_empty() {
        return Err(args.usage(&format!("USAGE: {} NODE [flags]", args.verb)));
    }
    if !args.pos.is_empty() && !selector.is_empty() {
        return Err(args.usage("cannot specify both a node name and a --selector option"));
    }
    let mut failures = Vec::new();
    let mut found = Vec::new();
    if args.pos.is_empty() {
        let selector = Selector::of(Kind::Node, selector, "")?;
        found.extend(
            w.store.all(Kind::Node).filter(|n| selector.matches(&n.meta()["labels"])).cloned(),
        );
    }
    for name in &args.pos {
        let name =
            name.strip_prefix("node/").or_else(|| name.strip_prefix("nodes/")).unwrap_or(name);
        match w.store.get(Kind::Node, "", name) {
            Some(node) => found.push(node.clone()),
            None => failures.push(Status::not_found(Kind::Node, name).into()),
        }
    }
    Ok((found, failures))
}

fn mark(w: &mut World, io: &mut Io, args: &Args, wanted: bool) -> Res<i32> {
    let dry = args.dry_run()?;
    let (nodes, mut failures) = nodes(w, args)?;
    for node in nodes {
        failures.extend(mark_one(w, io, &node, wanted, dry).err());
    }
    Ok(finish(io, &failures))
}

fn mark_one(w: &mut World, io: &mut Io, node: &Obj, wanted: bool, dry: DryRun) -> Res<()> {
    let word = if wanted { "cordoned" } else { "uncordoned" };
    if node.spec()["unschedulable"].is_true() == wanted {
        io.line(format!("node/{} already {word}{}", node.name(), dry.suffix()));
        return Ok(());
    }
    let mut value = node.value.clone();
    if wanted {
        value.entry("spec").set("unschedulable", true);
    } else {
        value.entry("spec").remove("unschedulable");
    }
    if dry != DryRun::Client {
        send(w, io, node, value, dry)?;
    }
    io.line(format!("node/{} {word}{}", node.name(), dry.suffix()));
    Ok(())
}

/// `kubectl drain`.
pub fn drain(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match start(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let dry = args.dry_run()?;
    let (nodes, failures) = nodes(w, args)?;
    if !failures.is_empty() {
        return Ok(Run::Done(finish(io, &failures)));
    }
    let selector = Selector::parse(args.text("pod-selector"))?;
    for node in &nodes {
        mark_one(w, io, node, true, dry)?;
    }
    let mut job = Drain {
        args: args.clone(),
        dry,
        selector,
        nodes: nodes.iter().rev().map(|n| n.name()).collect(),
        pods: None,
        errors: Vec::new(),
        until: args.deadline(w, None),
        failed: Vec::new(),
    };
    if let Some(until) = job.until {
        w.wake_terminal(io.term, until.saturating_sub(w.now), true);
    }
    Ok(match job.poll(w, io) {
        Some(code) => Run::Done(code),
        None => Run::wait(job),
    })
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// To be evicted when this time has come.
    Evict(u64),
    /// Evicted; looked at again at this time.
    Leaving(u64),
    Gone,
    /// It could not be evicted, or did not end in time.
    Failed,
}

/// Puts a pod under a reason.
fn note<'a>(list: &mut Vec<(&'a str, Vec<String>)>, why: &'a str, pod: String) {
    match list.iter_mut().find(|(w, _)| *w == why) {
        Some((_, pods)) => pods.push(pod),
        None => list.push((why, vec![pod])),
    }
}

#[derive(Clone)]
struct Leaving {
    key: Key,
    uid: Str,
    step: Step,
}

/// Empties one node after the other.
#[derive(Clone)]
struct Drain {
    args: Args,
    dry: DryRun,
    selector: Selector,
    /// Nodes still to be drained, the current one last.
    nodes: Vec<Str>,
    pods: Option<Vec<Leaving>>,
    /// What went wrong with pods of that node.
    errors: Vec<String>,
    until: Option<u64>,
    failed: Vec<(Str, String)>,
}

impl Drain {
    /// Which pods of a node must go; or why it cannot be emptied.
    fn list(&self, w: &World, io: &mut Io, node: &Str) -> Result<Vec<Leaving>, String> {
        let on = |flag: &str| self.args.on(flag);
        let mut pods = Vec::new();
        let mut refused: Vec<(&str, Vec<String>)> = Vec::new();
        let mut warned: Vec<(&str, Vec<String>)> = Vec::new();
        for pod in w.store.all(Kind::Pod).filter(|p| p.pod().node == *node) {
            if !self.selector.matches(&pod.meta()["labels"]) {
                continue;
            }
            let name = format!("{}/{}", pod.ns(), pod.name());
            let over = matches!(pod.pod().phase, Phase::Succeeded | Phase::Failed);
            if pod.annotation("kubernetes.io/config.mirror").is_some() {
                continue;
            }
            let owner = pod.controller_ref();
            if owner.is_some_and(|r| r["kind"].str() == "DaemonSet") && !over {
                if on("ignore-daemonsets") {
                    note(&mut warned, "ignoring DaemonSet-managed Pods", name);
                } else {
                    note(
                        &mut refused,
                        "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
                        name,
                    );
                }
                continue;
            }
            let local = pod.spec()["volumes"].items().iter().any(|v| v.has("emptyDir")) && !over;
            if local && !on("delete-emptydir-data") {
                note(
                    &mut refused,
                    "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
                    name,
                );
                continue;
            }
            if owner.is_none() && !over {
                if !on("force") {
                    note(
                        &mut refused,
                        "cannot delete Pods that declare no controller (use --force to override)",
                        name,
                    );
                    continue;
                }
                note(&mut warned, "deleting Pods that declare no controller", name);
            }
            pods.push(Leaving { key: pod.key(), uid: pod.uid(), step: Step::Evict(w.now) });
        }
        let lines = |list: &[(&str, Vec<String>)]| -> Vec<String> {
            let mut lines: Vec<String> =
                list.iter().map(|(why, pods)| format!("{why}: {}", pods.join(", "))).collect();
            lines.sort();
            lines
        };
        if !refused.is_empty() {
            let lines = lines(&refused);
            return Err(match lines.as_slice() {
                [one] => one.clone(),
                many => format!("[{}]", many.join(", ")),
            });
        }
        if !warned.is_empty() {
            io.warn(lines(&warned).join("; "));
        }
        Ok(pods)
    }

    /// Goes on with the pods of a node: `Ok(true)` when all are gone, an error when time is up.
    fn step(&mut self, w: &mut World, io: &mut Io, node: &Str) -> Result<bool, String> {
        let Some(mut pods) = self.pods.take() else { return Ok(true) };
        let grace = self.args.int("grace-period").filter(|g| *g >= 0);
        let late = self.until.is_some_and(|until| w.now >= until);
        let limit = format!(
            "global timeout reached: {}",
            go_duration(self.args.duration("timeout").unwrap_or(0))
        );
        let plain = self.args.on("disable-eviction");
        let mut errors = std::mem::take(&mut self.errors);
        let word = if plain { "deleting" } else { "evicting" };
        // kubectl starts them all at once, and the one started last speaks first
        let mut due: Vec<&Leaving> =
            pods.iter().filter(|p| matches!(p.step, Step::Evict(at) if w.now >= at)).collect();
        let last = due.pop();
        for pod in last.into_iter().chain(due) {
            io.line(format!("{word} pod {}/{}", pod.key.ns, pod.key.name));
        }
        for pod in &mut pods {
            if let Step::Evict(at) = pod.step
                && w.now >= at
            {
                if late {
                    errors.push(format!(
                        "error when evicting pods/{:?} -n {:?}: {limit}",
                        pod.key.name.as_str(),
                        pod.key.ns.as_str()
                    ));
                    pod.step = Step::Failed;
                    continue;
                }
                let options = DeleteOptions { grace, ..DeleteOptions::default() };
                let result = if plain {
                    w.delete(&pod.key, &options).map(drop)
                } else {
                    w.evict(&pod.key, &options)
                };
                match result {
                    Ok(()) => pod.step = Step::Leaving(w.now),
                    Err(e) if e.reason == Reason::NotFound => pod.step = Step::Gone,
                    Err(e) if e.reason == Reason::TooManyRequests => {
                        io.err(format!(
                            "error when evicting pods/{:?} -n {:?} (will retry after 5s): {e}",
                            pod.key.name.as_str(),
                            pod.key.ns.as_str()
                        ));
                        pod.step = Step::Evict(w.now + 5 * SECOND);
                        w.wake_terminal(io.term, 5 * SECOND, true);
                    }
                    Err(e) => {
                        errors.push(format!(
                            "error when evicting pods/{:?} -n {:?}: {e}",
                            pod.key.name.as_str(),
                            pod.key.ns.as_str()
                        ));
                        pod.step = Step::Failed;
                    }
                }
            }
            if let Step::Leaving(at) = pod.step
                && w.now >= at
            {
                let there = w.store.by_key(&pod.key).is_some_and(|o| o.uid() == pod.uid);
                if there {
                    if late {
                        errors.push(format!(
                            "error when waiting for pod {:?} in namespace {:?} to terminate: {limit}",
                            pod.key.name.as_str(),
                            pod.key.ns.as_str()
                        ));
                        pod.step = Step::Failed;
                    } else {
                        pod.step = Step::Leaving(w.now + SECOND);
                        w.wake_terminal(io.term, SECOND, false);
                    }
                } else {
                    let word = if plain { "deleted" } else { "evicted" };
                    io.line(format!("pod/{} {word}", pod.key.name));
                    pod.step = Step::Gone;
                }
            }
        }
        // each pod's end is waited for, however the others ended
        let done = pods.iter().all(|p| matches!(p.step, Step::Gone | Step::Failed));
        if done && !errors.is_empty() {
            let why = match errors.as_slice() {
                [one] => one.clone(),
                many => format!("[{}]", many.join(", ")),
            };
            io.err(format!(
                "There are pending pods in node {:?} when an error occurred: {why}",
                node.as_str()
            ));
            for pod in pods.iter().filter(|p| p.step != Step::Gone) {
                if w.store.by_key(&pod.key).is_some_and(|o| o.uid() == pod.uid) {
                    io.err(format!("pod/{}", pod.key.name));
                }
            }
            return Err(why);
        }
        self.errors = errors;
        self.pods = Some(pods);
        Ok(done)
    }
}

/// A duration as Go prints it: `8s`, `1m30s`.
fn go_duration(micros: i64) -> String {
    let s = micros / SECOND as i64;
    let (h, m, sec) = (s / 3600, s / 60 % 60, s % 60);
    if micros % SECOND as i64 != 0 {
        return format!("{}s", micros as f64 / SECOND as f64);
    }
    match (h, m) {
        (0, 0) => format!("{sec}s"),
        (0, _) => format!("{m}m{sec}s"),
        _ => format!("{h}h{m}m{sec}s"),
    }
}

impl Job for Drain {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        while let Some(node) = self.nodes.last().cloned() {
            let mut problem = None;
            if self.pods.is_none() {
                match self.list(w, io, &node) {
                    Ok(pods) if self.dry != DryRun::None => {
                        for pod in pods {
                            io.line(format!(
                                "evicting pod {}/{}{}",
                                pod.key.ns,
                                pod.key.name,
                                self.dry.suffix()
                            ));
                        }
                        self.pods = Some(Vec::new());
                    }
                    Ok(pods) => self.pods = Some(pods),
                    Err(why) => problem = Some(why),
                }
            }
            if problem.is_none() {
                match self.step(w, io, &node) {
                    Ok(false) => return None,
                    Ok(true) => {}
                    Err(why) => problem = Some(why),
                }
            }
            self.nodes.pop();
            self.pods = None;
            match problem {
                None => io.line(format!("node/{node} drained{}", self.dry.suffix())),
                Some(why) => {
                    io.err(format!(
                        "error: unable to drain node {:?} due to error: {why}, continuing command...",
                        node.as_str()
                    ));
                    self.failed.push((node, why));
                }
            }
        }
        if self.failed.is_empty() {
            return Some(0);
        }
        io.err("There are pending nodes to be drained:");
        for (node, _) in &self.failed {
            io.err(format!(" {node}"));
        }
        for (_, why) in &self.failed {
            io.err(why);
        }
        Some(1)
    }
}
