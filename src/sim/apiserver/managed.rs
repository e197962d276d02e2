//! Server-side apply: who owns which field, conflicts, what goes when a manifest no longer has
//! it (behaviour/kubectl.md 3).
//!
//! What a manager applied is kept here; who changed a field by other means is read from the log,
//! where every change stands with the command that made it.
//!
//! # Divergence from real Kubernetes
//! `metadata.managedFields` itself is not stored or shown. Defaults belong to nobody.

use crate::api::{Kind, Obj};
use crate::apiserver::error::{Reason, Status};
use crate::apiserver::{Sub, WriteOptions, patch};
use crate::log::{Record, Seq, What};
use crate::queue::Comp;
use crate::schema;
use crate::value::{Str, Value};
use crate::world::World;

/// Manager of `kubectl apply` without `--server-side`.
const CLIENT_SIDE: &str = "kubectl-client-side-apply";
/// Manager of `kubectl apply --server-side`.
pub const KUBECTL: &str = "kubectl";

/// All that was applied, in order.
#[derive(Clone, Default)]
pub struct State(Vec<Applied>);

#[derive(Clone)]
struct Applied {
    uid: Str,
    manager: Str,
    /// The entry of the log that the write made, or the next one if it changed nothing.
    at: Seq,
    fields: Vec<String>,
    /// Fields that were taken from others by force.
    forced: bool,
    /// What kubectl had applied by its own means became the manager's too.
    migrated: bool,
}

impl State {
    /// Forgets an object that is gone.
    pub(crate) fn forget(&mut self, uid: &str) {
        self.0.retain(|a| a.uid.as_str() != uid);
    }
}

/// What decides who may change a field.
#[derive(Clone, PartialEq, Eq)]
struct Owner {
    manager: String,
    applied: bool,
}

/// Calls `f` for each field that has an owner: leaves with their values, and items of lists
/// that are merged by key and maps on the way to them (`false`), which have no value of their
/// own.
fn walk(v: &Value, path: &str, field: &str, f: &mut impl FnMut(String, &Value, bool)) {
    // selectors are set as a whole
    let whole = field.ends_with("elector") && field != "labelSelector" || v.is_empty();
    match v {
        Value::Map(_) if !whole => {
            if !path.is_empty() {
                f(path.to_owned(), v, false);
            }
            for (k, inner) in v.pairs() {
                if !ignored(path, k) {
                    walk(inner, &format!("{path}.{k}"), k, f);
                }
            }
        }
        Value::List(items) if !items.is_empty() => {
            let keys: Option<Vec<String>> = items.iter().map(|i| item_key(field, i)).collect();
            match keys {
                Some(keys) => {
                    for (key, item) in keys.iter().zip(items.iter()) {
                        walk(item, &format!("{path}{key}"), "", f);
                    }
                }
                None => f(path.to_owned(), v, true),
            }
        }
        _ => f(path.to_owned(), v, true),
    }
}

/// `[name="nginx"]`, `[containerPort=80,protocol="TCP"]`.
fn item_key(field: &str, item: &Value) -> Option<String> {
    let key = patch::any_key(field, item)?;
    let value = &item[key];
    if field == "ports" {
        let protocol = item["protocol"].as_str().unwrap_or("TCP");
        return Some(format!("[{key}={value},protocol={protocol:?}]"));
    }
    Some(format!("[{key}={value}]"))
}

fn ignored(path: &str, key: &str) -> bool {
    match path {
        "" => matches!(key, "apiVersion" | "kind" | "status"),
        ".metadata" => !matches!(key, "labels" | "annotations" | "finalizers" | "ownerReferences"),
        ".metadata.annotations" => key == crate::kubectl::LAST_APPLIED,
        _ => false,
    }
}

fn fields(v: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(v, "", "", &mut |path, _, _| found.push(path));
    found
}

fn leaves(v: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    walk(v, "", "", &mut |path, v, leaf| {
        if leaf {
            found.push((path, v.clone()));
        }
    });
    found
}

fn value_at(all: &[(String, Value)], path: &str) -> Option<Value> {
    all.iter().find(|(p, _)| p == path).map(|(_, v)| v.clone())
}

