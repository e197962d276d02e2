//! Field tables of the API (made by scripts/schema.py) and strict decoding against them, in
//! the API server's words (behaviour/validation.md 7).

pub mod go;
pub mod help;
mod prune;

use crate::collections::BTreeMap;
use std::sync::OnceLock;

use crate::api::{Kind, quantity};
use crate::value::Value;

pub use prune::prune;

/// Type of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Type {
    /// Text; with the texts that it may be, if they are limited.
    Text(Vec<&'static str>),
    /// Truth value.
    Bool,
    /// 32-bit whole number.
    Int32,
    /// 64-bit whole number.
    Int64,
    /// RFC 3339 time.
    Time,
    /// Quantity.
    Quantity,
    /// Whole number or text.
    IntOrText,
    /// Anything.
    Any,
    /// Base64.
    Bytes,
    /// List.
    List(Box<Type>),
    /// Map from text.
    Map(Box<Type>),
    /// Another table.
    Struct(&'static str),
}

/// A field of a type.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub field_type: Type,
    /// Must it be there?
    pub required: bool,
}

type Tables = BTreeMap<&'static str, Vec<Field>>;

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        include_str!("fields.txt")
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                let name = words.next()?;
                let fields = words
                    .filter_map(|w| {
                        let (name, code) = w.split_once(':')?;
                        let required = code.ends_with('!');
                        let field_type = type_of(code.trim_end_matches('!'));
                        Some(Field { name, field_type, required })
                    })
                    .collect();
                Some((name, fields))
            })
            .collect()
    })
}

fn type_of(code: &'static str) -> Type {
    let inner = |open, close| code.strip_prefix(open).and_then(|c| c.strip_suffix(close));
    if let Some(of) = inner('[', ']') {
        return Type::List(Box::new(type_of(of)));
    }
    if let Some(of) = inner('{', '}') {
        return Type::Map(Box::new(type_of(of)));
    }
    if let Some(texts) = code.strip_prefix("s(").and_then(|c| c.strip_suffix(')')) {
        return Type::Text(texts.split('|').collect());
    }
    match code {
        "s" => Type::Text(Vec::new()),
        "b" => Type::Bool,
        "i" => Type::Int32,
        "l" => Type::Int64,
        "t" => Type::Time,
        "q" => Type::Quantity,
        "o" => Type::IntOrText,
        "r" => Type::Any,
        "y" => Type::Bytes,
        name => Type::Struct(name),
    }
}

/// Fields of a type; none if there is no table for it.
pub fn fields(name: &str) -> Option<&'static [Field]> {
    tables().get(name).map(Vec::as_slice)
}

/// The field at a path below a kind (`spec.template.spec`), lists and maps stepped into.
pub fn field(kind: Kind, path: &[&str]) -> Option<&'static Field> {
    let mut table = fields(kind.info().kind)?;
    let mut found = None;
    for name in path {
        let f = table.iter().find(|f| f.name == *name)?;
        found = Some(f);
        table = match leaf(&f.field_type) {
            Type::Struct(name) => fields(name)?,
            _ => &[],
        };
    }
    found
}

/// The type inside lists and maps.
pub fn leaf(t: &Type) -> &Type {
    match t {
        Type::List(inner) | Type::Map(inner) => leaf(inner),
        other => other,
    }
}

impl Type {
    /// The type as `kubectl explain` prints it: `<[]Container>`, `<map[string]string>`.
    pub fn explained(&self) -> String {
        match self {
            Self::Text(_) | Self::Bytes | Self::Time => "string".into(),
            Self::Bool => "boolean".into(),
            Self::Int32 | Self::Int64 => "integer".into(),
            Self::Quantity => "Quantity".into(),
            Self::IntOrText => "IntOrString".into(),
            Self::Any => "Object".into(),
            Self::List(t) => format!("[]{}", t.explained()),
            Self::Map(t) => format!("map[string]{}", t.explained()),
            Self::Struct(name) => name.trim_start_matches("Discovery").to_owned(),
        }
    }

    /// The type of a field as Go's decoder names it; `field` is its path.
    fn go_in(&self, owner: &str, field: &str) -> String {
        let field = field.rsplit('.').next().unwrap_or(field);
        let name = match self {
            Self::Text(_) => go::named(owner, field),
            Self::List(t) if matches!(**t, Self::Text(_)) => go::named(owner, field),
            _ => None,
        };
        let Some(name) = name else { return self.go() };
        let list = if matches!(self, Self::List(_)) { "[]" } else { "" };
        let package = if name == "UID" { "types" } else { "v1" };
        format!("{list}{package}.{name}")
    }

