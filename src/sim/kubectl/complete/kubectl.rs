//! Completion of kubectl's own words.

use super::{Offer, values};
use crate::api::{Kind, kind};
use crate::kubectl::args;
use crate::kubectl::verbs::{VERBS, Verb, alias};
use crate::value::Str;
use crate::world::World;

/// A command as far as it is typed.
#[derive(Default)]
pub(super) struct Command {
    /// `get`, `rollout status`; empty while it is not known.
    pub(super) verb: String,
    spec: &'static str,
    /// Arguments after the verb that are no flags.
    pub(super) pos: Vec<String>,
    /// Flags that were given.
    given: Vec<&'static str>,
    /// Was `-f` given, so that no object is named by arguments?
    files: bool,
    /// After `--`.
    dashed: bool,
    /// Namespace of `-n`.
    ns: Option<Str>,
    /// Does `-A` stand there?
    pub(super) everywhere: bool,
    /// The flag whose value the next word is.
    waits: Option<&'static str>,
}

const SCALED: &[Kind] =
    &[Kind::Deployment, Kind::ReplicaSet, Kind::ReplicationController, Kind::StatefulSet];
const ROLLED: &[Kind] = &[Kind::DaemonSet, Kind::Deployment, Kind::StatefulSet];
const EXPOSED: &[Kind] =
    &[Kind::Deployment, Kind::Pod, Kind::ReplicaSet, Kind::ReplicationController, Kind::Service];
const TEMPLATED: &[Kind] = &[
    Kind::CronJob,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::Job,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::StatefulSet,
];
const LOGGED: &[Kind] = &[
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::Job,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::Service,
    Kind::StatefulSet,
];

/// What stands in a command's name after that of its group.
fn after<'a>(name: &'a str, group: &str) -> Option<&'a str> {
    name.strip_prefix(group)?.strip_prefix(' ')
}

impl Command {
    fn read(words: &[String]) -> Self {
        let mut c = Self::default();
        for word in words {
            c.take(word);
        }
        c
    }

    fn take(&mut self, word: &str) {
        if let Some(name) = self.waits.take() {
            self.value(name, word);
        } else if self.dashed {
            self.pos.push(word.to_owned());
        } else if word == "--" {
            self.dashed = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            if let Some(flag) = args::flag(self.spec, Some(name), None) {
                self.flag(&flag, value);
            }
        } else if word.len() > 1 && word.starts_with('-') {
            for (i, c) in word.char_indices().skip(1) {
                let Some(flag) = args::flag(self.spec, None, Some(c)) else { return };
                let rest = word.get(i + c.len_utf8()..).unwrap_or("");
                let value = Some(rest.strip_prefix('=').unwrap_or(rest)).filter(|v| !v.is_empty());
                if flag.takes_value() {
                    return self.flag(&flag, value);
                }
                self.flag(&flag, None);
            }
        } else {
            self.word(word);
        }
    }

    fn flag(&mut self, flag: &args::Known, value: Option<&str>) {
        if !flag.many {
            self.given.push(flag.name);
        }
        match flag.name {
            "all-namespaces" => self.everywhere = true,
            "filename" => self.files = true,
            _ => {}
        }
        match value {
            Some(value) => self.value(flag.name, value),
            None if flag.takes_value() => self.waits = Some(flag.name),
            None => {}
        }
    }

    fn value(&mut self, name: &'static str, value: &str) {
        if name == "namespace" {
            self.ns = Some(crate::value::text(value));
        }
    }

    /// A word that is no flag: of the verb, or an argument.
    fn word(&mut self, word: &str) {
        if self.pos.is_empty() {
            let mut path: Vec<&str> = self.verb.split(' ').filter(|w| !w.is_empty()).collect();
            path.push(alias(&path, word));
            let longer = path.join(" ");
            let known = VERBS.iter().find(|v| v.name == longer);
            let group = |v: &Verb| after(v.name, &longer).is_some();
            if known.is_some() || self.verb.is_empty() || VERBS.iter().any(group) {
                self.spec = known.map_or("", |v| v.flags);
                self.verb = longer;
                return;
            }
        }
        self.pos.push(word.to_owned());
    }

    /// The namespace that the command looks into.
    pub(super) fn namespace(&self, w: &World) -> Str {
        self.ns.clone().unwrap_or_else(|| w.terminals.namespace.clone())
    }

    /// The kind that the first argument names.
    pub(super) fn kind(&self) -> Option<Kind> {
        let first = self.pos.first()?;
        Kind::from_word(first.split(['/', ',']).next().unwrap_or(first))
    }
}