/// Takes out the fields in `gone`; tells whether nothing is left.
fn strip(v: &mut Value, path: &str, field: &str, gone: &dyn Fn(&str) -> bool) -> bool {
    match v {
        Value::Map(_) => {
            let before = v.len();
            v.map_mut().retain(|k, inner| {
                let path = format!("{path}.{k}");
                !gone(&path) && !strip(inner, &path, k, gone)
            });
            before > 0 && v.is_empty()
        }
        Value::List(items) if items.iter().all(|i| item_key(field, i).is_some()) => {
            let before = v.len();
            v.list_mut().retain_mut(|item| {
                let key = item_key(field, item).unwrap_or_default();
                let path = format!("{path}{key}");
                !gone(&path) && !strip(item, &path, "", gone)
            });
            before > 0 && v.is_empty()
        }
        _ => false,
    }
}

/// Who made a change: `kubectl-scale` for `kubectl scale`, a component for its own.
fn manager(w: &World, seq: Seq, record: &Record) -> String {
    if record.by != Comp::User {
        return format!("{:?}", record.by).to_lowercase();
    }
    let act = w.log.chain(seq).into_iter().find_map(|s| match &w.log.get(s)?.what {
        What::Act(text) => Some(text.clone()),
        _ => None,
    });
    let act = act.unwrap_or_default();
    if let Some((_, rest)) = act.split_once("--field-manager")
        && let Some(name) = rest.split([' ', '=']).find(|w| !w.is_empty())
    {
        return name.to_owned();
    }
    let verb = act
        .split_once("kubectl ")
        .and_then(|(_, rest)| rest.split_whitespace().find(|w| !w.starts_with('-')))
        .unwrap_or("edit");
    match verb {
        "apply" => CLIENT_SIDE.to_owned(),
        verb => format!("kubectl-{verb}"),
    }
}

/// Owners of each field.
#[derive(Default)]
struct Owners(Vec<(String, Vec<Owner>)>);

impl Owners {
    fn add(&mut self, path: &str, owner: Owner, alone: bool) {
        match self.0.iter_mut().find(|(p, _)| p == path) {
            Some((_, list)) if alone => *list = vec![owner],
            Some((_, list)) if list.contains(&owner) => {}
            Some((_, list)) => list.push(owner),
            None => self.0.push((path.to_owned(), vec![owner])),
        }
    }

    fn applied(&mut self, a: &Applied) {
        let owner = Owner { manager: a.manager.to_string(), applied: true };
        for (_, list) in &mut self.0 {
            list.retain(|o| *o != owner && !(a.migrated && o.manager == CLIENT_SIDE));
        }
        a.fields.iter().for_each(|p| self.add(p, owner.clone(), a.forced));
    }
}

impl World {
    /// Owners of each field of an object.
    fn owners(&self, obj: &Obj) -> Vec<(String, Vec<Owner>)> {
        let uid = obj.uid();
        let mut owners = Owners::default();
        let mut applied = self.managed.0.iter().filter(|a| a.uid == uid).peekable();
        for (at, record) in self.log.iter() {
            let What::Change { old, new, .. } = &record.what else { continue };
            if new.uid() != uid {
                continue;
            }
            let mut own: Option<&Applied> = None;
            while let Some(a) = applied.next_if(|a| a.at <= at) {
                owners.applied(a);
                own = Some(a).filter(|a| a.at == at);
            }
            if own.is_some() {
                continue;
            }
            let before = old.as_ref().map(|o| leaves(&o.value)).unwrap_or_default();
            for (path, v) in leaves(&new.value) {
                if value_at(&before, &path).as_ref() != Some(&v) {
                    let owner = Owner { manager: manager(self, at, record), applied: false };
                    owners.add(&path, owner, true);
                }
            }
        }
        applied.for_each(|a| owners.applied(a));
        owners.0
    }

