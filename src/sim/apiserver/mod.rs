//! The API server: the only one that changes objects.
//!
//! Requests arrive as calls; each accepted change gets the next resource version, goes into
//! the log with its cause, and is handed to the watchers.
//!
//! # Divergence from real Kubernetes
//! Requests take no time of their own here, and controllers read the store itself instead
//! of a cache that lags behind it.

pub mod admission;
pub mod error;
pub mod events;
pub mod eviction;
pub mod limits;
pub mod managed;
pub mod patch;
pub mod quota;
pub mod service_account;
pub mod store;
pub mod three_way;

use crate::api::time::rfc3339;
use crate::api::{Key, Kind, Obj, Object, event};
use crate::log::{ChangeType, What};
use crate::rng::Stream;
use crate::schema::{self, Fault};
use crate::value::{Str, Value, decimal};
use crate::world::World;
use error::{Reason, Status};
use std::rc::Rc;

/// What becomes of an object's dependents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Propagation {
    /// The object goes at once, the garbage collector follows.
    #[default]
    Background,
    /// The object waits for its dependents.
    Foreground,
    /// Dependents lose their owner and stay.
    Orphan,
}

/// Options of a delete request.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Grace period in seconds; the object's own if none.
    pub grace: Option<i64>,
    /// What becomes of dependents.
    pub propagation: Propagation,
    /// Delete only the object with this uid.
    pub uid: Option<Str>,
    /// Check everything, change nothing.
    pub dry_run: bool,
}

/// Options of create and update requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteOptions {
    /// Check everything, change nothing.
    pub dry_run: bool,
    /// Skip the field validation: the writer is a controller whose template was validated.
    pub trusted: bool,
    /// What becomes of fields that the kind does not have.
    pub fields: FieldValidation,
}

impl WriteOptions {
    /// A controller's write.
    pub const TRUSTED: Self =
        Self { dry_run: false, trusted: true, fields: FieldValidation::Strict };
}

/// `fieldValidation` of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FieldValidation {
    /// They are an error.
    #[default]
    Strict,
    /// They are dropped with a warning.
    Warn,
    /// They are dropped.
    Ignore,
}

/// Decodes an object as the server does: wrong types are refused, unknown fields refused or
/// dropped. Gives what it warns of.
///
/// # Errors
/// 400 with the decoder's words.
fn decode(kind: Kind, value: &mut Value, how: FieldValidation) -> Result<Vec<String>, Status> {
    let faults = schema::check(kind, value);
    if (how == FieldValidation::Strict || schema::wrong(&faults).is_some())
        && let Some(message) = schema::strict_error(kind, &faults)
    {
        return Err(Status::new(Reason::BadRequest, message));
    }
    Ok(dropped(kind, value, faults, how))
}

/// Takes out what the kind does not have; gives what is warned of.
fn dropped(kind: Kind, value: &mut Value, faults: Vec<Fault>, how: FieldValidation) -> Vec<String> {
    if !faults.is_empty() {
        schema::drop_unknown(kind, value);
    }
    match how {
        FieldValidation::Warn => faults.into_iter().map(|f| f.message).collect(),
        FieldValidation::Strict | FieldValidation::Ignore => Vec::new(),
    }
}

/// Kinds of patches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, which merges lists by the keys of their items.
    Strategic,
}

/// Which part of an object an update may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sub {
    /// The object itself; its status is kept.
    Main,
    /// `/status`: only the status is taken.
    Status,
}

