//! Objects as the API server stores them, and the facts that controllers ask of them most.

use std::cell::OnceCell;
use std::ops::Deref;
use std::rc::Rc;

use crate::api::Kind;
use crate::api::event::Draft;
use crate::value::{Str, Value};

/// Kind, namespace (empty for cluster-scoped kinds) and name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Key {
    /// Kind of the object.
    pub kind: Kind,
    /// Namespace; empty for cluster-scoped kinds.
    pub ns: Str,
    /// Name.
    pub name: Str,
}

impl Key {
    /// A key from its parts.
    pub fn new(kind: Kind, ns: impl Into<Str>, name: impl Into<Str>) -> Self {
        Self { kind, ns: ns.into(), name: name.into() }
    }
}

/// One stored version of an object; versions never change.
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// The whole object, `apiVersion` and `kind` included.
    pub value: Content,
    name: Str,
    ns: Str,
    uid: Str,
    // boxed: most objects are events, of which nobody asks anything
    pod: OnceCell<Box<PodFacts>>,
    allocatable: OnceCell<Box<Allocatable>>,
    controller: OnceCell<Value>,
}

/// What an object holds. It reads as a [`Value`]; that of an event is made when it is read
/// first.
pub struct Content {
    value: OnceCell<Value>,
    draft: Option<Box<Draft>>,
}

impl Content {
    /// What the object is made of, if it is an event that was recorded here.
    pub(crate) fn draft(&self) -> Option<&Draft> {
        self.draft.as_deref()
    }
}

impl Deref for Content {
    type Target = Value;

    #[inline(always)]
    fn deref(&self) -> &Value {
        match self.value.get() {
            Some(value) => value,
            None => self.value.get_or_init(|| self.draft().map(Draft::object).unwrap_or_default()),
        }
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}/{}", self.kind, self.ns(), self.name())
    }
}

/// A shared, immutable version of an object.
pub type Obj = Rc<Object>;

impl Object {
    /// Wraps a value.
    pub fn new(kind: Kind, value: Value) -> Self {
        let meta = &value["metadata"];
        let (name, ns) = (meta["name"].to_str(), meta["namespace"].to_str());
        let uid = meta["uid"].to_str();
        Self::of(kind, Content { value: OnceCell::from(value), draft: None }, name, ns, uid)
    }

    /// An event, to be made when it is read.
    pub(crate) fn event(draft: Draft) -> Self {
        let (name, ns) = (draft.name.clone(), draft.ns.clone());
        let value = Content { value: OnceCell::new(), draft: Some(Box::new(draft)) };
        Self::of(Kind::Event, value, name, ns, Str::default())
    }

    fn of(kind: Kind, value: Content, name: Str, ns: Str, uid: Str) -> Self {
        let (pod, allocatable, controller) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { kind, value, name, ns, uid, pod, allocatable, controller }
    }

    /// `metadata`.
    pub fn meta(&self) -> &Value {
        &self.value["metadata"]
    }

    /// `spec`.
    pub fn spec(&self) -> &Value {
        &self.value["spec"]
    }

    /// `status`.
    pub fn status(&self) -> &Value {
        &self.value["status"]
    }

    /// `metadata.name`.
    pub fn name(&self) -> Str {
        self.name.clone()
    }

    /// `metadata.name`, borrowed.
    pub fn name_ref(&self) -> &Str {
        &self.name
    }

    /// `metadata.namespace`, empty for cluster-scoped objects.
    pub fn ns(&self) -> Str {
        self.ns.clone()
    }

    /// `metadata.namespace`, borrowed.
    pub fn ns_ref(&self) -> &Str {
        &self.ns
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> Str {
        self.uid_ref().clone()
    }

    /// `metadata.uid`, borrowed.
    pub fn uid_ref(&self) -> &Str {
        if !self.uid.is_empty() {
            return &self.uid;
        }
        match &self.meta()["uid"] {
            // an event's is made with the event
            Value::Str(uid) => uid,
            _ => &self.uid,
        }
    }

    /// Key of the object in the store.
    pub fn key(&self) -> Key {
        Key::new(self.kind, self.ns(), self.name())
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.meta()["resourceVersion"].str()
    }

    /// The value of a label, if set.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.meta()["labels"][key].as_str()
    }

    /// The value of an annotation, if set.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.meta()["annotations"][key].as_str()
    }

    /// Is a deletion under way?
    pub fn terminating(&self) -> bool {
        !self.meta()["deletionTimestamp"].is_null()
    }

    /// The owner reference with `controller: true`, if any; found once for each version, since
    /// every controller asks.
    pub fn controller_ref(&self) -> Option<&Value> {
        let find = || {
            let owners = self.meta()["ownerReferences"].items();
            owners.iter().find(|r| r["controller"].is_true()).cloned().unwrap_or_default()
        };
        Some(self.controller.get_or_init(find)).filter(|r| !r.is_null())
    }

    /// Uid of the controlling owner; empty if there is none.
    pub fn controller_uid(&self) -> &str {
        self.controller_ref().map_or("", |r| r["uid"].str())
    }

    /// Does that label selector match the pod? The answer for the first one that asks is kept:
    /// a controller asks with the same selector on every pass.
    pub fn selected_by(&self, selector: &Value) -> bool {
        let matches = || super::selector::matches(selector, &self.meta()["labels"]);
        let (first, answer) = self.pod().selected.get_or_init(|| (selector.clone(), matches()));
        if first == selector { *answer } else { matches() }
    }

    /// What a node has for pods, computed once for each version.
    #[inline(always)]
    pub fn allocatable(&self) -> &Allocatable {
        match self.allocatable.get() {
            Some(facts) => facts,
            None => self.allocatable.get_or_init(|| Box::new(Allocatable::of(self))),
        }
    }

    /// A pod's name without its ordinal, and the ordinal, if the name ends in `-<digits>`.
    pub fn numbered(&self) -> Option<(&str, i64)> {
        self.pod().ordinal.map(|(len, n)| (&self.name[..len], n))
    }

    /// What controllers ask of a pod, computed once for each version.
    #[inline(always)]
    pub fn pod(&self) -> &PodFacts {
        match self.pod.get() {
            Some(facts) => facts,
            None => self.pod.get_or_init(|| Box::new(PodFacts::of(&self.value))),
        }
    }
}

