//! `exec`, `run -i`, `attach` (behaviour/kubectl.md 7).

use crate::api::{Key, Kind, Obj, Phase};
use crate::apiserver::DeleteOptions;
use crate::apiserver::error::Status;
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::resources;
use crate::kubectl::verbs::common::{ask, write_options};
use crate::kubectl::verbs::delete;
use crate::kubectl::verbs::generate;
use crate::kubectl::verbs::logs::choices;
use crate::shell::container::{self, Inside};
use crate::value::{Str, text};
use crate::world::World;

/// `kubectl exec`.
pub fn exec(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match start(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

/// The pod that `POD` or `TYPE/NAME` means.
///
/// # Errors
/// Nothing of that name, or no pod behind it.
pub fn pod(w: &World, args: &Args, word: &str) -> Res<Obj> {
    let ns = args.ns(w);
    let (kind, name) = match word.split_once('/') {
        None => (Kind::Pod, word),
        Some((k, n)) => (Kind::from_word(k).ok_or_else(|| resources::unknown_type(k))?, n),
    };
    let Some(obj) = w.store.get(kind, &ns, name) else {
        return Err(Status::not_found(kind, name).into());
    };
    if kind == Kind::Pod {
        return Ok(obj.clone());
    }
    let selector = match kind {
        Kind::Service => crate::value!({"matchLabels": (obj.spec()["selector"].clone())}),
        _ => obj.spec()["selector"].clone(),
    };
    w.store
        .list(Kind::Pod, &ns)
        .find(|p| crate::api::selector::matches(&selector, &p.meta()["labels"]))
        .cloned()
        .ok_or_else(|| Failure::new(format!("timed out waiting for the condition on {word}")))
}

/// The container that is meant.
///
/// # Errors
/// A name that the pod does not have.
pub fn container(io: &mut Io, args: &Args, pod: &Obj) -> Res<Str> {
    let names = |field: &str| -> Vec<Str> {
        pod.spec()[field].items().iter().map(|c| c["name"].to_str()).collect()
    };
    let (main, init) = (names("containers"), names("initContainers"));
    if let Some(c) = args.get("container").filter(|c| !c.is_empty()) {
        if !main.iter().chain(&init).any(|n| n == c) {
            return Err(Failure::new(format!(
                "container {c} is not valid for pod {} out of: {}",
                pod.name(),
                choices(&main, &init)
            )));
        }
        return Ok(text(c));
    }
    let first = pod
        .annotation("kubectl.kubernetes.io/default-container")
        .map(text)
        .or_else(|| main.first().cloned())
        .unwrap_or_default();
    if main.len() + init.len() > 1 && !args.on("quiet") {
        io.err(format!(
            "Defaulted container {:?} out of: {}",
            first.as_str(),
            choices(&main, &init)
        ));
    }
    Ok(first)
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let before = args.dash.unwrap_or(args.pos.len());
    if before == 0 {
        return Err(Failure::raw(
            "error: pod, type/name or --filename must be specified".to_owned(),
        ));
    }
    if args.dash.is_none() && args.pos.len() > 1 {
        return Err(Failure::raw(
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples"
                .to_owned(),
        ));
    }
    let command: Vec<String> = args.pos.iter().skip(before).cloned().collect();
    if command.is_empty() {
        return Err(Failure::new("you must specify at least one command for the container"));
    }
    let pod = pod(w, args, args.pos.first().map_or("", String::as_str))?;
    if matches!(pod.pod().phase, Phase::Succeeded | Phase::Failed) {
        return Err(Failure::new(format!(
            "cannot exec into a container in a completed pod; current phase is {}",
            pod.status()["phase"].str()
        )));
    }
    let name = container(io, args, &pod)?;
    if pod.pod().node.is_empty() {
        return Err(Failure::raw(format!(
            "Error from server (BadRequest): pod {} does not have a host assigned",
            pod.name()
        )));
    }
    let inside = Inside::new(&pod, &name);
    if w.kubelet.is_down(&pod.pod().node) {
        return Err(Failure::raw(format!(
            "Error from server: error dialing backend: dial tcp {}:10250: connect: no route to host",
            pod.status()["hostIP"].str()
        )));
    }
    if !inside.alive(w) {
        return Err(Failure::new(
            format!(
                "Internal error occurred: unable to upgrade connection: container not found ({:?})",
                name.as_str()
            )
            .replace("Internal error occurred: ", ""),
        ));
    }
    let tty = args.on("tty");
    if tty && !io.stdin.tty {
        io.err("Unable to use a TTY - input is not a terminal or the right kind of file");
    }
    let terminal = tty && io.stdin.tty;
    let mut job = Exec { inside: inside.clone(), job: None, stdin: args.on("stdin"), terminal };
    let run = job.with_input(io, |io| container::start(w, io, inside, &command, tty));
    match run {
        Err(program) => Err(missing(&program)),
        Ok(Run::Done(code)) => Ok(Run::Done(ended(io, code))),
        Ok(Run::Wait(inner)) => {
            job.job = Some(inner);
            Ok(Run::wait(job))
        }
    }
}

/// What the container runtime says of a program that is not there.
fn missing(program: &str) -> Failure {
    let why = if program.contains('/') {
        format!("exec: {program:?}: stat {program}: no such file or directory")
    } else {
        format!("exec: {program:?}: executable file not found in $PATH")
    };
    Failure::new(format!(
        "Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: {why}: unknown"
    ))
}

fn ended(io: &mut Io, code: i32) -> i32 {
    if code != 0 {
        io.err(format!("command terminated with exit code {code}"));
    }
    code
}

/// A command in a container.
#[derive(Clone)]
struct Exec {
    inside: Inside,
    job: Option<Box<dyn Job>>,
    /// `-i`: does it get the input?
    stdin: bool,
    /// `-t`: is its output a terminal?
    terminal: bool,
}

/// Runs something whose output is a terminal only if it was given one.
fn at_terminal<T>(yes: bool, io: &mut Io, f: impl FnOnce(&mut Io) -> T) -> T {
    let tty = io.tty;
    io.tty &= yes;
    let result = f(io);
    io.tty = tty;
    result
}

impl Exec {
    /// Runs something whose input is empty unless `-i` was given.
    fn with_input<T>(&self, io: &mut Io, f: impl FnOnce(&mut Io) -> T) -> T {
        if self.stdin {
            return at_terminal(self.terminal, io, f);
        }
        let input = std::mem::take(&mut io.stdin);
        let result = at_terminal(self.terminal, io, f);
        io.stdin = input;
        result
    }
}

impl Job for Exec {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        if !self.inside.alive(w) {
            return Some(ended(io, 137));
        }
        let mut job = self.job.take()?;
        let code = self.with_input(io, |io| job.poll(w, io));
        self.job = Some(job);
        code.map(|code| ended(io, code))
    }

    fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        if let Some(job) = &mut self.job {
            job.interrupt(w, io);
        }
    }

    fn reads_terminal(&self) -> bool {
        self.stdin && self.job.as_ref().is_some_and(|j| j.reads_terminal())
    }
}

