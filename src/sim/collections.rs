//! Ordered map and set with the interface of the standard library's, made for small code: the
//! standard B-tree costs some ten kilobytes of wasm for each pair of types, and the simulator
//! has dozens of pairs. Sorted pairs stand in chunks; a look-up is two binary searches, an
//! insertion moves part of one chunk. Clones copy chunks, which keeps snapshots cheap.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Bound, Index, RangeBounds};

/// Most pairs in a chunk; a full one is cut in two.
const CHUNK: usize = 64;

/// A map in key order.
#[derive(Clone)]
pub struct BTreeMap<K, V> {
    // never holds an empty chunk
    chunks: Vec<Vec<(K, V)>>,
    len: usize,
}

/// Where a pair stands: chunk and place in it.
type Place = (usize, usize);

impl<K, V> BTreeMap<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Has it no pairs?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes all pairs out.
    pub fn clear(&mut self) {
        self.chunks.clear();
        self.len = 0;
    }

    /// Pairs in order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter { chunks: &self.chunks, front: (0, 0), back: (self.chunks.len(), 0) }
    }

    /// Pairs in order, values changeable.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.chunks.iter_mut().flatten().map(|(k, v)| (&*k, v))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(k, _)| k)
    }

    /// Values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, v)| v)
    }

    /// Values in the order of their keys, changeable.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.chunks.iter_mut().flatten().map(|(_, v)| v)
    }

    /// Values in the order of their keys.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.into_iter().map(|(_, v)| v)
    }

    /// Keys in order.
    pub fn into_keys(self) -> impl Iterator<Item = K> {
        self.into_iter().map(|(k, _)| k)
    }

    /// The first pair.
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// The last pair.
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next_back()
    }

    /// Takes the first pair out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        if self.chunks.is_empty() { None } else { Some(self.take((0, 0))) }
    }

    /// Keeps only the pairs for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for chunk in &mut self.chunks {
            chunk.retain_mut(|(k, v)| keep(k, v));
        }
        self.chunks.retain(|c| !c.is_empty());
        self.len = self.chunks.iter().map(Vec::len).sum();
    }

    fn take(&mut self, (c, i): Place) -> (K, V) {
        let pair = self.chunks[c].remove(i);
        if self.chunks[c].is_empty() {
            self.chunks.remove(c);
        }
        self.len -= 1;
        pair
    }
}

impl<K: Ord, V> BTreeMap<K, V> {
    /// Place of the key, or where it would stand.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        // plain loops: small code runs them faster than the library's searches with closures
        let (mut low, mut high) = (0, self.chunks.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let first = self.chunks[middle].first();
            // one comparison: `<=` asks for an Option of an order first
            if first.is_some_and(|(k, _)| k.borrow().cmp(key) != Ordering::Greater) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let c = low.saturating_sub(1);
        let Some(chunk) = self.chunks.get(c) else { return Err((0, 0)) };
        let (mut low, mut high) = (0, chunk.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match chunk[middle].0.borrow().cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Ok((c, middle)),
                Ordering::Greater => high = middle,
            }
        }
        Err((c, low))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (c, i) = self.find(key).ok()?;
        Some(&self.chunks[c][i].1)
    }

    /// The value of a key, for changing it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (c, i) = self.find(key).ok()?;
        Some(&mut self.chunks[c][i].1)
    }

    /// Is the key there?
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Puts a value under a key; gives back what stood there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok((c, i)) => Some(std::mem::replace(&mut self.chunks[c][i].1, value)),
            Err(place) => {
                self.put(place, key, value);
                None
            }
        }
    }

    /// Puts a new pair where it belongs; gives the place where it stands then.
    fn put(&mut self, (mut c, mut i): Place, key: K, value: V) -> Place {
        self.len += 1;
        if self.chunks.is_empty() {
            self.chunks.push(Vec::new());
        }
        if self.chunks[c].len() >= CHUNK {
            // appending in order leaves full chunks behind, not half-full ones
            let at = if i == CHUNK { CHUNK - 1 } else { CHUNK / 2 };
            let tail = self.chunks[c].split_off(at);
            self.chunks.insert(c + 1, tail);
            if i >= at {
                (c, i) = (c + 1, i - at);
            }
        }
        self.chunks[c].insert(i, (key, value));
        (c, i)
    }

    /// Takes a key out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.find(key).ok()?;
        Some(self.take(place).1)
    }

    /// The slot of a key.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        Entry { map: self, key }
    }

    /// Pairs whose keys lie in a range, in order.
    pub fn range<Q: Ord + ?Sized, R: RangeBounds<Q>>(&self, range: R) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let place = |key: &Q| match self.find(key) {
            Ok(p) => (p, true),
            Err(p) => (p, false),
        };
        let after = |(c, i): Place| (c, i + 1);
        let front = match range.start_bound() {
            Bound::Included(k) => place(k).0,
            Bound::Excluded(k) => match place(k) {
                (p, true) => after(p),
                (p, false) => p,
            },
            Bound::Unbounded => (0, 0),
        };
        let back = match range.end_bound() {
            Bound::Included(k) => match place(k) {
                (p, true) => after(p),
                (p, false) => p,
            },
            Bound::Excluded(k) => place(k).0,
            Bound::Unbounded => (self.chunks.len(), 0),
        };
        let tidy = |(c, i): Place| match self.chunks.get(c) {
            Some(chunk) if i >= chunk.len() => (c + 1, 0),
            _ => (c, i),
        };
        let (front, back) = (tidy(front), tidy(back));
        Iter { chunks: &self.chunks, front, back: back.max(front) }
    }
}

