//! Which objects a command means: `po`, `sts/web`, `pod,svc`, `TYPE NAME NAME`, `-l`, `--all`.

use crate::api::{Kind, Obj};
use crate::apiserver::error::Status;
use crate::kubectl::args::Args;
use crate::kubectl::files::{self, Document};
use crate::kubectl::io::{Failure, Io, Res};
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
    let selector = args.text("selector");
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
                Some(obj) => {
                    out.targets.push(Target { obj: obj.clone(), document: Some(doc) });
                }
                None => out.failures.push(Status::not_found(doc.kind, &name).into()),
            }
        }
        return Ok(out);
    }
    let Named { kinds, names } = named(words)?;
    out.kinds = kinds;
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

/// The server cannot use selectors: cli-runtime's `EnhanceListError`.
fn unfound(kind: Kind, labels: &str, fields: &str, why: &str) -> Failure {
    let info = kind.info();
    let (group, version, plural) = (info.group, info.version, info.plural);
    Failure::raw(format!(
        "Error from server (BadRequest): Unable to find \"{group}/{version}, Resource={plural}\" that match label selector {labels:?}, field selector {fields:?}: {why}"
    ))
}

/// `statefulset.apps/web`.
pub fn slashed(kind: Kind, name: &str) -> String {
    format!("{}/{name}", kind.printed())
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Op {
    In,
    NotIn,
    Exists,
    Missing,
    Greater,
    Less,
}

/// What is said of a value that is none for a label.
pub const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Is it a label's value, or the name part of its key?
pub fn good_label(s: &str) -> bool {
    s.len() <= 63
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && s.starts_with(|c: char| c.is_ascii_alphanumeric())
        && s.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// A label selector as typed: `app=nginx,tier!=x,env in (a,b),!old`.
#[derive(Clone, Debug, Default)]
pub struct Selector(Vec<(String, Op, Vec<String>)>);

impl Selector {
    /// Reads one that kubectl judges itself.
    ///
    /// # Errors
    /// kubectl's text for what cannot be read.
    pub fn parse(s: &str) -> Res<Self> {
        Self::read(s).map_err(Failure::new)
    }

    /// Reads one that is sent to the server.
    ///
    /// # Errors
    /// The server's text for what cannot be read.
    pub fn of(kind: Kind, s: &str, fields: &str) -> Res<Self> {
        Self::read(s).map_err(|why| unfound(kind, s, fields, &why))
    }

    fn read(s: &str) -> Result<Self, String> {
        let mut out = Vec::new();
        let mut rest = s.trim();
        while !rest.is_empty() {
            // a comma inside parentheses does not separate
            let mut depth = 0;
            let end = rest
                .char_indices()
                .find(|(_, c)| {
                    depth += match c {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                    *c == ',' && depth <= 0
                })
                .map_or(rest.len(), |(i, _)| i);
            let part = rest[..end].trim();
            out.push(
                Self::requirement(part)
                    .map_err(|why| format!("unable to parse requirement: {why}"))?,
            );
            rest = rest[end..].trim_start_matches(',').trim();
        }
        Ok(Self(out))
    }

    fn requirement(part: &str) -> Result<(String, Op, Vec<String>), String> {
        let one = |k: &str, op: Op, v: &str| (k.trim().to_owned(), op, vec![v.trim().to_owned()]);
        let req = if let Some(key) = part.strip_prefix('!') {
            (key.trim().to_owned(), Op::Missing, Vec::new())
        } else if let Some((k, v)) = part.split_once("!=") {
            one(k, Op::NotIn, v)
        } else if let Some((k, v)) = part.split_once("==").or_else(|| part.split_once('=')) {
            one(k, Op::In, v)
        } else if let Some((k, v)) = part.split_once('>') {
            one(k, Op::Greater, v)
        } else if let Some((k, v)) = part.split_once('<') {
            one(k, Op::Less, v)
        } else if let Some((head, set)) = part.split_once('(') {
            let mut words = head.split_whitespace();
            let key = words.next().unwrap_or("").to_owned();
            let op = match words.next() {
                Some("in") => Op::In,
                Some("notin") => Op::NotIn,
                other => {
                    return Err(format!(
                        "found '{}', expected: in, notin, =, ==, !=, gt, lt",
                        other.unwrap_or("(")
                    ));
                }
            };
            let Some(set) = set.strip_suffix(')') else {
                return Err("found '', expected: ',' or ')'".to_owned());
            };
            (key, op, set.split(',').map(|v| v.trim().to_owned()).collect())
        } else {
            let mut words = part.split_whitespace();
            let key = words.next().unwrap_or("").to_owned();
            if let Some(extra) = words.next() {
                if matches!(extra, "in" | "notin") {
                    return Err("found '' expected: '('".to_owned());
                }
                return Err(format!("found '{extra}', expected: in, notin, =, ==, !=, gt, lt"));
            }
            (key, Op::Exists, Vec::new())
        };
        let name = req.0.rsplit('/').next().unwrap_or("");
        if name.is_empty() {
            return Err("<nil>: Invalid value: \"\": name part must be non-empty; name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')".to_owned());
        }
        if !good_label(name) {
            return Err(format!(
                "<nil>: Invalid value: {:?}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
                req.0
            ));
        }
        if let Some(bad) = req.2.iter().find(|v| !v.is_empty() && !good_label(v)) {
            return Err(format!("values[0][{}]: Invalid value: {bad:?}: {LABEL_VALUE}", req.0));
        }
        Ok(req)
    }

    /// Do these labels match?
    pub fn matches(&self, labels: &Value) -> bool {
        self.0.iter().all(|(key, op, values)| {
            let value = labels.get(key).as_str();
            let among = || value.is_some_and(|v| values.iter().any(|x| x == v));
            let number = || Some((value?.parse::<i64>().ok()?, values.first()?.parse().ok()?));
            match op {
                Op::In => among(),
                Op::NotIn => !among(),
                Op::Exists => value.is_some(),
                Op::Missing => value.is_none(),
                Op::Greater => number().is_some_and(|(a, b)| a > b),
                Op::Less => number().is_some_and(|(a, b)| a < b),
            }
        })
    }

    /// Does it select everything?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A field selector as typed: `status.phase=Running,spec.nodeName!=n1`.
#[derive(Clone, Debug, Default)]
pub struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    /// Reads it for a kind.
    ///
    /// # Errors
    /// The server's text for what cannot be read or selected by.
    pub fn of(kind: Kind, labels: &str, s: &str) -> Res<Self> {
        let mut out = Vec::new();
        for part in s.split(',').filter(|p| !p.trim().is_empty()) {
            let (key, equal, value) = if let Some((k, v)) = part.split_once("!=") {
                (k, false, v)
            } else if let Some((k, v)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (k, true, v)
            } else {
                return Err(Failure::new(format!(
                    "invalid selector: '{part}'; can't understand '{part}'"
                )));
            };
            let known: &[&str] = match kind {
                Kind::Pod => &[
                    "spec.nodeName",
                    "spec.restartPolicy",
                    "spec.schedulerName",
                    "spec.serviceAccountName",
                    "spec.hostNetwork",
                    "status.phase",
                    "status.podIP",
                    "status.nominatedNodeName",
                ],
                Kind::Event => &[
                    "involvedObject.kind",
                    "involvedObject.namespace",
                    "involvedObject.name",
                    "involvedObject.uid",
                    "involvedObject.apiVersion",
                    "involvedObject.resourceVersion",
                    "involvedObject.fieldPath",
                    "reason",
                    "reportingComponent",
                    "source",
                    "type",
                ],
                Kind::Node => &["spec.unschedulable"],
                Kind::Namespace => &["status.phase"],
                Kind::ReplicaSet => &["status.replicas"],
                Kind::Service => &["spec.clusterIP", "spec.type"],
                Kind::Secret => &["type"],
                _ => &[],
            };
            let key = key.trim();
            if !known.contains(&key) && !matches!(key, "metadata.name" | "metadata.namespace") {
                let why = match kind {
                    Kind::StatefulSet => {
                        format!("field label not supported for appsv1.StatefulSet: {key}")
                    }
                    Kind::Pod
                    | Kind::Node
                    | Kind::Namespace
                    | Kind::Event
                    | Kind::Secret
                    | Kind::Service
                    | Kind::ReplicationController => format!("field label not supported: {key}"),
                    _ => format!(
                        "{key:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                    ),
                };
                return Err(unfound(kind, labels, s, &why));
            }
            out.push((key.to_owned(), equal, value.trim().to_owned()));
        }
        Ok(Self(out))
    }

    /// Does the object match?
    pub fn matches(&self, obj: &Obj) -> bool {
        self.0.iter().all(|(key, equal, value)| {
            let found = match key.as_str() {
                "source" => obj.value["source"]["component"].str(),
                "spec.unschedulable" if obj.spec()["unschedulable"].is_true() => "true",
                "spec.unschedulable" => "false",
                key => obj.value.at(key).str(),
            };
            (found == value) == *equal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn selectors() {
        let labels = value!({"app": "nginx", "n": "5"});
        for (s, want) in [
            ("app=nginx", true),
            ("app==nginx,n>4", true),
            ("app!=nginx", false),
            ("app in (a, nginx)", true),
            ("app notin (a,nginx)", false),
            ("x notin (a)", true),
            ("!app", false),
            ("app", true),
            ("", true),
        ] {
            assert_eq!(Selector::parse(s).unwrap().matches(&labels), want, "{s}");
        }
        assert!(Selector::parse("a b").is_err());
        assert!(Selector::parse("=x").is_err());
    }

    #[test]
    fn arguments() {
        let words = |s: &str| s.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(named(&words("po,svc a b")).unwrap().names.len(), 4);
        assert_eq!(named(&words("sts/web pod/x")).unwrap().names.len(), 2);
        assert!(named(&words("sts sts/web")).is_err());
        assert!(named(&words("nope")).is_err());
    }
}
