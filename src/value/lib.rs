//! The one value tree every object is made of: text is decoded into it, patches and
//! defaults work on it, controllers read it, printers print it.
//!
//! Trees are persistent: a clone is a pointer copy, and a change copies only the path
//! from the root to the changed leaf. Pods therefore share the spec of their template,
//! and a snapshot of the whole cluster costs pointers, not objects.

mod text;

use std::fmt;
use std::ops::Index;
use std::rc::Rc;

pub use text::{Short, Str, decimal, text};
use text::{equal, order};

/// A map sorted by key (byte order), as kubectl prints maps.
#[derive(Clone, Default, PartialEq)]
pub struct Map(Vec<(Str, Value)>);

impl Map {
    /// An empty map.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty map with room for so many pairs.
    pub fn with_capacity(n: usize) -> Self {
        Self(Vec::with_capacity(n))
    }

    /// Puts a pair at its place. A full map grows by a little only: there are very many maps,
    /// most of them never grow again, and room that is not used is memory all the same.
    fn put(&mut self, at: usize, key: Str, value: Value) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact((self.0.len() / 4).max(4));
        }
        self.0.insert(at, (key, value));
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        // literals are written in key order: most new keys go to the end
        if self.0.last().is_none_or(|(k, _)| order(k, key).is_lt()) {
            return Err(self.0.len());
        }
        self.0.binary_search_by(|(k, _)| order(k, key))
    }

    /// Where a key stands. Most maps are small: there, comparing lengths first is faster
    /// than a binary search that compares texts.
    #[inline(always)]
    fn position(&self, key: &str) -> Option<usize> {
        if self.0.len() <= 16 {
            return self.0.iter().position(|(k, _)| equal(k, key));
        }
        self.find(key).ok()
    }

    /// The value stored under `key`, if the key is there (it may be `Null`).
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).map(|i| &self.0[i].1)
    }

    /// The value stored under `key`, for changing it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.position(key).map(|i| &mut self.0[i].1)
    }

    /// Is the key there?
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Puts a value under `key`; gives back what stood there.
    pub fn insert(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> Option<Value> {
        let key = key.into();
        match self.find(&key) {
            Ok(i) => Some(std::mem::replace(&mut self.0[i].1, value.into())),
            Err(i) => {
                self.put(i, key, value.into());
                None
            }
        }
    }

    /// Puts a pair of a literal: at the end, if the literal's keys are known to be sorted.
    #[doc(hidden)]
    #[inline(always)]
    pub fn literal(&mut self, sorted: bool, key: &'static str, value: Value) {
        if sorted {
            self.0.push((Str::Lit(key), value));
        } else {
            self.insert(key, value);
        }
    }

    /// The slot of `key`, made `Null` if it is not there.
    pub fn entry(&mut self, key: impl Into<Str>) -> &mut Value {
        let key = key.into();
        let i = match self.find(&key) {
            Ok(i) => i,
            Err(i) => {
                self.put(i, key, Value::Null);
                i
            }
        };
        &mut self.0[i].1
    }

    /// Takes the key out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.position(key).map(|i| self.0.remove(i).1)
    }

    /// Pairs in key order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Str, &Value)> + ExactSizeIterator {
        self.0.iter().map(|(k, v)| (k, v))
    }

    /// Pairs in key order, values changeable.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Str, &mut Value)> {
        self.0.iter_mut().map(|(k, v)| (&*k, v))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &Str> {
        self.0.iter().map(|(k, _)| k)
    }

    /// Keeps only the pairs for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.0.retain_mut(|(k, v)| keep(k, v));
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Has it no pairs?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Of equal keys the last one counts.
impl<K: Into<Str>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(iter: I) -> Self {
        let mut pairs: Vec<(Str, Value)> =
            iter.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        // sorted once: a large map whose keys come in another order must not be moved for each
        if !pairs.is_sorted_by(|a, b| order(&a.0, &b.0).is_lt()) {
            pairs.sort_by(|a, b| order(&a.0, &b.0));
            pairs.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    std::mem::swap(later, earlier);
                }
                same
            });
        }
        Self(pairs)
    }
}