/// Completes the words after `kubectl`.
pub(super) fn complete(w: &World, offer: &mut Offer<'_>, words: &[String]) {
    let c = Command::read(words);
    if c.dashed {
        return;
    }
    if let Some(flag) = c.waits {
        return values::of_flag(w, offer, &c, flag);
    }
    if let Some(long) = offer.prefix.strip_prefix("--") {
        let Some((name, value)) = long.split_once('=') else { return flags(offer, &c) };
        let Some(flag) = args::flag(c.spec, Some(name), None) else { return };
        offer.prefix = value;
        return values::of_flag(w, offer, &c, flag.name);
    }
    if let Some(letters) = offer.prefix.strip_prefix('-') {
        let letter = letters.chars().next();
        let flag = letter.and_then(|l| args::flag(c.spec, None, Some(l)));
        match (letter, flag.filter(args::Known::takes_value)) {
            (None, _) => flags(offer, &c),
            (Some(l), Some(flag)) if letters.len() > l.len_utf8() => {
                offer.prefix = letters.get(l.len_utf8()..).unwrap_or("");
                values::of_flag(w, offer, &c, flag.name);
            }
            // a letter that stands: the space after it
            (Some(_), Some(_)) => offer.add(offer.prefix),
            _ => {}
        }
        return;
    }
    if c.verb.is_empty() {
        return offer.all(VERBS.iter().filter_map(|v| v.name.split(' ').next()));
    }
    argument(w, offer, &c);
}

/// The flags that the command takes and that were not given yet.
fn flags(offer: &mut Offer<'_>, c: &Command) {
    let shared = args::flag("", Some("namespace"), None);
    for flag in args::offered(c.spec).chain(shared) {
        if c.given.contains(&flag.name) {
            continue;
        }
        let equals = if flag.takes_value() { "=" } else { "" };
        offer.add(format!("--{}{equals}", flag.name));
        if let Some(short) = flag.short.filter(|_| offer.prefix == "-") {
            offer.add(format!("-{short}"));
        }
    }
}

/// An argument that is no flag.
fn argument(w: &World, offer: &mut Offer<'_>, c: &Command) {
    let subcommands = VERBS.iter().filter_map(|v| after(v.name, &c.verb)?.split(' ').next());
    let known = VERBS.iter().any(|v| v.name == c.verb);
    let first = c.pos.is_empty();
    if first && subcommands.clone().next().is_some() {
        offer.all(subcommands);
        if !known {
            return;
        }
    } else if !known {
        return;
    }
    match c.verb.as_str() {
        "apply" | "create" | "replace" | "diff" if first => offer.add("-f"),
        _ if c.files => {}
        "get" | "describe" | "delete" | "edit" | "patch" | "label" | "annotate" | "wait" => {
            named(w, offer, c, kind::ALL, true);
        }
        "scale" => named(w, offer, c, SCALED, false),
        "expose" => named(w, offer, c, EXPOSED, false),
        "taint" => named(w, offer, c, &[Kind::Node], false),
        "set image" | "set env" | "set resources" => {
            let names = usize::from(!c.pos.first().is_some_and(|p| p.contains('/')));
            if c.verb == "set image" && c.pos.len() > names {
                return values::template_containers(w, offer, c);
            }
            named(w, offer, c, TEMPLATED, false);
        }
        verb if verb.starts_with("rollout ") => named(w, offer, c, ROLLED, false),
        "cordon" | "uncordon" | "drain" => values::names(w, offer, c, Kind::Node),
        "exec" | "logs" => match c.pos.len() {
            0 if offer.prefix.contains('/') => slashed(w, offer, c),
            0 => {
                values::names(w, offer, c, Kind::Pod);
                if !offer.prefix.is_empty() {
                    offer.all(LOGGED.iter().map(|k| format!("{}/", k.info().plural)));
                }
            }
            1 if c.verb == "logs" => values::containers(w, offer, c),
            1 => offer.add("--"),
            _ => {}
        },
        "cp" => {
            values::files(w, offer);
            let ns = c.namespace(w);
            let pods = w.store.list(Kind::Pod, &ns).map(|p| format!("{}:", p.name()));
            offer.all(pods.collect::<Vec<_>>());
        }
        "top node" => values::names(w, offer, c, Kind::Node),
        "top pod" => values::names(w, offer, c, Kind::Pod),
        "explain" if first => values::fields(offer),
        "config use-context" | "config set-context" if first => offer.add("podium"),
        _ => {}
    }
}

/// Kinds, then names of objects of that kind; or `kind/name`, as often as one likes.
fn named(w: &World, offer: &mut Offer<'_>, c: &Command, kinds: &[Kind], lists: bool) {
    if offer.prefix.contains('/') {
        return slashed(w, offer, c);
    }
    let Some(first) = c.pos.first() else {
        if offer.after(',').is_none() && lists {
            offer.add("all");
        }
        return words_of(offer, kinds, "");
    };
    if first.contains('/') {
        return words_of(offer, kinds, "/");
    }
    if let Some(kind) = c.kind() {
        values::names(w, offer, c, kind);
    }
}

/// The words that name kinds: plural and short names.
pub(super) fn words_of(offer: &mut Offer<'_>, kinds: &[Kind], end: &str) {
    for info in kinds.iter().map(|k| k.info()) {
        for word in std::iter::once(&info.plural).chain(info.short) {
            offer.add(format!("{word}{end}"));
        }
        // who types the group gets it
        if offer.prefix.contains('.') && !info.group.is_empty() {
            offer.add(format!("{}.{}{end}", info.plural, info.group));
        }
    }
}

/// The name of `kind/name`.
pub(super) fn slashed(w: &World, offer: &mut Offer<'_>, c: &Command) {
    let head = offer.after('/').unwrap_or_default();
    if let Some(kind) = Kind::from_word(&head) {
        values::names(w, offer, c, kind);
    }
}
