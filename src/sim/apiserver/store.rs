//! The store (etcd): objects by kind, namespace and name, in key order.

use crate::collections::BTreeMap;

use crate::api::{Key, Kind, Obj, kind};
use crate::value::Str;

type Table = BTreeMap<(Str, Str), Obj>;

/// All objects of the cluster.
#[derive(Clone)]
pub struct Store {
    tables: Vec<Table>,
    /// The last resource version given out.
    pub revision: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self { tables: kind::ALL.iter().map(|_| Table::new()).collect(), revision: 0 }
    }
}

impl Store {
    fn table(&self, kind: Kind) -> &Table {
        &self.tables[kind as usize]
    }

    /// The object of that kind, namespace and name.
    pub fn get(&self, kind: Kind, ns: &str, name: &str) -> Option<&Obj> {
        // a borrowed pair cannot look up an owned pair, so the probe is built; cheap for literals
        self.table(kind).get(&(crate::value::text(ns), crate::value::text(name)))
    }

    /// The object under that key.
    pub fn by_key(&self, key: &Key) -> Option<&Obj> {
        self.table(key.kind).get(&(key.ns.clone(), key.name.clone()))
    }

    /// All objects of a kind, in key order.
    pub fn all(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Obj> {
        self.table(kind).values()
    }

    /// Number of objects of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.table(kind).len()
    }

    /// Objects of a kind in a namespace, in key order.
    pub fn list<'a>(&'a self, kind: Kind, ns: &'a Str) -> impl Iterator<Item = &'a Obj> {
        self.table(kind)
            .range((ns.clone(), Str::default())..)
            .take_while(move |((n, _), _)| n == ns)
            .map(|(_, o)| o)
    }

    /// Total number of objects.
    pub fn len(&self) -> usize {
        self.tables.iter().map(BTreeMap::len).sum()
    }

    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stores a version.
    pub(super) fn put(&mut self, obj: &Obj) {
        self.tables[obj.kind as usize].insert((obj.ns(), obj.name()), obj.clone());
    }

    /// Takes an object out.
    pub(super) fn take(&mut self, key: &Key) -> Option<Obj> {
        self.tables[key.kind as usize].remove(&(key.ns.clone(), key.name.clone()))
    }
}