/// A JSON-like value.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`, and what a missing key reads as.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction; only carried from text to text.
    Float(f64),
    /// Text.
    Str(Str),
    /// A list.
    List(Rc<Vec<Value>>),
    /// A map sorted by key.
    Map(Rc<Map>),
}

/// What a missing key reads as.
const NULL: &Value = &Value::Null;

impl Value {
    /// An empty map.
    pub fn map() -> Self {
        Self::Map(Rc::new(Map::new()))
    }

    /// An empty map with room for so many pairs.
    pub fn with_room(n: usize) -> Self {
        Self::Map(Rc::new(Map::with_capacity(n)))
    }

    /// An empty list.
    pub fn list() -> Self {
        Self::List(Rc::new(Vec::new()))
    }

    /// Is it `null` (or was the key missing)?
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Null, "", 0, false, an empty list or map: what Go's `omitempty` leaves out.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(b) => !b,
            Self::Int(i) => *i == 0,
            Self::Float(f) => *f == 0.0,
            Self::Str(s) => s.is_empty(),
            Self::List(l) => l.is_empty(),
            Self::Map(m) => m.is_empty(),
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s.as_str()),
            _ => None,
        }
    }

    /// The text, or `""` if it is none.
    pub fn str(&self) -> &str {
        self.as_str().unwrap_or("")
    }

    /// The text as a shared [`Str`], or empty.
    pub fn to_str(&self) -> Str {
        match self {
            Self::Str(s) => s.clone(),
            _ => Str::default(),
        }
    }

    /// The whole number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The whole number, or `default`.
    pub fn int_or(&self, default: i64) -> i64 {
        self.as_int().unwrap_or(default)
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// Is it `true`?
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The items of the list; nothing if it is no list.
    pub fn items(&self) -> &[Value] {
        match self {
            Self::List(l) => l,
            _ => &[],
        }
    }

    /// The pairs of the map; nothing if it is no map.
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = (&Str, &Value)> {
        self.as_map().into_iter().flat_map(Map::iter)
    }

    /// Number of items or pairs.
    pub fn len(&self) -> usize {
        match self {
            Self::List(l) => l.len(),
            Self::Map(m) => m.len(),
            _ => 0,
        }
    }

    /// The value under `key`; `Null` if there is none.
    pub fn get(&self, key: &str) -> &Value {
        self.as_map().and_then(|m| m.get(key)).unwrap_or(NULL)
    }

    /// The value at a dotted path of plain keys (no list indexes); `Null` if there is none.
    pub fn at(&self, path: &str) -> &Value {
        path.split('.').fold(self, |v, key| v.get(key))
    }

    /// Is the key there (even if `null`)?
    pub fn has(&self, key: &str) -> bool {
        self.as_map().is_some_and(|m| m.contains_key(key))
    }

    /// This value as a map that can be changed; anything else becomes an empty map.
    pub fn map_mut(&mut self) -> &mut Map {
        if !matches!(self, Self::Map(_)) {
            *self = Self::map();
        }
        match self {
            Self::Map(m) => Rc::make_mut(m),
            _ => unreachable!("made a map above"),
        }
    }

    /// This value as a list that can be changed; anything else becomes an empty list.
    pub fn list_mut(&mut self) -> &mut Vec<Value> {
        if !matches!(self, Self::List(_)) {
            *self = Self::list();
        }
        match self {
            Self::List(l) => Rc::make_mut(l),
            _ => unreachable!("made a list above"),
        }
    }

    /// The slot under `key`, for changing; made if it is not there.
    pub fn entry(&mut self, key: impl Into<Str>) -> &mut Value {
        self.map_mut().entry(key)
    }

    /// The slot at a dotted path of literal keys, for changing; made if it is not there.
    pub fn path_mut(&mut self, path: &'static str) -> &mut Value {
        path.split('.').fold(self, |v, key| v.map_mut().entry(key))
    }

    /// Sets `key` to `value`.
    pub fn set(&mut self, key: impl Into<Str>, value: impl Into<Value>) {
        self.map_mut().insert(key, value);
    }

    /// Takes `key` out; gives back what stood there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if self.has(key) { self.map_mut().remove(key) } else { None }
    }

    /// Same tree? Shared parts are recognised by their pointer.
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => Rc::ptr_eq(a, b) || a == b,
            (Self::Map(a), Self::Map(b)) => Rc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
    }
}

