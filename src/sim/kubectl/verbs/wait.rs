//! `wait` (behaviour/kubectl.md 8).

use crate::api::time::SECOND;
use crate::api::{Key, object};
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::jsonpath;
use crate::kubectl::resources::{self, Options, select, slashed};
use crate::value::{Str, Value};
use crate::world::World;

#[derive(Clone, Debug)]
enum For {
    Condition(String, String),
    Delete,
    Create,
    /// A path and the value wanted.
    Path(jsonpath::Template, Option<String>),
}

/// `kubectl wait`.
pub fn run(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match start(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

/// Parts between single `=`; a double one, as in a filter, does not divide.
fn at_single_equals(t: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut chars = t.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '=' {
            part.push(c);
        } else if chars.next_if_eq(&'=').is_some() {
            part.push_str("==");
        } else {
            parts.push(std::mem::take(&mut part));
        }
    }
    parts.push(part);
    parts
}

fn condition(t: &str) -> Res<For> {
    match t.to_ascii_lowercase().as_str() {
        "delete" => return Ok(For::Delete),
        "create" => return Ok(For::Create),
        _ => {}
    }
    if let Some(c) = t.strip_prefix("condition=") {
        let (name, value) = c.split_once('=').unwrap_or((c, "true"));
        return Ok(For::Condition(name.to_owned(), value.trim_matches('"').to_owned()));
    }
    if let Some(rest) = t.strip_prefix("jsonpath=") {
        let parts = at_single_equals(rest);
        let (path, value) = match parts.as_slice() {
            [path] => (path, None),
            [path, value] => (path, Some(value.trim_matches(['\'', '"']).to_owned())),
            _ => {
                return Err(Failure::new(
                    "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
                ));
            }
        };
        if value.as_deref() == Some("") {
            return Err(Failure::new(
                "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
            ));
        }
        let path = path.trim_matches(['\'', '"']);
        if path.is_empty() {
            return Err(Failure::new("jsonpath expression cannot be empty"));
        }
        let path = jsonpath::Template::relaxed(path).map_err(Failure::new)?;
        return Ok(For::Path(path, value));
    }
    Err(Failure::new(format!("unrecognized condition: {t:?}")))
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let Some(wanted) = args.get("for") else {
        return Err(Failure::new("unrecognized condition: \"\""));
    };
    let wanted = condition(wanted)?;
    let mut awaited: Vec<Awaited> = Vec::new();
    let named = resources::named(&args.pos)?;
    if !named.names.is_empty() && !args.given("filename") {
        let ns = args.ns(w);
        for (kind, name) in named.names {
            let ns = if kind.info().namespaced { ns.clone() } else { Str::default() };
            let key = Key::new(kind, ns, name);
            match (w.store.by_key(&key), &wanted) {
                (Some(obj), _) => awaited.push(Awaited::Object(key, Some(obj.uid()))),
                (None, For::Create) => awaited.push(Awaited::Object(key, None)),
                (None, For::Delete) => {}
                (None, _) => awaited.push(Awaited::Missing(
                    crate::apiserver::error::Status::not_found(key.kind, &key.name).into(),
                )),
            }
        }
        if awaited.is_empty() {
            return Ok(Run::Done(0));
        }
    } else {
        let selection = select(w, io, args, &args.pos, Options::default())?;
        if let (Some(f), false) = (selection.failures.first(), matches!(wanted, For::Delete)) {
            return Err(f.clone());
        }
        let object = |t: &resources::Target| Awaited::Object(t.obj.key(), Some(t.obj.uid()));
        awaited = selection.targets.iter().map(object).collect();
        if awaited.is_empty() {
            if matches!(wanted, For::Delete) {
                return Ok(Run::Done(0));
            }
            return Err(Failure::new("no matching resources found"));
        }
    }
    awaited.reverse();
    let once = args.duration("timeout") == Some(0);
    let until = args.deadline(w, Some(if once { 0 } else { 30 * SECOND })).unwrap_or(w.now);
    w.wake_terminal(io.term, until.saturating_sub(w.now), true);
    Ok(Run::wait(Wait { awaited, failures: Vec::new(), wanted, until, once }))
}

/// What is waited for.
#[derive(Clone)]
enum Awaited {
    /// An object and, if it is there, which one.
    Object(Key, Option<Str>),
    /// One that is not there when its turn comes.
    Missing(Failure),
}

/// Waits for one object after the other.
#[derive(Clone)]
struct Wait {
    /// The next one stands last.
    awaited: Vec<Awaited>,
    failures: Vec<Failure>,
    wanted: For,
    until: u64,
    /// `--timeout=0`: look once.
    once: bool,
}

impl Wait {
    /// Is it so? An error for a path that leads to no single value.
    fn met(&self, w: &World, key: &Key, uid: Option<&Str>) -> Result<bool, &'static str> {
        let obj = w.store.by_key(key);
        Ok(match &self.wanted {
            For::Delete => obj.is_none_or(|o| Some(&o.uid()) != uid),
            For::Create => obj.is_some(),
            For::Condition(name, value) => obj.is_some_and(|o| {
                let c = o.status()["conditions"]
                    .items()
                    .iter()
                    .find(|c| c["type"].str().eq_ignore_ascii_case(name))
                    .unwrap_or_else(|| object::condition(&o.value, name));
                let generation = o.meta()["generation"].int_or(0);
                let old = c["observedGeneration"].as_int().is_some_and(|g| g < generation);
                !old && c["status"].str().eq_ignore_ascii_case(value)
            }),
            For::Path(path, value) => {
                let Some(obj) = obj else { return Ok(false) };
                let found = path.values(&obj.value);
                match (found.as_slice(), value) {
                    ([], _) => false,
                    ([found], None) => !found.is_null(),
                    ([Value::Map(_) | Value::List(_)], Some(_)) => {
                        return Err(
                            "jsonpath leads to a nested object or list which is not supported",
                        );
                    }
                    ([found], Some(wanted)) => jsonpath::shown(found).trim() == wanted.trim(),
                    _ => return Err("given jsonpath expression matches more than one value"),
                }
            }
        })
    }
}

impl Job for Wait {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        while let Some(next) = self.awaited.last() {
            let failure = match next {
                Awaited::Missing(failure) => Some(failure.clone()),
                Awaited::Object(key, uid) => match self.met(w, key, uid.as_ref()) {
                    Ok(true) => {
                        io.line(format!("{} condition met", slashed(key.kind, &key.name)));
                        None
                    }
                    Ok(false) if w.now < self.until => return None,
                    Ok(false) => {
                        let why = if self.once {
                            "condition not met for"
                        } else {
                            "timed out waiting for the condition on"
                        };
                        let plural = key.kind.info().plural;
                        Some(Failure::new(format!("{why} {plural}/{}", key.name)))
                    }
                    Err(why) => Some(Failure::new(why)),
                },
            };
            self.failures.extend(failure);
            self.awaited.pop();
        }
        Some(io.fail_all(&self.failures))
    }
}