/// `kubectl run` with `-i`, `--attach`, `--rm`.
///
/// # Errors
/// What the server answers.
pub fn attached(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let mut value = generate::pod(args)?;
    value.entry("metadata").set("namespace", args.ns(w));
    let obj = ask(w, io, |w| w.create(Kind::Pod, value, write_options(DryRun::None)))?;
    Ok(Run::wait(Attached {
        key: obj.key(),
        uid: obj.uid(),
        container: obj.spec()["containers"][0]["name"].to_str(),
        args: args.clone(),
        step: Step::Starting,
        job: None,
        shown: 0,
        code: 0,
    }))
}

/// `kubectl attach`: what `run` does when its pod is there.
pub fn attach(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match attach_to(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

fn attach_to(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let word = match args.pos.as_slice() {
        [] => return Err(Failure::new("at least 1 argument is required for attach")),
        [word] => word.as_str(),
        more => {
            let why = format!(
                "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
                more.len(),
                more.join(" ")
            );
            return Err(args.usage(&why));
        }
    };
    let obj = pod(w, args, word)?;
    if matches!(obj.pod().phase, Phase::Succeeded | Phase::Failed) {
        return Err(Failure::new(format!(
            "cannot attach a container in a completed pod; current phase is {}",
            obj.status()["phase"].str()
        )));
    }
    let container = container(io, args, &obj)?;
    if args.on("tty") && !container::spec(&obj, &container)["tty"].is_true() {
        io.err(format!("error: Unable to use a TTY - container {container} did not allocate one"));
    }
    // only what is printed from now on
    let shown = crate::workload::logs(w, &obj.key(), &container, false).unwrap_or_default().len();
    Ok(Run::wait(Attached {
        key: obj.key(),
        uid: obj.uid(),
        container,
        args: args.clone(),
        step: Step::Starting,
        job: None,
        shown,
        code: 0,
    }))
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Starting,
    Session,
    Ending,
}

/// A pod of one's own, from its creation to its removal.
#[derive(Clone)]
struct Attached {
    key: Key,
    uid: Str,
    container: Str,
    args: Args,
    step: Step,
    job: Option<Box<dyn Job>>,
    shown: usize,
    code: i32,
}

impl Attached {
    /// Prints what the container logged since the last time.
    fn logs(&mut self, w: &World, io: &mut Io) {
        let lines = crate::workload::logs(w, &self.key, &self.container, false).unwrap_or_default();
        for line in lines.iter().skip(self.shown) {
            io.line(&line.text);
        }
        self.shown = lines.len();
    }

    fn remove(&self, w: &mut World, io: &mut Io) {
        if !self.args.on("rm") {
            return;
        }
        if let Some(obj) = w.store.by_key(&self.key).filter(|p| p.uid() == self.uid).cloned() {
            // --quiet holds for the deletion too
            let mut unheard = Io::new(io.term);
            let heard = if self.args.on("quiet") { &mut unheard } else { io };
            let _ = delete::one(w, heard, &obj, &delete::How::default());
        }
    }
}

impl Job for Attached {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let Some(pod) = w.store.by_key(&self.key).filter(|p| p.uid() == self.uid).cloned() else {
            if self.step == Step::Ending {
                return Some(self.code);
            }
            io.err(format!(
                "Error from server (NotFound): {}",
                Status::not_found(Kind::Pod, &self.key.name)
            ));
            return Some(1);
        };
        let over = matches!(pod.pod().phase, Phase::Succeeded | Phase::Failed);
        if self.step == Step::Starting {
            let inside = Inside::new(&pod, &self.container);
            if over {
                self.logs(w, io);
                self.step = Step::Ending;
            } else if pod.pod().phase == Phase::Running && inside.alive(w) {
                self.step = Step::Session;
                let quiet = self.args.on("quiet");
                if !quiet {
                    io.err("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.");
                    io.err("If you don't see a command prompt, try pressing enter.");
                }
                let words: Vec<String> = {
                    let spec = container::spec(&pod, &self.container);
                    crate::workload::command(spec).iter().map(|w| (*w).to_owned()).collect()
                };
                let words = if words.is_empty() { vec!["sh".to_owned()] } else { words };
                // a server goes on by itself: its output is its log
                let spec = container::spec(&pod, &self.container);
                let process = crate::workload::process(spec);
                let serves = !self.args.on("stdin") && !self.args.on("tty")
                    || process.ends.is_some()
                    || process.term != crate::workload::Term::Ignores;
                if !serves {
                    let tty = self.args.on("tty");
                    let run =
                        at_terminal(tty, io, |io| container::start(w, io, inside, &words, tty));
                    match run {
                        Ok(Run::Wait(job)) => self.job = Some(job),
                        Ok(Run::Done(code)) => {
                            self.code = code;
                            crate::kubelet::exec_exit(w, &self.key, &self.container, code.into());
                            self.step = Step::Ending;
                        }
                        Err(_) => {
                            self.code = 127;
                            crate::kubelet::exec_exit(w, &self.key, &self.container, 127);
                            self.step = Step::Ending;
                        }
                    }
                }
            } else {
                return None;
            }
        }
        if self.step == Step::Session {
            match &mut self.job {
                Some(job) => {
                    let before = io.out.len();
                    let tty = self.args.on("tty");
                    let code = at_terminal(tty, io, |io| job.poll(w, io));
                    let said: String =
                        io.out.iter().skip(before).map(|c| c.text.as_str()).collect();
                    for line in said.lines() {
                        crate::workload::log(w, &self.key, &self.container, line.to_owned());
                    }
                    let code = code?;
                    self.code = code;
                    self.job = None;
                    crate::kubelet::exec_exit(w, &self.key, &self.container, code.into());
                    let always = pod.spec()["restartPolicy"].str() == "Always";
                    if always && self.args.on("tty") && io.stdin.tty {
                        io.line(format!(
                            "Session ended, resume using 'kubectl attach {} -c {} -n {} -i -t' command",
                            self.key.name, self.container, self.key.ns
                        ));
                    }
                    self.step = Step::Ending;
                    return self.poll(w, io);
                }
                None if over => {
                    self.logs(w, io);
                    self.step = Step::Ending;
                }
                None => {
                    self.logs(w, io);
                    return None;
                }
            }
        }
        let never = pod.spec()["restartPolicy"].str() == "Never";
        if never && !over && !pod.terminating() {
            return None;
        }
        if pod.terminating() {
            return None;
        }
        if over {
            let state = &pod.status()["containerStatuses"][0]["state"]["terminated"];
            self.code = i32::try_from(state["exitCode"].int_or(0)).unwrap_or(1);
        } else {
            self.code = 0;
        }
        self.remove(w, io);
        if self.code != 0 && never {
            let ended = &pod.status()["containerStatuses"][0]["state"]["terminated"];
            let reason = ended["reason"].as_str().unwrap_or("Error");
            io.err(format!("pod {}/{} terminated ({reason})", self.key.ns, self.key.name));
            if !ended["message"].is_empty() {
                io.err(ended["message"].str());
            }
        }
        // with --rm the command ends when the pod is gone
        if self.args.on("rm") && w.store.by_key(&self.key).is_some_and(|p| p.uid() == self.uid) {
            return None;
        }
        Some(self.code)
    }

    fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        if self.args.on("rm") && self.step != Step::Ending {
            let options = DeleteOptions::default();
            if w.delete(&self.key, &options).is_ok() {
                io.line(format!(
                    "pod {:?} deleted from {} namespace",
                    self.key.name.as_str(),
                    self.key.ns
                ));
            }
        }
    }

    fn reads_terminal(&self) -> bool {
        self.args.on("stdin") && self.job.as_ref().is_some_and(|j| j.reads_terminal())
    }
}