    /// The type as Go's decoder names it, whatever field it is of.
    fn go(&self) -> String {
        match self {
            Self::Text(_) => "string".into(),
            Self::Bool => "bool".into(),
            Self::Int32 => "int32".into(),
            Self::Int64 => "int64".into(),
            Self::Time => "v1.Time".into(),
            Self::Quantity => "resource.Quantity".into(),
            Self::IntOrText => "intstr.IntOrString".into(),
            Self::Any => "runtime.RawExtension".into(),
            Self::Bytes => "[]uint8".into(),
            Self::List(t) => format!("[]{}", t.go()),
            // all maps of quantities are of one type
            Self::Map(t) if **t == Self::Quantity => "v1.ResourceList".into(),
            Self::Map(t) => format!("map[string]{}", t.go()),
            Self::Struct(name) => format!("v1.{}", name.trim_start_matches("Discovery")),
        }
    }
}

/// A field that cannot be decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Path with indexes, for finding its place: `spec.template.spec.containers[0].image`.
    pub path: String,
    /// `unknown field "spec.replica"` or the decoder's words.
    pub message: String,
    /// What is said of it where a patch brings it, by another decoder.
    pub patched: String,
    /// What it is.
    pub what: What,
}

/// Kinds of faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The kind has no such field: only strict decoding refuses it.
    Unknown,
    /// A value of a wrong type: the first is told, after the rest was read too.
    Wrong,
    /// A value that its type reads itself and refuses: nothing after it is read.
    Refused,
}

/// The fault that the decoder tells, if a value cannot be read.
pub fn wrong(faults: &[Fault]) -> Option<&Fault> {
    let first = |what| faults.iter().find(|f| f.what == what);
    first(What::Refused).or_else(|| first(What::Wrong))
}

/// What is wrong with an object's fields. Empty for kinds without tables.
pub fn check(kind: Kind, object: &Value) -> Vec<Fault> {
    let mut checker = Checker { faults: Vec::new() };
    if let Some(table) = fields(kind.info().kind) {
        checker.object(table, kind.info().kind, object, &mut Path::default());
    }
    checker.faults
}

/// What kubectl finds wrong with the metadata of an object that it reads: the decoder's words.
/// Fields that there are not are none of its business.
pub fn metadata_error(object: &Value) -> Option<String> {
    let mut checker = Checker { faults: Vec::new() };
    let path = Path::default().field("metadata");
    checker.value(&Type::Struct("ObjectMeta"), "metadataOnlyObject", &object["metadata"], path);
    wrong(&checker.faults).map(|f| f.message.clone())
}

/// Takes the fields out that the kind does not have.
pub fn drop_unknown(kind: Kind, object: &mut Value) {
    if let Some(table) = fields(kind.info().kind) {
        strip(table, object);
    }
}

fn strip(table: &'static [Field], v: &mut Value) {
    if v.as_map().is_none() {
        return;
    }
    v.map_mut().retain(|key, _| table.iter().any(|f| f.name == key));
    for f in table {
        if let Type::Struct(name) = leaf(&f.field_type)
            && v.has(f.name)
            && let Some(table) = fields(name)
        {
            let inner = v.entry(f.name);
            match inner {
                Value::List(_) => inner.list_mut().iter_mut().for_each(|x| strip(table, x)),
                Value::Map(_) if matches!(f.field_type, Type::Map(_)) => {
                    inner.map_mut().iter_mut().for_each(|(_, x)| strip(table, x));
                }
                _ => strip(table, inner),
            }
        }
    }
}

/// The server's refusal of an object that does not decode, in full; `None` if it does.
/// A wrong type goes first, then all unknown fields together.
pub fn strict_error(kind: Kind, faults: &[Fault]) -> Option<String> {
    let info = kind.info();
    let head = format!(
        "{} in version {:?} cannot be handled as a {}: ",
        info.kind, info.version, info.kind
    );
    if let Some(wrong) = wrong(faults) {
        return Some(head + &wrong.message);
    }
    unknown_error(faults).map(|text| head + &text)
}

/// All unknown fields in one sentence.
pub fn unknown_error(faults: &[Fault]) -> Option<String> {
    let unknown: Vec<&str> =
        faults.iter().filter(|f| f.what == What::Unknown).map(|f| f.message.as_str()).collect();
    (!unknown.is_empty()).then(|| format!("strict decoding error: {}", unknown.join(", ")))
}

/// A path with indexes and the same without, as the two kinds of messages want it.
#[derive(Clone, Default)]
struct Path {
    full: String,
    plain: String,
}

impl Path {
    fn field(&self, name: &str) -> Self {
        let add = |p: &str| if p.is_empty() { name.to_owned() } else { format!("{p}.{name}") };
        Self { full: add(&self.full), plain: add(&self.plain) }
    }

    fn item(&self, i: usize) -> Self {
        Self { full: format!("{}[{i}]", self.full), plain: self.plain.clone() }
    }
}