/// What a node has for pods, in thousandths.
#[derive(Clone, Copy, Debug)]
pub struct Allocatable {
    /// CPU.
    pub cpu: i64,
    /// Bytes of memory.
    pub memory: i64,
    /// Pods.
    pub pods: i64,
    /// Neither cordoned nor tainted.
    pub open: bool,
}

impl Allocatable {
    fn of(node: &Object) -> Self {
        let allocatable = &node.status()["allocatable"];
        let milli = |name: &str| {
            let text = allocatable.get(name).as_str();
            let n = text.and_then(super::quantity::milli).unwrap_or(0);
            i64::try_from(n).unwrap_or(i64::MAX)
        };
        let spec = node.spec();
        Self {
            cpu: milli("cpu"),
            memory: milli("memory"),
            pods: milli("pods"),
            open: !spec["unschedulable"].is_true() && spec["taints"].is_empty(),
        }
    }
}

/// `status.phase` of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Phase {
    /// Accepted; not all containers have started.
    Pending,
    /// Bound, at least one container has started.
    Running,
    /// All containers ended with success.
    Succeeded,
    /// All containers ended, one in failure.
    Failed,
    /// The node does not answer.
    Unknown,
}

/// Facts of a pod that controllers ask for on every pass.
#[derive(Clone, Debug)]
pub struct PodFacts {
    /// `status.phase`.
    pub phase: Phase,
    /// Condition Ready is True.
    pub ready: bool,
    ready_at: Str,
    /// `metadata.deletionTimestamp` is set.
    pub terminating: bool,
    /// Length of the name before the dash, and the ordinal, if the name ends in `-<digits>`.
    pub ordinal: Option<(usize, i64)>,
    /// That name is the controlling owner's.
    pub named_after_owner: bool,
    /// Label `statefulset.kubernetes.io/pod-name` is the pod's own name.
    pub named: bool,
    /// Label `controller-revision-hash`.
    pub revision: Str,
    /// Uid of the controlling owner.
    pub owner: Str,
    /// `spec.nodeName`.
    pub node: Str,
    /// `status.podIP`.
    pub ip: Str,
    /// The first label selector that asked, and the answer.
    selected: OnceCell<(Value, bool)>,
}

impl PodFacts {
    /// When condition Ready became what it is, in microseconds of simulated time (whole seconds).
    pub fn ready_since(&self) -> u64 {
        super::time::parse(&self.ready_at).unwrap_or(0)
    }

    fn of(pod: &Value) -> Self {
        let meta = &pod["metadata"];
        let status = &pod["status"];
        let ready = condition(pod, "Ready");
        let name = meta["name"].str();
        let ordinal = name.rsplit_once('-').and_then(|(set, n)| {
            let digits = !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
            // upstream parses into an int32: larger numbers are no ordinals
            let n = if digits { n.parse::<i32>().ok()? } else { return None };
            Some((set.len(), i64::from(n)))
        });
        let owner = meta["ownerReferences"].items().iter().find(|r| r["controller"].is_true());
        let owner_name = owner.map_or("", |r| r["name"].str());
        let named_after_owner = ordinal.is_some_and(|(len, _)| name[..len] == *owner_name);
        Self {
            phase: match status["phase"].str() {
                "Running" => Phase::Running,
                "Succeeded" => Phase::Succeeded,
                "Failed" => Phase::Failed,
                "Unknown" => Phase::Unknown,
                _ => Phase::Pending,
            },
            ready: ready["status"].str() == "True",
            ready_at: ready["lastTransitionTime"].to_str(),
            terminating: !meta["deletionTimestamp"].is_null(),
            ordinal,
            named_after_owner,
            named: meta["labels"]["statefulset.kubernetes.io/pod-name"].as_str() == Some(name),
            revision: meta["labels"]["controller-revision-hash"].to_str(),
            owner: owner.map_or_else(Str::default, |r| r["uid"].to_str()),
            node: pod["spec"]["nodeName"].to_str(),
            ip: status["podIP"].to_str(),
            selected: OnceCell::new(),
        }
    }
}

/// The condition of that type in `status.conditions`; `Null` if there is none.
pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    static_null_or(object["status"]["conditions"].items().iter().find(|c| c["type"].str() == kind))
}

fn static_null_or(v: Option<&Value>) -> &Value {
    const NULL: &Value = &Value::Null;
    v.unwrap_or(NULL)
}
