//! `wait` (behaviour/kubectl.md 8).

use crate::api::time::SECOND;
use crate::api::{Key, object};
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::resources::{self, Options, select, slashed};
use crate::value::{Str, Value};
use crate::world::World;

#[derive(Clone, Debug)]
enum For {
    Condition(String, String),
    Delete,
    Create,
    /// Keys and indexes of a path, the value wanted.
    Path(Vec<String>, Option<String>),
}

/// `kubectl wait`.
pub fn run(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match start(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

fn condition(t: &str) -> Res<For> {
    if t == "delete" {
        return Ok(For::Delete);
    }
    if t == "create" {
        return Ok(For::Create);
    }
    if let Some(c) = t.strip_prefix("condition=") {
        let (name, value) = c.split_once('=').unwrap_or((c, "true"));
        return Ok(For::Condition(name.to_owned(), value.trim_matches('"').to_owned()));
    }
    if let Some(rest) = t.strip_prefix("jsonpath=") {
        let rest = rest.trim_matches(['\'', '"']);
        let (path, value) = match rest.split_once("}=") {
            Some((p, v)) => (p, Some(v.trim_matches(['\'', '"']).to_owned())),
            None => (rest.trim_end_matches('}'), None),
        };
        if value.as_deref() == Some("") {
            return Err(Failure::new("jsonpath wait value cannot be empty"));
        }
        let path = path.trim_start_matches('{').trim_start_matches('$');
        if path.contains("[?") || path.contains("..") || path.contains('*') {
            return Err(Failure::new("not simulated: wait for such a jsonpath"));
        }
        let keys: Vec<String> = path
            .replace("['", ".")
            .replace("']", "")
            .replace('[', ".")
            .replace(']', "")
            .split('.')
            .filter(|k| !k.is_empty())
            .map(str::to_owned)
            .collect();
        if keys.is_empty() {
            return Err(Failure::new("jsonpath expression cannot be empty"));
        }
        return Ok(For::Path(keys, value));
    }
    Err(Failure::new(format!("unrecognized condition: {t:?}")))
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let Some(wanted) = args.get("for") else {
        return Err(Failure::new("unrecognized condition: \"\""));
    };
    let wanted = condition(wanted)?;
    let mut keys: Vec<(Key, Option<Str>)> = Vec::new();
    let named = resources::named(&args.pos)?;
    if !named.names.is_empty() && !args.given("filename") {
        let ns = args.ns(w);
        for (kind, name) in named.names {
            let ns = if kind.info().namespaced { ns.clone() } else { Str::default() };
            let key = Key::new(kind, ns, name);
            match (w.store.by_key(&key), &wanted) {
                (Some(obj), _) => keys.push((key, Some(obj.uid()))),
                (None, For::Create) => keys.push((key, None)),
                (None, For::Delete) => {}
                (None, _) => {
                    return Err(
                        crate::apiserver::error::Status::not_found(key.kind, &key.name).into()
                    );
                }
            }
        }
        if keys.is_empty() {
            return Ok(Run::Done(0));
        }
    } else {
        let selection = select(w, io, args, &args.pos, Options::default())?;
        if let (Some(f), false) = (selection.failures.first(), matches!(wanted, For::Delete)) {
            return Err(f.clone());
        }
        keys = selection.targets.iter().map(|t| (t.obj.key(), Some(t.obj.uid()))).collect();
        if keys.is_empty() {
            if matches!(wanted, For::Delete) {
                return Ok(Run::Done(0));
            }
            return Err(Failure::new("no matching resources found"));
        }
    }
    keys.reverse();
    let once = args.duration("timeout") == Some(0);
    let until = args.deadline(w, Some(if once { 0 } else { 30 * SECOND })).unwrap_or(w.now);
    w.wake_terminal(io.term, until.saturating_sub(w.now), true);
    Ok(Run::wait(Wait { keys, wanted, until }))
}

/// Waits for one object after the other.
#[derive(Clone)]
struct Wait {
    keys: Vec<(Key, Option<Str>)>,
    wanted: For,
    until: u64,
}

impl Wait {
    fn met(&self, w: &World, key: &Key, uid: Option<&Str>) -> bool {
        let obj = w.store.by_key(key);
        match &self.wanted {
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
            For::Path(keys, value) => obj.is_some_and(|o| {
                let found = keys.iter().fold(&o.value, |v, k| match (v, k.parse::<usize>()) {
                    (Value::List(_), Ok(i)) => &v[i],
                    _ => v.get(k),
                });
                match value {
                    None => !found.is_null(),
                    Some(wanted) => match found {
                        Value::Null => false,
                        Value::Str(s) => s.as_str() == wanted,
                        other => other.to_string() == *wanted,
                    },
                }
            }),
        }
    }
}

impl Job for Wait {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        while let Some((key, uid)) = self.keys.last() {
            if self.met(w, key, uid.as_ref()) {
                io.line(format!("{} condition met", slashed(key.kind, &key.name)));
                self.keys.pop();
                continue;
            }
            if w.now < self.until {
                return None;
            }
            for (key, _) in self.keys.iter().rev() {
                io.err(format!(
                    "error: timed out waiting for the condition on {}/{}",
                    key.kind.info().plural,
                    key.name
                ));
            }
            return Some(1);
        }
        Some(0)
    }
}