struct Checker {
    faults: Vec<Fault>,
}

impl Checker {
    fn object(&mut self, table: &'static [Field], owner: &str, v: &Value, path: &mut Path) {
        for (key, value) in v.pairs() {
            let inner = path.field(key);
            match table.iter().find(|f| f.name == key.as_str()) {
                Some(f) => self.value(&f.field_type, owner, value, inner),
                None => self.faults.push(Fault {
                    message: format!("unknown field \"{}\"", inner.full),
                    path: inner.full,
                    patched: String::new(),
                    what: What::Unknown,
                }),
            }
        }
    }

    fn value(&mut self, t: &Type, owner: &str, v: &Value, mut path: Path) {
        let fits = match (t, v) {
            (_, Value::Null) | (Type::Any, _) => true,
            (Type::Text(_), Value::Str(_)) | (Type::Bool, Value::Bool(_)) => true,
            (Type::Int32, Value::Int(i)) => i32::try_from(*i).is_ok(),
            (Type::Int64, Value::Int(_)) => true,
            (Type::Quantity, _) => return self.quantity(v, path),
            (Type::IntOrText, Value::Int(i)) => i32::try_from(*i).is_ok(),
            (Type::IntOrText, Value::Str(_)) => true,
            (Type::Bytes, Value::Str(s)) => match crate::base64::bad_byte(s) {
                None => true,
                Some(i) => {
                    let text = format!("illegal base64 data at input byte {i}");
                    return self.fault(What::Wrong, path, text.clone(), text);
                }
            },
            (Type::Time, Value::Str(s)) => {
                if crate::api::time::parse(s).is_none() {
                    let layout = "2006-01-02T15:04:05Z07:00";
                    let text =
                        format!("parsing time {s:?} as {layout:?}: cannot parse {s:?} as \"2006\"");
                    self.fault(What::Refused, path, text.clone(), text);
                }
                return;
            }
            (Type::List(of), Value::List(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.value(of, owner, item, path.item(i));
                }
                return;
            }
            (Type::Map(of), Value::Map(_)) => {
                for (key, item) in v.pairs() {
                    // Go names the map's field, not the key
                    let full = format!("{}.{key}", path.full);
                    self.value(of, owner, item, Path { full, plain: path.plain.clone() });
                }
                return;
            }
            (Type::Struct(name), Value::Map(_)) => {
                if let Some(table) = fields(name) {
                    self.object(table, name.trim_start_matches("Discovery"), v, &mut path);
                }
                return;
            }
            _ => false,
        };
        if !fits {
            self.mismatch(t, owner, v, path);
        }
    }

    /// A value that is not of the field's type.
    fn mismatch(&mut self, t: &Type, owner: &str, v: &Value, path: Path) {
        let number = matches!(t, Type::Int32 | Type::Int64 | Type::IntOrText);
        let found = match v {
            Value::Bool(_) => "bool".to_owned(),
            Value::Int(i) if number => format!("number {i}"),
            Value::Float(f) if number => format!("number {f}"),
            Value::Int(_) | Value::Float(_) => "number".to_owned(),
            Value::Str(_) => "string".to_owned(),
            Value::List(_) => "array".to_owned(),
            _ => "object".to_owned(),
        };
        let own = *t == Type::IntOrText || *t == Type::Time;
        let of = match t {
            Type::IntOrText => "int32".to_owned(),
            Type::Time => "string".to_owned(),
            t => t.go_in(owner, &path.plain),
        };
        let message = format!(
            "json: cannot unmarshal {found} into Go struct field {owner}.{} of type {of}",
            path.plain
        );
        let patched = if own {
            format!("json: cannot unmarshal {found} into Go value of type {of}")
        } else {
            converted(t, v, &of)
        };
        let what = if own { What::Refused } else { What::Wrong };
        self.fault(what, path, message, patched);
    }

    fn quantity(&mut self, v: &Value, path: Path) {
        let text = match v {
            Value::Null => return,
            Value::Str(s) => s.to_string(),
            other => other.to_string(),
        };
        if let Some(why) = quantity::fault(&text) {
            self.fault(What::Refused, path, why.into(), why.into());
        }
    }

    fn fault(&mut self, what: What, path: Path, message: String, patched: String) {
        self.faults.push(Fault { path: path.full, message, patched, what });
    }
}

