//! Names, files and the values of flags.

use super::Offer;
use super::kubectl::{Command, slashed, words_of};
use crate::api::{Kind, Obj, kind};
use crate::collections::BTreeSet;
use crate::kubectl::examples;
use crate::kubectl::verbs::common::pod_spec_path;
use crate::schema;
use crate::value::{Str, Value};
use crate::world::World;

/// Files of the learner's folder, and the addresses that are known.
pub(super) fn files(w: &World, offer: &mut Offer<'_>) {
    offer.prefix = offer.prefix.strip_prefix("./").unwrap_or(offer.prefix);
    offer.all(
        w.terminals.files.keys().filter(|f| !f.starts_with('/') || offer.prefix.starts_with('/')),
    );
    offer.all(offer.files);
    if offer.prefix.starts_with("http") {
        offer.all(examples::addresses());
    }
}

fn objects<'a>(w: &'a World, c: &Command, kind: Kind) -> Box<dyn Iterator<Item = &'a Obj> + 'a> {
    let ns = c.namespace(w);
    let all = !kind.info().namespaced || c.everywhere;
    Box::new(w.store.all(kind).filter(move |o| all || o.ns() == ns))
}

/// Names of the objects of a kind that were not named yet.
pub(super) fn names(w: &World, offer: &mut Offer<'_>, c: &Command, kind: Kind) {
    for obj in objects(w, c, kind) {
        let name = obj.name();
        let named = |p: &String| p.rsplit('/').next() == Some(name.as_str());
        if name.starts_with(offer.prefix) && !c.pos.iter().any(named) {
            offer.candidates.push(name.to_string());
        }
    }
}

fn containers_of(spec: &Value) -> impl Iterator<Item = &str> {
    ["containers", "initContainers"]
        .into_iter()
        .flat_map(|f| spec[f].items())
        .map(|c| c["name"].str())
}

/// The object that the first arguments name.
fn first_object<'a>(w: &'a World, c: &Command, alone: Kind) -> Option<&'a Obj> {
    let first = c.pos.first()?;
    let (kind, name) = match first.split_once('/') {
        Some((kind, name)) => (Kind::from_word(kind)?, name),
        None => match c.pos.get(1).filter(|_| alone != Kind::Pod) {
            Some(name) => (c.kind()?, name.as_str()),
            None => (alone, first.as_str()),
        },
    };
    w.store.get(kind, &c.namespace(w), name)
}

/// Containers of the pod that `exec` and `logs` name.
pub(super) fn containers(w: &World, offer: &mut Offer<'_>, c: &Command) {
    let Some(obj) = first_object(w, c, Kind::Pod) else { return };
    let path = pod_spec_path(obj.kind).unwrap_or("spec");
    offer.all(containers_of(obj.value.at(path)));
}

/// `container=` of what `set image` names.
pub(super) fn template_containers(w: &World, offer: &mut Offer<'_>, c: &Command) {
    let Some(obj) = first_object(w, c, Kind::StatefulSet) else { return };
    let Some(path) = pod_spec_path(obj.kind) else { return };
    offer.all(containers_of(obj.value.at(path)).map(|n| format!("{n}=")));
}

/// `statefulsets.spec.template`: a kind and its fields.
pub(super) fn fields(offer: &mut Offer<'_>) {
    let Some(path) = offer.after('.') else { return words_of(offer, kind::ALL, "") };
    let mut path = path.split('.');
    let Some(kind) = path.next().and_then(Kind::from_word) else { return };
    let path: Vec<&str> = path.collect();
    let table = if path.is_empty() {
        schema::fields(kind.info().kind)
    } else {
        schema::field(kind, &path).and_then(|f| match schema::leaf(&f.field_type) {
            schema::Type::Struct(name) => schema::fields(name),
            _ => None,
        })
    };
    offer.all(table.unwrap_or_default().iter().map(|f| f.name));
}

/// Labels that objects of the named kind have.
fn labels(w: &World, offer: &mut Offer<'_>, c: &Command) {
    offer.after(',');
    let alone = if matches!(c.verb.as_str(), "cordon" | "uncordon" | "drain") {
        Kind::Node
    } else {
        Kind::Pod
    };
    let mut found: BTreeSet<(Str, Str)> = BTreeSet::new();
    for obj in objects(w, c, c.kind().unwrap_or(alone)) {
        for (k, v) in obj.meta()["labels"].pairs() {
            found.insert((k.clone(), v.to_str()));
        }
    }
    offer.all(found.iter().map(|(k, v)| format!("{k}={v}")));
}

/// The value of a flag.
pub(super) fn of_flag(w: &World, offer: &mut Offer<'_>, c: &Command, flag: &str) {
    let verb = c.verb.as_str();
    match flag {
        "filename" | "from-file" | "from-env-file" | "patch-file" => files(w, offer),
        "namespace" => offer.all(w.store.all(Kind::Namespace).map(|n| n.name())),
        "container" | "containers" => containers(w, offer, c),
        "selector" => labels(w, offer, c),
        "for" if verb == "events" => {
            if offer.prefix.contains('/') {
                slashed(w, offer, c);
            } else {
                words_of(offer, kind::ALL, "/");
            }
        }
        _ => offer.all(fixed(verb, flag).split_ascii_whitespace()),
    }
}

/// The words that a flag may be given.
fn fixed(verb: &str, flag: &str) -> &'static str {
    match (flag, verb) {
        ("output", "get") => {
            "custom-columns= go-template= json jsonpath= jsonpath-as-json= name wide yaml"
        }
        ("output", "api-resources") => "name wide",
        ("output", "version") => "json yaml",
        ("output", _) => "json name yaml",
        ("cascade", _) => "background foreground orphan",
        ("dry-run", _) => "client none server",
        ("validate", _) => "false ignore strict true warn",
        ("type", "patch") => "json merge strategic",
        ("type", "expose") => "ClusterIP ExternalName LoadBalancer NodePort",
        ("types", _) => "Normal Warning",
        ("restart", _) => "Always Never OnFailure",
        ("image-pull-policy", _) => "Always IfNotPresent Never",
        ("protocol", _) => "SCTP TCP UDP",
        ("session-affinity", _) => "ClientIP None",
        ("subresource", _) => "scale status",
        ("context" | "cluster", _) => "podium",
        ("for", _) => "condition=Available condition=Ready create delete jsonpath=",
        ("sort-by", _) => ".metadata.creationTimestamp .metadata.name",
        ("field-selector", _) => "metadata.name= spec.nodeName= status.phase=",
        ("timeout" | "request-timeout" | "since", _) => "10s 1m 5m",
        _ => "",
    }
}
