//! `logs` (behaviour/kubectl.md 7).

use crate::api::time::rfc3339_micro;
use crate::api::{Key, Kind, Obj};
use crate::apiserver::error::Status;
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::resources;
use crate::kubectl::selectors::Selector;
use crate::value::{Str, Value};
use crate::workload::{Line, logs};
use crate::world::World;

/// `kubectl logs`.
pub fn run(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match start(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

/// What the flags do not allow.
fn check(args: &Args) -> Res<()> {
    let no = |why: &str| Err(Failure::new(why));
    if args.given("since-time") && args.duration("since").is_some_and(|s| s != 0) {
        return no("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    if let Some(c) = args.get("container").filter(|c| args.on("all-containers") && !c.is_empty()) {
        return no(&format!(
            "--all-containers=true should not be specified with container name {c}"
        ));
    }
    if args.given("container") && args.pos.len() == 2 {
        return no("only one of -c or an inline [CONTAINER] arg is allowed");
    }
    if let Some(t) = args.get("since-time").filter(|t| crate::api::time::parse(t).is_none()) {
        let layout = "2006-01-02T15:04:05Z07:00";
        return no(&format!("parsing time {t:?} as {layout:?}: cannot parse {t:?} as \"2006\""));
    }
    if args.int("limit-bytes").is_some_and(|n| n < 0) {
        return no("--limit-bytes must be greater than 0");
    }
    if args.duration("since").is_some_and(|s| s < 0) {
        return no("--since must be greater than 0");
    }
    if args.int("tail").is_some_and(|n| n < -1) {
        return no("--tail must be greater than or equal to -1");
    }
    Ok(())
}

/// The pods that an argument or a selector means.
fn pods(w: &World, io: &mut Io, args: &Args) -> Res<Vec<Obj>> {
    let ns = args.ns(w);
    let selector = args.text("selector");
    if !selector.is_empty() {
        if !args.pos.is_empty() {
            return Err(args.usage("only a selector (-l) or a POD name is allowed"));
        }
        let selector = Selector::of(Kind::Pod, selector, "")?;
        return Ok(w
            .store
            .list(Kind::Pod, &ns)
            .filter(|p| selector.matches(&p.meta()["labels"]))
            .cloned()
            .collect());
    }
    let ([word] | [word, _]) = args.pos.as_slice() else {
        return Err(args.usage("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command"));
    };
    let (kind, name) = match word.split_once('/') {
        None => (Kind::Pod, word.as_str()),
        Some((k, n)) => (Kind::from_word(k).ok_or_else(|| resources::unknown_type(k))?, n),
    };
    let Some(obj) = w.store.get(kind, &ns, name) else {
        let e = Status::not_found(kind, name);
        return Err(Failure::raw(format!(
            "error: error from server (NotFound): {} in namespace {:?}",
            e.message,
            ns.as_str()
        )));
    };
    if kind == Kind::Pod {
        return Ok(vec![obj.clone()]);
    }
    let selector = match kind {
        Kind::Service => crate::value!({"matchLabels": (obj.spec()["selector"].clone())}),
        _ => obj.spec()["selector"].clone(),
    };
    let mut found: Vec<Obj> = w
        .store
        .list(Kind::Pod, &ns)
        .filter(|p| crate::api::selector::matches(&selector, &p.meta()["labels"]))
        .cloned()
        .collect();
    if found.is_empty() {
        return Err(Failure::new(format!("timed out waiting for the condition on {word}")));
    }
    if found.len() > 1 && !args.on("all-pods") {
        let first = found.first().map(|p| p.name()).unwrap_or_default();
        io.err(format!("Found {} pods, using pod/{first}", found.len()));
        found.truncate(1);
    }
    Ok(found)
}

/// The containers whose logs are meant.
fn containers(io: &mut Io, args: &Args, pod: &Obj) -> Res<Vec<Str>> {
    let spec = pod.spec();
    let names = |field: &str| -> Vec<Str> {
        spec[field].items().iter().map(|c| c["name"].to_str()).collect()
    };
    let (main, init) = (names("containers"), names("initContainers"));
    if args.on("all-containers") {
        return Ok(init.into_iter().chain(main).collect());
    }
    let given = args.get("container").or_else(|| args.pos.get(1).map(String::as_str));
    if let Some(given) = given {
        if !main.iter().chain(&init).any(|n| n == given) {
            return Err(Failure::new(format!(
                "container {given} is not valid for pod {} out of: {}",
                pod.name(),
                choices(&main, &init)
            )));
        }
        return Ok(vec![crate::value::text(given)]);
    }
    if main.len() + init.len() > 1 {
        let first = pod
            .annotation("kubectl.kubernetes.io/default-container")
            .map(crate::value::text)
            .or_else(|| main.first().cloned())
            .unwrap_or_default();
        io.err(format!(
            "Defaulted container {:?} out of: {}",
            first.as_str(),
            choices(&main, &init)
        ));
        return Ok(vec![first]);
    }
    Ok(main)
}

/// `mysql, xtrabackup, init-mysql (init)`.
pub fn choices(main: &[Str], init: &[Str]) -> String {
    let init = init.iter().map(|n| format!("{n} (init)"));
    main.iter().map(ToString::to_string).chain(init).collect::<Vec<_>>().join(", ")
}

/// The status of a container.
pub fn status<'a>(pod: &'a Obj, container: &str) -> &'a Value {
    const NULL: &Value = &Value::Null;
    ["containerStatuses", "initContainerStatuses"]
        .into_iter()
        .flat_map(|f| pod.status()[f].items())
        .find(|s| s["name"].str() == container)
        .unwrap_or(NULL)
}

/// Why there is no log yet.
fn refusal(pod: &Obj, container: &str, previous: bool) -> Option<Failure> {
    let s = status(pod, container);
    let bad = |why: String| Some(Failure::raw(format!("Error from server (BadRequest): {why}")));
    let here = format!("container {container:?} in pod {:?}", pod.name().as_str());
    if previous {
        return if s["lastState"]["terminated"].is_null() {
            bad(format!("previous terminated {here} not found"))
        } else {
            None
        };
    }
    if pod.pod().node.is_empty() {
        return bad(format!("pod {} does not have a host assigned", pod.name()));
    }
    let started = !s["state"]["running"].is_null()
        || !s["state"]["terminated"].is_null()
        || !s["lastState"]["terminated"].is_null();
    if started {
        return None;
    }
    let reason = s["state"]["waiting"]["reason"].str();
    let reason = match reason {
        "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image",
        "" => "ContainerCreating",
        r => r,
    };
    bad(format!("{here} is waiting to start: {reason}"))
}

#[derive(Clone)]
struct Source {
    pod: Key,
    uid: Str,
    container: Str,
    /// How many of its lines were printed.
    shown: usize,
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    if args.on("follow") && args.on("previous") {
        return Err(Failure::new("only one of follow (-f) or previous (-p) is allowed"));
    }
    check(args)?;
    let pods = pods(w, io, args)?;
    let previous = args.on("previous");
    let mut sources = Vec::new();
    for pod in &pods {
        for container in containers(io, args, pod)? {
            if let Some(f) = refusal(pod, &container, previous) {
                return Err(f);
            }
            sources.push(Source { pod: pod.key(), uid: pod.uid(), container, shown: 0 });
        }
    }
    if pods.is_empty() {
        io.err(format!("No resources found in {} namespace.", args.ns(w)));
        return Ok(Run::Done(0));
    }
    let mut job = Follow { sources, args: args.clone() };
    // a selector shows ten lines of each pod unless told otherwise
    let tail = match args.int("tail") {
        Some(n) if n >= 0 => usize::try_from(n).ok(),
        Some(_) => None,
        None if args.given("selector") => Some(10),
        None => None,
    };
    job.print(w, io, tail);
    if !args.on("follow") {
        return Ok(Run::Done(0));
    }
    Ok(Run::wait(job))
}

/// `logs -f`.
#[derive(Clone)]
struct Follow {
    sources: Vec<Source>,
    args: Args,
}

impl Follow {
    fn print(&mut self, w: &World, io: &mut Io, tail: Option<usize>) {
        let ago = self.args.duration("since").and_then(|d| u64::try_from(d).ok());
        let since = match self.args.get("since-time") {
            Some(t) => crate::api::time::parse(t).unwrap_or(0),
            None => ago.filter(|d| *d > 0).map_or(0, |d| w.now.saturating_sub(d)),
        };
        let prefixed = self.args.on("prefix");
        let stamped = self.args.on("timestamps");
        for s in &mut self.sources {
            let lines: Vec<Line> =
                logs(w, &s.pod, &s.container, self.args.on("previous")).unwrap_or_default();
            let skip = match tail {
                Some(n) => lines.len().saturating_sub(n),
                None => 0,
            };
            for line in lines.iter().skip(s.shown.max(skip)).filter(|l| l.at >= since) {
                let mut t = String::new();
                if prefixed {
                    t.push_str(&format!("[pod/{}/{}] ", s.pod.name, s.container));
                }
                if stamped {
                    t.push_str(&rfc3339_micro(line.at).replace('Z', "000Z"));
                    t.push(' ');
                }
                t.push_str(&line.text);
                io.line(t);
            }
            s.shown = lines.len();
        }
    }
}

impl Job for Follow {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        self.print(w, io, None);
        self.sources.retain(|s| {
            w.store.by_key(&s.pod).is_some_and(|p| {
                p.uid() == s.uid && status(p, &s.container)["state"]["terminated"].is_null()
            })
        });
        self.sources.is_empty().then_some(0)
    }
}