/// What the converter of patches says of a value of a wrong type, which should be of Go's type
/// `of`.
fn converted(t: &Type, v: &Value, of: &str) -> String {
    let found = match v {
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "slice",
        _ => "map",
    };
    let number = matches!(v, Value::Int(_) | Value::Float(_));
    match t {
        Type::Map(_) => format!("cannot restore map from {found}"),
        Type::List(_) | Type::Bytes => format!("cannot restore slice from {found}"),
        Type::Struct(_) => format!("cannot restore struct from: {found}"),
        // Go can make text of a number, a number of a fraction, but not here
        Type::Text(_) if matches!(v, Value::Int(_)) => format!("cannot convert int64 to {of}"),
        Type::Int32 | Type::Int64 if number => format!("cannot convert {found} to {}", t.go()),
        _ => format!("unrecognized type: {}", t.go()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn refusal(v: &Value) -> Option<String> {
        strict_error(Kind::StatefulSet, &check(Kind::StatefulSet, v))
    }

    #[test]
    fn the_servers_words() {
        let head = "StatefulSet in version \"v1\" cannot be handled as a StatefulSet: ";
        for (v, want) in [
            (
                value!({"spec": {"replica": 2, "x": 1}}),
                "strict decoding error: unknown field \"spec.replica\", unknown field \"spec.x\"",
            ),
            (
                value!({"spec": {"replicas": "2"}}),
                "json: cannot unmarshal string into Go struct field StatefulSetSpec.spec.replicas of type int32",
            ),
            (
                value!({"spec": {"replicas": 99_999_999_999_i64}}),
                "json: cannot unmarshal number 99999999999 into Go struct field StatefulSetSpec.spec.replicas of type int32",
            ),
            (
                value!({"spec": {"updateStrategy": "x"}}),
                "json: cannot unmarshal string into Go struct field StatefulSetSpec.spec.updateStrategy of type v1.StatefulSetUpdateStrategy",
            ),
            (
                value!({"spec": {"template": {"spec": {"containers": [{"command": [1]}]}}}}),
                "json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.command of type string",
            ),
            (
                value!({"spec": {"volumeClaimTemplates": [{"spec": {"accessModes": "x"}}]}}),
                "json: cannot unmarshal string into Go struct field PersistentVolumeClaimSpec.spec.volumeClaimTemplates.spec.accessModes of type []v1.PersistentVolumeAccessMode",
            ),
            (
                value!({"spec": {"template": {"spec": {"containers": [{"resources": {"limits": "1"}}]}}}}),
                "json: cannot unmarshal string into Go struct field ResourceRequirements.spec.template.spec.containers.resources.limits of type v1.ResourceList",
            ),
            (
                value!({"spec": {"template": {"spec": {"containers": [{"securityContext": {"capabilities": {"add": [1]}}}]}}}}),
                "json: cannot unmarshal number into Go struct field Capabilities.spec.template.spec.containers.securityContext.capabilities.add of type v1.Capability",
            ),
            (
                value!({"spec": {"updateStrategy": {"type": 1}}}),
                "json: cannot unmarshal number into Go struct field StatefulSetUpdateStrategy.spec.updateStrategy.type of type v1.StatefulSetUpdateStrategyType",
            ),
            (
                value!({"metadata": {"uid": 1}}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.uid of type types.UID",
            ),
            (
                value!({"metadata": {"annotations": {"a": true}}}),
                "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.annotations of type string",
            ),
        ] {
            assert_eq!(refusal(&v), Some(format!("{head}{want}")));
        }
        assert_eq!(refusal(&value!({"apiVersion": "apps/v1", "spec": {"replicas": 2}})), None);
    }

    #[test]
    fn the_metadata_alone() {
        for (metadata, want) in [
            (
                value!({"labels": {"a": 1}}),
                "number into Go struct field ObjectMeta.metadata.labels of type string",
            ),
            (
                value!({"labels": ["a"]}),
                "array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
            ),
            (
                value!({"name": 123, "labels": {}}),
                "number into Go struct field ObjectMeta.metadata.name of type string",
            ),
            (
                value!("web"),
                "string into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta",
            ),
        ] {
            let found = metadata_error(&value!({"metadata": metadata, "spec": 5}));
            assert_eq!(found, Some(format!("json: cannot unmarshal {want}")));
        }
        assert_eq!(
            metadata_error(&value!({"metadata": {"creationTimestamp": "yesterday", "a": 1}}))
                .unwrap(),
            "parsing time \"yesterday\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"yesterday\" as \"2006\""
        );
        assert_eq!(metadata_error(&value!({"metadata": {"name": "a", "foo": 1}})), None);
        assert_eq!(metadata_error(&value!({"kind": "Pod"})), None);
    }

    #[test]
    fn every_type_that_is_named_has_a_table() {
        for (name, list) in tables() {
            for f in list {
                if let Type::Struct(inner) = leaf(&f.field_type) {
                    assert!(fields(inner).is_some(), "{name}.{} is a {inner}", f.name);
                }
            }
        }
        assert_eq!(
            field(Kind::StatefulSet, &["spec", "template", "spec", "containers", "image"])
                .unwrap()
                .field_type,
            Type::Text(Vec::new())
        );
    }
}