/// The slot of a key, there or not.
pub struct Entry<'a, K, V> {
    map: &'a mut BTreeMap<K, V>,
    key: K,
}

impl<'a, K: Ord, V> Entry<'a, K, V> {
    /// The value, made by `make` if it is not there.
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        let (c, i) = match self.map.find(&self.key) {
            Ok(place) => place,
            Err(place) => self.map.put(place, self.key, make()),
        };
        &mut self.map.chunks[c][i].1
    }

    /// The value, `value` if it is not there.
    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    /// The value, the default if it is not there.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}

/// Pairs in order.
pub struct Iter<'a, K, V> {
    chunks: &'a [Vec<(K, V)>],
    front: Place,
    back: Place,
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let (c, i) = self.front;
        let chunk = self.chunks.get(c)?;
        let (k, v) = chunk.get(i)?;
        self.front = if i + 1 < chunk.len() { (c, i + 1) } else { (c + 1, 0) };
        Some((k, v))
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let (c, i) = match self.back {
            (c, 0) => (c - 1, self.chunks[c - 1].len() - 1),
            (c, i) => (c, i - 1),
        };
        self.back = (c, i);
        let (k, v) = &self.chunks[c][i];
        Some((k, v))
    }
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks, front: self.front, back: self.back }
    }
}

impl<K, V> Default for BTreeMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for BTreeMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for BTreeMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}

impl<K: Eq, V: Eq> Eq for BTreeMap<K, V> {}

impl<K: Ord, V> Extend<(K, V)> for BTreeMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, iter: I) {
        for (k, v) in iter {
            self.insert(k, v);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for BTreeMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(iter: I) -> Self {
        let mut map = Self::new();
        map.extend(iter);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for BTreeMap<K, V> {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K, V> IntoIterator for BTreeMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.chunks.into_iter().flatten()
    }
}

impl<'a, K, V> IntoIterator for &'a BTreeMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for BTreeMap<K, V> {
    type Output = V;

    /// The value of a key that is known to be there.
    fn index(&self, key: &Q) -> &V {
        match self.find(key) {
            Ok((c, i)) => &self.chunks[c][i].1,
            Err(_) => unreachable!("the key is known to be there"),
        }
    }
}

/// A set in order.
#[derive(Clone, PartialEq, Eq)]
pub struct BTreeSet<K>(BTreeMap<K, ()>);

impl<K> BTreeSet<K> {
    /// An empty set.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Has it no items?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all items out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Items in order.
    pub fn iter(&self) -> Items<'_, K> {
        Items(self.0.iter())
    }

    /// The first item.
    pub fn first(&self) -> Option<&K> {
        self.iter().next()
    }

    /// The last item.
    pub fn last(&self) -> Option<&K> {
        self.iter().next_back()
    }

    /// Takes the first item out.
    pub fn pop_first(&mut self) -> Option<K> {
        self.0.pop_first().map(|(k, ())| k)
    }

    /// Keeps only the items for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        self.0.retain(|k, ()| keep(k));
    }
}