    /// `PATCH` with `application/apply-patch`: creates the object or brings the manifest's fields
    /// into it.
    ///
    /// # Errors
    /// 409 when other managers own fields that would change, and what create and update refuse.
    pub fn apply(
        &mut self,
        kind: Kind,
        doc: Value,
        name: &str,
        force: bool,
        opts: WriteOptions,
    ) -> Result<Obj, Status> {
        let meta = &doc["metadata"];
        let faults = schema::check(kind, &doc);
        if let Some(fault) = faults.iter().find(|f| f.what == schema::What::Unknown) {
            let (ns, name, info) = (meta["namespace"].str(), meta["name"].str(), kind.info());
            return Err(Status::new(
                Reason::Unknown,
                format!(
                    "failed to create typed patch object ({ns}/{name}; {}, Kind={}): .{}: field not declared in schema",
                    info.api_version, info.kind, fault.path
                ),
            ));
        }
        let found = self.store.get(kind, meta["namespace"].str(), meta["name"].str()).cloned();
        let wanted = fields(&doc);
        let at = self.log.len();
        let Some(live) = found else {
            let obj = self.create(kind, doc, opts)?;
            self.remember(&obj, name, at, wanted, [force, false], opts);
            return Ok(obj);
        };
        let owners = self.owners(&live);
        let last = crate::kubectl::last_applied(&live).filter(|_| name == KUBECTL);
        let now = leaves(&live.value);
        let applied_before = last.as_ref().map(leaves).unwrap_or_default();
        if !force {
            let mut conflicts: Vec<(String, String)> = Vec::new();
            for (path, v) in leaves(&doc) {
                let current = value_at(&now, &path);
                // what kubectl applied by its own means is its own
                let taken_over =
                    value_at(&applied_before, &path).is_some_and(|v| Some(v) == current);
                if current.as_ref() == Some(&v) || taken_over {
                    continue;
                }
                let others = owners.iter().find(|(p, _)| *p == path).map(|(_, o)| o.as_slice());
                for o in others.unwrap_or_default() {
                    if o.applied && o.manager == name {
                        continue;
                    }
                    let using = if o.applied {
                        String::new()
                    } else {
                        format!(" using {}", kind.info().api_version)
                    };
                    conflicts.push((format!("{:?}{using}", o.manager), path.clone()));
                }
            }
            if !conflicts.is_empty() {
                return Err(Status::new(Reason::Conflict, conflict_text(conflicts)));
            }
        }
        let mut previous: Vec<String> = self
            .managed
            .0
            .iter()
            .rev()
            .find(|a| a.uid == live.uid() && a.manager.as_str() == name)
            .map(|a| a.fields.clone())
            .unwrap_or_default();
        if previous.is_empty()
            && let Some(last) = &last
        {
            previous = fields(last);
        }
        let mine = |o: &Owner| o.manager == name || last.is_some() && o.manager == CLIENT_SIDE;
        let mut target = live.value.clone();
        strip(&mut target, "", "", &|path| {
            previous.iter().any(|p| p == path)
                && !wanted.iter().any(|p| p == path)
                && !owners
                    .iter()
                    .any(|(p, list)| p.starts_with(path) && list.iter().any(|o| !mine(o)))
        });
        let mut target = patch::strategic(kind, &target, &doc)?;
        target.entry("metadata").remove("resourceVersion");
        let new = self.update(kind, target, Sub::Main, opts)?;
        self.remember(&new, name, at, wanted, [force, last.is_some()], opts);
        Ok(new)
    }

    fn remember(
        &mut self,
        obj: &Obj,
        name: &str,
        at: Seq,
        fields: Vec<String>,
        [forced, migrated]: [bool; 2],
        opts: WriteOptions,
    ) {
        if !opts.dry_run {
            let (uid, manager) = (obj.uid(), crate::value::text(name));
            self.managed.0.push(Applied { uid, manager, at, fields, forced, migrated });
        }
    }
}

fn conflict_text(mut conflicts: Vec<(String, String)>) -> String {
    if let [(who, path)] = conflicts.as_slice() {
        return format!("Apply failed with 1 conflict: conflict with {who}: {path}");
    }
    let count = conflicts.len();
    conflicts.sort_by(|a, b| a.0.cmp(&b.0));
    let mut lines = Vec::new();
    for group in conflicts.chunk_by(|a, b| a.0 == b.0) {
        lines.extend(group.first().map(|(who, _)| format!("conflicts with {who}:")));
        lines.extend(group.iter().map(|(_, path)| format!("- {path}")));
    }
    format!("Apply failed with {count} conflicts: {}", lines.join("\n"))
}
