//! `taint` (behaviour/kubectl.md 5).

use crate::api::{Kind, Obj};
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::resources::{Options, select, unknown_type};
use crate::kubectl::selectors::{LABEL_VALUE, good_label};
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::common::{finish, report, send};
use crate::value;
use crate::value::{Value, text};
use crate::world::World;

/// What is said of a key that is none.
const KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// `key=value:effect`; for a removal the value does not count and the effect may be empty.
#[derive(PartialEq, Eq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

impl Taint {
    fn parse(spec: &str) -> Result<Self, String> {
        let bad = || format!("invalid taint spec: {spec}");
        let mut parts = spec.split(':');
        let (pair, effect) = (parts.next().unwrap_or(""), parts.next());
        if parts.next().is_some() {
            return Err(bad());
        }
        let (mut key, mut value) = (pair, "");
        if let Some(effect) = effect {
            if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
                return Err(format!("invalid taint effect: {effect}, unsupported taint effect"));
            }
            (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if value.contains('=') {
                return Err(bad());
            }
            if !value.is_empty() && !good_label(value) {
                return Err(format!("{}, {LABEL_VALUE}", bad()));
            }
        }
        let name = key.rsplit('/').next().unwrap_or("");
        if name.is_empty() {
            return Err(format!("{}, name part must be non-empty; {KEY}", bad()));
        }
        if !good_label(name) {
            return Err(format!("{}, {KEY}", bad()));
        }
        let effect = effect.unwrap_or("");
        Ok(Self { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
    }

    fn is(&self, on_node: &Value) -> bool {
        on_node["key"].str() == self.key
            && (self.effect.is_empty() || on_node["effect"].str() == self.effect)
    }

    fn on_node(&self) -> Value {
        let mut new = value!({"effect": (text(&self.effect)), "key": (text(&self.key))});
        if !self.value.is_empty() {
            new.set("value", text(&self.value));
        }
        new
    }
}

/// Taints to add and to remove.
fn parse(specs: &[String]) -> Result<(Vec<Taint>, Vec<Taint>), String> {
    let (mut add, mut drop): (Vec<Taint>, Vec<Taint>) = (Vec::new(), Vec::new());
    for spec in specs {
        if let Some(body) = spec.strip_suffix('-') {
            drop.push(Taint::parse(body)?);
            continue;
        }
        let taint = Taint::parse(spec)?;
        if taint.effect.is_empty() {
            return Err(format!("invalid taint spec: {spec}"));
        }
        if add.iter().any(|t| t.key == taint.key && t.effect == taint.effect) {
            return Err(format!(
                "duplicated taints with the same key and effect: {{{} {} {} <nil>}}",
                taint.key, taint.value, taint.effect
            ));
        }
        add.push(taint);
    }
    Ok((add, drop))
}

/// `kubectl taint`.
pub fn taint(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = taint_all(w, io, args);
    ended(io, result)
}

fn taint_all(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let dry = args.dry_run()?;
    let is_taint = |p: &String| p.contains('=') || p.contains(':') || p.ends_with('-');
    let at = args.pos.iter().position(is_taint).unwrap_or(args.pos.len());
    let (words, specs) = args.pos.split_at(at);
    if let Some(late) = specs.iter().find(|s| !is_taint(s)) {
        return Err(Failure::new(format!(
            "all resources must be specified before taint changes: {late}"
        )));
    }
    let Some(kind) = words.first() else {
        return Err(Failure::new("one or more resources must be specified as <resource> <name>"));
    };
    if specs.is_empty() {
        return Err(Failure::new("at least one taint update is required"));
    }
    let (add, drop) = parse(specs).map_err(|why| args.usage(&why))?;
    match Kind::from_word(kind) {
        Some(Kind::Node) => {}
        None => return Err(unknown_type(kind)),
        Some(_) => {
            let kind = kind.to_ascii_lowercase();
            return Err(Failure::new(format!(
                "invalid resource type {kind}, only node types are supported"
            )));
        }
    }
    let both: Vec<String> = drop
        .iter()
        .filter(|d| {
            add.iter().any(|a| a.key == d.key && (d.effect.is_empty() || a.effect == d.effect))
        })
        .map(|d| format!("{{{:?}:{:?}}}", d.key, d.effect))
        .collect();
    if !both.is_empty() {
        return Err(Failure::new(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        )));
    }
    let selected = !args.text("selector").is_empty();
    if args.on("all") && selected {
        return Err(Failure::new(
            "setting 'all' parameter with a non empty selector is prohibited",
        ));
    }
    if !args.on("all") && !selected && words.len() < 2 {
        return Err(Failure::new(
            "at least one resource name must be specified since 'all' parameter is not set",
        ));
    }
    let selection = select(w, io, args, words, Options { list: args.on("all") })?;
    let mut failures = selection.failures;
    for target in &selection.targets {
        let result = changed(args, &target.obj, &add, &drop).and_then(|(value, operation)| {
            let kind = target.obj.kind;
            if dry == DryRun::Client {
                return report(io, args, kind, &value, operation, dry);
            }
            let (new, _) = send(w, io, &target.obj, value, dry)?;
            report(io, args, kind, &new.value, operation, dry)
        });
        failures.extend(result.err());
    }
    Ok(finish(io, &failures))
}

/// The node with other taints, new ones first, and what is said of it.
fn changed(args: &Args, obj: &Obj, add: &[Taint], drop: &[Taint]) -> Res<(Value, &'static str)> {
    let old = obj.spec()["taints"].items();
    let overwrite = args.on("overwrite");
    let there: Vec<&str> =
        add.iter().filter(|t| old.iter().any(|o| t.is(o))).map(|t| t.key.as_str()).collect();
    if !there.is_empty() && !overwrite {
        return Err(Failure::new(format!(
            "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
            obj.name(),
            there.join(",")
        )));
    }
    let mut taints: Vec<Value> = add.iter().map(Taint::on_node).collect();
    taints.extend(old.iter().filter(|o| !add.iter().any(|t| t.is(o))).cloned());
    let added = taints.len() != old.len();
    let mut removed = false;
    for t in drop {
        let before = taints.len();
        taints.retain(|o| !t.is(o));
        removed = taints.len() < before;
        if !removed {
            let effect = if t.effect.is_empty() { String::new() } else { format!(":{}", t.effect) };
            return Err(Failure::new(format!("taint \"{}{effect}\" not found", t.key)));
        }
    }
    let mut value = obj.value.clone();
    if taints.is_empty() {
        value.entry("spec").remove("taints");
    } else {
        value.entry("spec").set("taints", taints);
    }
    let operation = match (added, removed) {
        _ if overwrite => "modified",
        (true, true) => "modified",
        (true, false) => "tainted",
        (false, _) => "untainted",
    };
    Ok((value, operation))
}