impl<K: Ord> BTreeSet<K> {
    /// Puts an item in; false if it was there.
    pub fn insert(&mut self, item: K) -> bool {
        self.0.insert(item, ()).is_none()
    }

    /// Takes an item out; false if it was not there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, item: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.remove(item).is_some()
    }

    /// Is the item there?
    pub fn contains<Q: Ord + ?Sized>(&self, item: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(item)
    }

    /// Items in a range, in order.
    pub fn range<Q: Ord + ?Sized, R: RangeBounds<Q>>(&self, range: R) -> Items<'_, K>
    where
        K: Borrow<Q>,
    {
        Items(self.0.range(range))
    }
}

/// Items of a set in order.
pub struct Items<'a, K>(Iter<'a, K, ()>);

impl<'a, K> Iterator for Items<'a, K> {
    type Item = &'a K;

    fn next(&mut self) -> Option<&'a K> {
        self.0.next().map(|(k, ())| k)
    }
}

impl<K> DoubleEndedIterator for Items<'_, K> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(k, ())| k)
    }
}

impl<K> Default for BTreeSet<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug> fmt::Debug for BTreeSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<K: Ord> Extend<K> for BTreeSet<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, iter: I) {
        for k in iter {
            self.insert(k);
        }
    }
}

impl<K: Ord> FromIterator<K> for BTreeSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(iter: I) -> Self {
        let mut set = Self::new();
        set.extend(iter);
        set
    }
}

impl<K: Ord, const N: usize> From<[K; N]> for BTreeSet<K> {
    fn from(items: [K; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<K> IntoIterator for BTreeSet<K> {
    type Item = K;
    type IntoIter = std::iter::Map<<BTreeMap<K, ()> as IntoIterator>::IntoIter, fn((K, ())) -> K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(k, ())| k)
    }
}

impl<'a, K> IntoIterator for &'a BTreeSet<K> {
    type Item = &'a K;
    type IntoIter = Items<'a, K>;

    fn into_iter(self) -> Items<'a, K> {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    /// The same thousand random acts on this map and on the standard one.
    #[test]
    fn behaves_like_the_standard_map() {
        let mut ours: BTreeMap<u64, u64> = BTreeMap::new();
        let mut std = std::collections::BTreeMap::new();
        let mut rng = Stream::new(1, &["collections"]);
        for step in 0..20_000 {
            let (key, act) = (rng.range(0, 700), rng.range(0, 9));
            match act {
                0..=4 => assert_eq!(ours.insert(key, step), std.insert(key, step)),
                5..=7 => assert_eq!(ours.remove(&key), std.remove(&key)),
                _ => {
                    *ours.entry(key).or_default() += 1;
                    *std.entry(key).or_default() += 1;
                }
            }
            assert_eq!(ours.len(), std.len());
            let (a, b) = (rng.range(0, 700), rng.range(0, 700));
            let (a, b) = (a.min(b), a.max(b));
            if step % 50 == 0 {
                assert!(ours.iter().eq(std.iter()));
                assert!(ours.iter().rev().eq(std.iter().rev()));
                assert!(ours.range(a..b).eq(std.range(a..b)));
                assert!(ours.range(a..=b).rev().eq(std.range(a..=b).rev()));
                assert!(ours.range(a..).eq(std.range(a..)));
                assert_eq!(ours.get(&a), std.get(&a));
                assert_eq!(ours.first_key_value(), std.first_key_value());
                assert_eq!(ours.last_key_value(), std.last_key_value());
            }
        }
        ours.retain(|k, _| k % 3 == 0);
        std.retain(|k, _| k % 3 == 0);
        assert!(ours.into_iter().eq(std));
    }
}
