//! Which objects a command means: `po`, `sts/web`, `pod,svc`, `TYPE NAME NAME`, `-l`, `--all`.

use std::rc::Rc;

use crate::api::{Kind, Obj, Object};
use crate::apiserver::error::Status;
use crate::kubectl::args::Args;
use crate::kubectl::files::{self, Document};
use crate::kubectl::io::{Failure, Io, Res};
use crate::kubectl::selectors::{FieldSelector, Selector};
use crate::value::{Str, Value, text};
use crate::world::World;

/// What `all` stands for, in the order of `kubectl get all`.
const ALL: &[Kind] = &[
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Service,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::HorizontalPodAutoscaler,
    Kind::CronJob,
    Kind::Job,
];

/// An object that was meant, as it is now.
#[derive(Clone, Debug)]
pub struct Target {
    /// The object.
    pub obj: Obj,
    /// The file that named it, if one did.
    pub document: Option<Document>,
}

/// All that a command line means.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Objects that are there.
    pub targets: Vec<Target>,
    /// What could not be found, in order.
    pub failures: Vec<Failure>,
    /// Kinds that were named.
    pub kinds: Vec<Kind>,
    /// Were objects named one by one, not listed?
    pub named: bool,
}

/// `error: the server doesn't have a resource type "foo"`.
pub fn unknown_type(word: &str) -> Failure {
    // its group is not named
    let name = word.split('.').next().unwrap_or(word);
    Failure::new(format!("the server doesn't have a resource type {name:?}"))
}

/// The kinds of `pod,svc` or `all`.
///
/// # Errors
/// A word that names no kind.
pub fn kinds(words: &str) -> Res<Vec<Kind>> {
    let mut kinds = Vec::new();
    for word in words.split(',').filter(|w| !w.is_empty()) {
        if word == "all" {
            kinds.extend_from_slice(ALL);
        } else {
            kinds.push(Kind::from_word(word).ok_or_else(|| unknown_type(word))?);
        }
    }
    Ok(kinds)
}

/// What the arguments name: kinds alone, or kinds with names.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Kinds in the order given.
    pub kinds: Vec<Kind>,
    /// Kind and name of each object named.
    pub names: Vec<(Kind, Str)>,
}

/// Reads `TYPE[,TYPE] [NAME…]` or `TYPE/NAME…`.
///
/// # Errors
/// Unknown kinds, mixed forms.
pub fn named(words: &[String]) -> Res<Named> {
    let mut out = Named::default();
    let Some(first) = words.first() else { return Ok(out) };
    if words.iter().any(|w| w.contains('/')) {
        for word in words {
            let Some((kind, name)) = word.split_once('/') else {
                return Err(Failure::new(
                    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
                ));
            };
            if name.contains('/') {
                return Err(Failure::new(
                    "arguments in resource/name form may not have more than one slash",
                ));
            }
            if kind.is_empty() || name.is_empty() || kind.contains(',') {
                return Err(Failure::new(
                    "arguments in resource/name form must have a single resource and name",
                ));
            }
            let kind = Kind::from_word(kind).ok_or_else(|| unknown_type(kind))?;
            if !out.kinds.contains(&kind) {
                out.kinds.push(kind);
            }
            out.names.push((kind, text(name)));
        }
        return Ok(out);
    }
    out.kinds = kinds(first)?;
    for kind in &out.kinds {
        for name in &words[1..] {
            out.names.push((*kind, text(name)));
        }
    }
    Ok(out)
}

/// How a command selects.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Kinds without names mean all objects of them, selector or not.
    pub list: bool,
}