impl World {
    /// Creates an object, as `POST` does: defaults, admission, validation, store.
    ///
    /// # Errors
    /// What the API server would answer: 404 (namespace), 409 (exists), 422 (invalid), 403.
    pub fn create(&mut self, kind: Kind, value: Value, opts: WriteOptions) -> Result<Obj, Status> {
        let info = kind.info();
        let mut value = value;
        value.set("apiVersion", info.api_version);
        value.set("kind", info.kind);
        let meta = value.entry("metadata");
        if info.namespaced && meta["namespace"].is_empty() {
            meta.set("namespace", "default");
        }
        if !info.namespaced {
            meta.remove("namespace");
        }
        let ns = meta["namespace"].to_str();
        if meta["name"].is_empty() && !meta["generateName"].is_empty() {
            let n = self.next_serial(kind);
            let suffix = Stream::new(
                self.config.seed,
                &["name", meta["generateName"].str(), &n.to_string()],
            )
            .suffix(5);
            let name = format!("{}{suffix}", meta["generateName"].str());
            meta.set("name", name);
        }
        let name = meta["name"].to_str();
        for server_owned in [
            "resourceVersion",
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "managedFields",
            "selfLink",
            "deletionGracePeriodSeconds",
            "generation",
        ] {
            meta.remove(server_owned);
        }
        let mut warnings = Vec::new();
        if !opts.trusted {
            warnings = decode(kind, &mut value, opts.fields)?;
            schema::prune(kind, &mut value);
            crate::manifest::defaults::apply(kind, &mut value);
        }
        admission::prepare_create(self, kind, &mut value);
        if info.namespaced {
            match self.store.get(Kind::Namespace, "", &ns) {
                None => return Err(Status::not_found(Kind::Namespace, &ns)),
                Some(n) if n.terminating() => {
                    let why = format!(
                        "unable to create new content in namespace {ns} because it is being terminated"
                    );
                    return Err(Status::forbidden(kind, &name, &why));
                }
                Some(_) => {}
            }
        }
        admission::admit_create(self, kind, &mut value)?;
        if kind == Kind::Service {
            crate::net::complete(self, &mut value, None)?;
        }
        if !opts.trusted {
            let causes = crate::manifest::validation::create(kind, &value);
            if !causes.is_empty() {
                return Err(Status::invalid(kind, &name, causes));
            }
            warnings.extend(crate::manifest::validation::warnings(kind, &value, None));
            self.warnings.append(&mut warnings);
        }
        limits::check(self, kind, &value)?;
        let charged = quota::admit(self, kind, &value, None)?;
        let key = Key::new(kind, ns, name);
        if self.store.by_key(&key).is_some() {
            return Err(Status::already_exists(kind, &key.name));
        }
        let serial = self.next_serial(kind);
        let uid = event::uid(self.config.seed, kind, &key.ns, &key.name, serial);
        let meta = value.entry("metadata");
        meta.set("uid", uid);
        meta.set("creationTimestamp", self.stamp(self.now));
        if admission::has_generation(kind) {
            meta.set("generation", 1);
        }
        if opts.dry_run {
            return Ok(Rc::new(Object::new(kind, value)));
        }
        quota::charge(self, charged);
        Ok(self.commit(ChangeType::Added, None, kind, value))
    }

