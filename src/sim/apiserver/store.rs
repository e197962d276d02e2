//! The store (etcd): objects by kind, namespace and name, in key order.

use crate::collections::BTreeMap;

use crate::api::{Key, Kind, Obj, kind};
use crate::value::Str;

/// Objects of a kind: by namespace, then by name.
type Table = BTreeMap<Str, BTreeMap<Str, Obj>>;

/// All objects of the cluster.
#[derive(Clone)]
pub struct Store {
    tables: Vec<Table>,
    /// Objects of all kinds.
    objects: usize,
    /// The last resource version given out.
    pub revision: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self { tables: kind::ALL.iter().map(|_| Table::new()).collect(), objects: 0, revision: 0 }
    }
}

impl Store {
    fn table(&self, kind: Kind) -> &Table {
        &self.tables[kind as usize]
    }

    /// The object of that kind, namespace and name.
    pub fn get(&self, kind: Kind, ns: &str, name: &str) -> Option<&Obj> {
        self.table(kind).get(ns)?.get(name)
    }

    /// The object under that key.
    pub fn by_key(&self, key: &Key) -> Option<&Obj> {
        self.table(key.kind).get(&key.ns)?.get(&key.name)
    }

    /// All objects of a kind, in key order.
    pub fn all(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Obj> {
        self.table(kind).values().flat_map(BTreeMap::values)
    }

    /// Number of objects of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.table(kind).values().map(BTreeMap::len).sum()
    }

    /// Objects of a kind in a namespace, in the order of their names.
    pub fn list<'a>(&'a self, kind: Kind, ns: &Str) -> impl Iterator<Item = &'a Obj> {
        self.table(kind).get(ns).into_iter().flat_map(BTreeMap::values)
    }

    /// Total number of objects.
    pub fn len(&self) -> usize {
        self.objects
    }

    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stores a version.
    pub(super) fn put(&mut self, obj: &Obj) {
        let table = &mut self.tables[obj.kind as usize];
        let before = table.entry(obj.ns()).or_default().insert(obj.name(), obj.clone());
        self.objects += usize::from(before.is_none());
    }

    /// Takes an object out.
    pub(super) fn take(&mut self, key: &Key) -> Option<Obj> {
        let table = &mut self.tables[key.kind as usize];
        let names = table.get_mut(&key.ns)?;
        let taken = names.remove(&key.name);
        self.objects -= usize::from(taken.is_some());
        if names.is_empty() {
            table.remove(&key.ns);
        }
        taken
    }
}