/// The objects that the arguments (`words`), `-f`, `-l`, `--field-selector`, `--all`, `-A` mean.
///
/// # Errors
/// What stops the command before anything is looked up.
pub fn select(
    w: &World,
    io: &mut Io,
    args: &Args,
    words: &[String],
    options: Options,
) -> Res<Selection> {
    let mut out = Selection::default();
    // that of expose is the Service's
    let selector = if args.verb == "expose" { "" } else { args.text("selector") };
    let fields = args.text("field-selector");
    let all = args.on("all") || options.list;
    if args.given("filename") {
        if !words.is_empty() {
            return Err(Failure::new(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
            ));
        }
        let (docs, failures) = files::documents(w, io, args)?;
        // who prints objects tells errors as it would tell several
        let bare = matches!(args.verb, "get" | "describe");
        out.failures = if bare { failures.iter().map(Failure::bare).collect() } else { failures };
        out.named = true;
        for doc in docs {
            let (ns, name) = meta(&doc.value);
            match w.store.get(doc.kind, &ns, &name) {
                _ if args.on("local") => {
                    let obj = Rc::new(Object::new(doc.kind, doc.value.clone()));
                    out.targets.push(Target { obj, document: Some(doc) });
                }
                Some(obj) => {
                    out.targets.push(Target { obj: obj.clone(), document: Some(doc) });
                }
                None => out.failures.push(Status::not_found(doc.kind, &name).into()),
            }
        }
        return Ok(out);
    }
    if args.on("local") && !words.is_empty() {
        match args.verb {
            "patch" => return Err(Failure::new("cannot specify --local and server resources")),
            "set image" | "set resources" | "set selector" => {
                return Err(Failure::new(
                    "you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'",
                ));
            }
            _ => {}
        }
    }
    let Named { kinds, names } = if args.on("local") { Named::default() } else { named(words)? };
    out.kinds = kinds;
    let selects = !selector.is_empty() || !fields.is_empty() || all && args.verb == "delete";
    if out.kinds.is_empty() && selects {
        return Err(Failure::new("at least one resource must be specified to use a selector"));
    }
    if out.kinds.is_empty() {
        return Err(Failure::raw(
            "error: You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'"
                .to_owned(),
        ));
    }
    let everywhere = args.on("all-namespaces");
    let ns = args.ns(w);
    if !names.is_empty() {
        if !selector.is_empty() {
            return Err(Failure::new("name cannot be provided when a selector is specified"));
        }
        if !fields.is_empty() {
            return Err(Failure::new("name cannot be provided when a field selector is specified"));
        }
        if args.on("all") && args.verb == "delete" {
            return Err(Failure::new("name cannot be provided when a selector is specified"));
        }
        if args.on("all") {
            return Err(Failure::new("setting 'all' parameter but found a non empty name. "));
        }
        if everywhere {
            return Err(Failure::new(
                "a resource cannot be retrieved by name across all namespaces",
            ));
        }
        out.named = true;
        for (kind, name) in names {
            let ns: &str = if kind.info().namespaced { &ns } else { "" };
            match w.store.get(kind, ns, &name) {
                Some(obj) => out.targets.push(Target { obj: obj.clone(), document: None }),
                None => out.failures.push(Status::not_found(kind, &name).into()),
            }
        }
        return Ok(out);
    }
    if !all && selector.is_empty() && fields.is_empty() {
        return Err(Failure::new("resource(s) were provided, but no name was specified"));
    }
    let labels = selector;
    for kind in out.kinds.clone() {
        let selector = Selector::of(kind, labels, fields)?;
        let fields = FieldSelector::of(kind, labels, fields)?;
        let mut push = |obj: &Obj| {
            if selector.matches(&obj.meta()["labels"]) && fields.matches(obj) {
                out.targets.push(Target { obj: obj.clone(), document: None });
            }
        };
        if kind.info().namespaced && !everywhere {
            w.store.list(kind, &ns).for_each(&mut push);
        } else {
            w.store.all(kind).for_each(&mut push);
        }
    }
    Ok(out)
}

/// Namespace and name of an object.
pub fn meta(value: &Value) -> (Str, Str) {
    (value["metadata"]["namespace"].to_str(), value["metadata"]["name"].to_str())
}

/// `statefulset.apps/web`.
pub fn slashed(kind: Kind, name: &str) -> String {
    format!("{}/{name}", kind.printed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let words = |s: &str| s.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(named(&words("po,svc a b")).unwrap().names.len(), 4);
        assert_eq!(named(&words("sts/web pod/x")).unwrap().names.len(), 2);
        assert!(named(&words("sts sts/web")).is_err());
        assert!(named(&words("nope")).is_err());
    }
}