impl Index<&str> for Value {
    type Output = Value;
    fn index(&self, key: &str) -> &Value {
        self.get(key)
    }
}

impl Index<usize> for Value {
    type Output = Value;
    fn index(&self, i: usize) -> &Value {
        self.items().get(i).unwrap_or(NULL)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<i32> for Value {
    fn from(i: i32) -> Self {
        Self::Int(i.into())
    }
}

impl From<Str> for Value {
    fn from(s: Str) -> Self {
        Self::Str(s)
    }
}

impl From<&Str> for Value {
    fn from(s: &Str) -> Self {
        Self::Str(s.clone())
    }
}

impl From<&'static str> for Value {
    fn from(s: &'static str) -> Self {
        Self::Str(Str::Lit(s))
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::Str(s.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(l: Vec<Value>) -> Self {
        Self::List(Rc::new(l))
    }
}

impl From<Map> for Value {
    fn from(m: Map) -> Self {
        Self::Map(Rc::new(m))
    }
}

impl From<&Value> for Value {
    fn from(v: &Value) -> Self {
        v.clone()
    }
}

impl<const N: usize> From<[Value; N]> for Value {
    fn from(l: [Value; N]) -> Self {
        Self::List(Rc::new(l.into()))
    }
}

/// Compact JSON, keys sorted, as Go's `encoding/json` writes it (`<`, `>`, `&` escaped).
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Str(s) => write_json_string(f, s),
            Self::List(l) => {
                f.write_str("[")?;
                for (i, v) in l.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{v}")?;
                }
                f.write_str("]")
            }
            Self::Map(m) => {
                f.write_str("{")?;
                for (i, (k, v)) in m.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write_json_string(f, k)?;
                    write!(f, ":{v}")?;
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes a JSON string with Go's escapes.
pub fn write_json_string(f: &mut dyn fmt::Write, s: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in s.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{c}' => f.write_str("\\f")?,
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write!(f, "\\u{:04x}", c as u32)?,
            c if (c as u32) < 0x20 => write!(f, "\\u{:04x}", c as u32)?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// Are the keys of a literal in their order, each once? Asked when the program is compiled.
#[doc(hidden)]
pub const fn sorted(keys: &[&str]) -> bool {
    let mut n = 1;
    while n < keys.len() {
        let (a, b) = (keys[n - 1].as_bytes(), keys[n].as_bytes());
        let mut i = 0;
        while i < a.len() && i < b.len() && a[i] == b[i] {
            i += 1;
        }
        let less = if i < a.len() && i < b.len() { a[i] < b[i] } else { a.len() < b.len() };
        if !less {
            return false;
        }
        n += 1;
    }
    true
}

/// Builds a [`Value`] from a JSON-like literal: `value!({"kind": "Pod", "spec": spec})`. A
/// number after a map, `value!({…} + 2)`, is room for so many more pairs.
#[macro_export]
macro_rules! value {
    (null) => { $crate::Value::Null };
    ([ $( $item:tt ),* $(,)? ]) => {
        $crate::Value::from(vec![ $( $crate::value!($item) ),* ] as Vec<$crate::Value>)
    };
    ({}) => { $crate::Value::map() };
    ({ $( $key:literal : $val:tt ),* $(,)? }) => { $crate::value!({ $( $key : $val ),* } + 0) };
    ({ $( $key:literal : $val:tt ),* $(,)? } + $more:literal) => {{
        const KEYS: &[&str] = &[ $( $key ),* ];
        const SORTED: bool = $crate::sorted(KEYS);
        #[allow(unused_mut, reason = "an empty literal changes nothing")]
        let mut map = $crate::Map::with_capacity(KEYS.len() + $more);
        $( map.literal(SORTED, $key, $crate::value!($val)); )*
        $crate::Value::from(map)
    }};
    ($other:expr) => { $crate::Value::from($other) };
}