    /// Replaces an object (`PUT`) or its status. A `resourceVersion` in the value must be the
    /// current one. A write that changes nothing makes no new version.
    ///
    /// # Errors
    /// What the API server would answer: 404, 409 (changed meanwhile), 422.
    pub fn update(
        &mut self,
        kind: Kind,
        value: Value,
        sub: Sub,
        opts: WriteOptions,
    ) -> Result<Obj, Status> {
        let ns = value["metadata"]["namespace"].to_str();
        let name = value["metadata"]["name"].to_str();
        let key = Key::new(kind, ns, name);
        let Some(old) = self.store.by_key(&key).cloned() else {
            return Err(Status::not_found(kind, &key.name));
        };
        let rv = value["metadata"]["resourceVersion"].str();
        if !rv.is_empty() && rv != old.resource_version() {
            return Err(Status::conflict(kind, &key.name));
        }
        let uid = value["metadata"]["uid"].str();
        if !uid.is_empty() && uid != old.meta()["uid"].str() {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                old.uid()
            );
            let mut status = Status::conflict(kind, &key.name);
            status.message = format!(
                "Operation cannot be fulfilled on {} \"{}\": {why}",
                kind.resource(),
                key.name
            )
            .into();
            return Err(status);
        }
        let mut value = value;
        value.set("apiVersion", kind.info().api_version);
        value.set("kind", kind.info().kind);
        if !opts.trusted {
            let mut warnings = decode(kind, &mut value, opts.fields)?;
            self.warnings.append(&mut warnings);
            schema::prune(kind, &mut value);
            crate::manifest::defaults::apply(kind, &mut value);
        }
        if kind == Kind::Service && sub == Sub::Main {
            crate::net::complete(self, &mut value, Some(&old.value))?;
        }
        admission::prepare_update(kind, &mut value, &old.value, sub);
        if kind == Kind::Pod && sub == Sub::Main && !opts.trusted {
            admission::default_tolerations(self, &mut value);
        }
        if !opts.trusted {
            let causes = crate::manifest::validation::update(kind, &value, &old.value);
            if !causes.is_empty() {
                return Err(Status::invalid(kind, &key.name, causes));
            }
            if sub == Sub::Main {
                let old = Some(&*old.value);
                let mut more = crate::manifest::validation::warnings(kind, &value, old);
                self.warnings.append(&mut more);
            }
        }
        admission::admit_update(self, kind, &value, &old.value, sub)?;
        if value == *old.value {
            return Ok(old);
        }
        let mut charged = Vec::new();
        if sub == Sub::Main {
            if kind == Kind::PersistentVolumeClaim && value["spec"] != old.value["spec"] {
                limits::check(self, kind, &value)?;
            }
            charged = quota::admit(self, kind, &value, Some(&old.value))?;
        }
        if opts.dry_run {
            return Ok(Rc::new(Object::new(kind, value)));
        }
        quota::charge(self, charged);
        let gone = {
            let meta = &value["metadata"];
            !meta["deletionTimestamp"].is_null()
                && meta["finalizers"].is_empty()
                && (kind != Kind::Namespace || value["spec"]["finalizers"].is_empty())
                && meta["deletionGracePeriodSeconds"].int_or(0) == 0
        };
        if gone && (kind != Kind::Pod || old.meta()["deletionGracePeriodSeconds"].int_or(0) == 0) {
            // the write itself is not kept: the last version is the one before
            return Ok(self.remove(&key));
        }
        Ok(self.commit(ChangeType::Modified, Some(old), kind, value))
    }

    /// Patches an object or its status, as `PATCH` does; gives the new version.
    ///
    /// # Errors
    /// What the API server would answer: 400 or 422 about the patch itself, what
    /// [`World::update`] answers about its result.
    pub fn patch(
        &mut self,
        old: &Obj,
        change: &Value,
        how: PatchType,
        sub: Sub,
        opts: WriteOptions,
    ) -> Result<Obj, Status> {
        let kind = old.kind;
        let array = matches!(change, Value::List(_));
        let bad = |message: String| Err(Status::new(Reason::BadRequest, message));
        let found = match change {
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::List(_) => "array",
            _ => "object",
        };
        let target = match how {
            PatchType::Json if !array => {
                return bad(format!(
                    "error decoding patch: json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp"
                ));
            }
            PatchType::Json => patch::json(&old.value, change)?,
            _ if change.as_map().is_none() && !change.is_null() => {
                let prefix = if how == PatchType::Merge { "error decoding patch: " } else { "" };
                return bad(format!(
                    "{prefix}json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
                ));
            }
            _ if change.is_null() => old.value.clone(),
            PatchType::Merge => patch::merge(&old.value, change),
            PatchType::Strategic => patch::strategic(kind, &old.value, change)?,
        };
        let mut target = target;
        let faults = schema::check(kind, &target);
        let strategic = how == PatchType::Strategic;
        let refused = match schema::wrong(&faults) {
            Some(f) if strategic => Some(f.patched.clone()),
            Some(f) => Some(f.message.clone()),
            None if opts.fields == FieldValidation::Strict => schema::unknown_error(&faults),
            None => None,
        };
        if let Some(why) = refused {
            let shown = if strategic {
                crate::manifest::print::go_text(change)
            } else {
                target.to_string()
            };
            return Err(Status::bad_patch(&shown, &why));
        }
        let mut warnings = dropped(kind, &mut target, faults, opts.fields);
        self.warnings.append(&mut warnings);
        let (name, own) = (target["metadata"]["name"].to_str(), old.name());
        if name != own {
            return bad(format!(
                "the name of the object ({name}) does not match the name on the URL ({own})"
            ));
        }
        if target["metadata"]["namespace"].to_str() != old.ns() {
            return bad("the namespace of the provided object does not match the namespace sent on the request".to_owned());
        }
        let uid = &target["metadata"]["uid"];
        if !uid.is_empty() && *uid != old.meta()["uid"] {
            let message = format!("Invalid value: {uid}: field is immutable").into();
            let cause = error::Cause { field: "metadata.uid".into(), message };
            return Err(Status::invalid(kind, &own, vec![cause]));
        }
        // a patch is not bound to a version, unless it names one itself
        let meta = target.entry("metadata");
        if meta["resourceVersion"] == old.meta()["resourceVersion"] {
            meta.remove("resourceVersion");
        }
        self.update(kind, target, sub, WriteOptions { fields: FieldValidation::Ignore, ..opts })
    }

    /// Reads the current version, lets `change` edit it, writes it back: what a controller's
    /// patch does. Gives `None` if the object is gone.
    pub fn modify(&mut self, key: &Key, sub: Sub, change: impl FnOnce(&mut Value)) -> Option<Obj> {
        let mut value = self.store.by_key(key)?.value.clone();
        change(&mut value);
        self.update(key.kind, value, sub, WriteOptions::TRUSTED).ok()
    }

    /// Binds a pod: the `binding` subresource may set the node and a condition in one write.
    pub fn bind_pod(&mut self, key: &Key, change: impl FnOnce(&mut Value)) -> Option<Obj> {
        let old = self.store.by_key(key)?.clone();
        let mut value = old.value.clone();
        change(&mut value);
        Some(self.commit(ChangeType::Modified, Some(old), key.kind, value))
    }

    /// Deletes an object: grace for pods, finalizers for all, then removal.
    ///
    /// # Errors
    /// 404, or 409 if the uid is another one.
    pub fn delete(&mut self, key: &Key, opts: &DeleteOptions) -> Result<Obj, Status> {
        let Some(old) = self.store.by_key(key).cloned() else {
            return Err(Status::not_found(key.kind, &key.name));
        };
        if let Some(uid) = opts.uid.as_ref().filter(|u| **u != old.uid()) {
            let mut status = Status::conflict(key.kind, &key.name);
            status.message = format!(
                "Operation cannot be fulfilled on {} \"{}\": the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
                key.kind.resource(), key.name, old.uid()
            ).into();
            return Err(status);
        }
        admission::admit_delete(key)?;
        if opts.dry_run {
            return Ok(old);
        }
        let grace = grace_seconds(&old, opts);
        let mut value = old.value.clone();
        let meta = value.entry("metadata");
        let mut finalizers: Vec<Value> = meta["finalizers"]
            .items()
            .iter()
            .filter(|f| !matches!(f.str(), "orphan" | "foregroundDeletion"))
            .cloned()
            .collect();
        match opts.propagation {
            Propagation::Background => {}
            Propagation::Foreground => finalizers.push("foregroundDeletion".into()),
            Propagation::Orphan => finalizers.push("orphan".into()),
        }
        // a namespace goes when its controller has emptied it
        let emptied = key.kind != Kind::Namespace || old.spec()["finalizers"].is_empty();
        if finalizers.is_empty() && grace == 0 && emptied {
            let pending = old.meta()["deletionGracePeriodSeconds"].as_int();
            if key.kind == Kind::Pod && pending != Some(0) {
                // a pod is first written with no grace left, then removed: watchers see both
                if pending.is_none() {
                    let generation = meta["generation"].int_or(0) + 1;
                    meta.set("generation", generation);
                }
                meta.set("deletionTimestamp", rfc3339(self.now));
                meta.set("deletionGracePeriodSeconds", 0);
                self.commit(ChangeType::Modified, Some(old), key.kind, value);
            }
            return Ok(self.remove(key));
        }
        if finalizers.is_empty() {
            meta.remove("finalizers");
        } else {
            meta.set("finalizers", finalizers);
        }
        let before = old.meta()["deletionGracePeriodSeconds"].as_int();
        // a second delete can only shorten the grace period
        if before.is_none_or(|b| grace < b) {
            if before.is_none() && admission::has_generation(key.kind) {
                let generation = meta["generation"].int_or(0) + 1;
                meta.set("generation", generation);
            }
            let after = self.now + crate::api::time::seconds(grace);
            let due = match crate::api::time::parse(old.meta()["deletionTimestamp"].str()) {
                Some(due) => due.min(after),
                None => after,
            };
            meta.set("deletionTimestamp", rfc3339(due));
            // a namespace is not deleted by the general rules
            if key.kind != Kind::Namespace {
                meta.set("deletionGracePeriodSeconds", grace);
            }
        }
        if key.kind == Kind::Namespace {
            value.entry("status").set("phase", "Terminating");
        }
        if value == *old.value {
            return Ok(old);
        }
        Ok(self.commit(ChangeType::Modified, Some(old), key.kind, value))
    }

    fn remove(&mut self, key: &Key) -> Obj {
        let old = self.store.take(key);
        let last = old.as_ref().map(|o| o.value.clone()).unwrap_or_default();
        self.managed.forget(last["metadata"]["uid"].str());
        self.commit(ChangeType::Deleted, old, key.kind, last)
    }

    fn commit(
        &mut self,
        change: ChangeType,
        old: Option<Obj>,
        kind: Kind,
        mut value: Value,
    ) -> Obj {
        if kind == Kind::Service {
            let now = (change != ChangeType::Deleted).then_some(&value);
            crate::net::reserve(self, now, old.as_ref().map(|o| &*o.value));
        }
        self.store.revision += 1;
        value.entry("metadata").set("resourceVersion", decimal(self.store.revision).share());
        self.keep(change, old, Object::new(kind, value))
    }

    /// Stores a version, writes it down and tells those who watch.
    fn keep(&mut self, change: ChangeType, old: Option<Obj>, new: Object) -> Obj {
        let new: Obj = Rc::new(new);
        if change != ChangeType::Deleted {
            self.store.put(&new);
        }
        let seq = self.record(What::Change { change, old: old.clone(), new: new.clone() });
        self.notify(seq, change, old.as_ref(), &new);
        new
    }

    pub(crate) fn next_serial(&mut self, kind: Kind) -> u64 {
        let serial = &mut self.serials[kind as usize];
        *serial += 1;
        *serial
    }
}

fn grace_seconds(old: &Obj, opts: &DeleteOptions) -> i64 {
    if old.kind != Kind::Pod {
        return 0;
    }
    let facts = old.pod();
    let done = matches!(facts.phase, crate::api::Phase::Succeeded | crate::api::Phase::Failed);
    if facts.node.is_empty() || done {
        return 0;
    }
    let own = old.spec()["terminationGracePeriodSeconds"].int_or(30);
    opts.grace.unwrap_or(own).max(0)
}

/// Reason of an error, for callers that only branch on it.
pub fn is_not_found(e: &Status) -> bool {
    e.reason == Reason::NotFound
}
