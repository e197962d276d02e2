//! Text that is cheap to clone and to compare.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// A piece of text that is cheap to clone: a literal of the program or a shared string.
#[derive(Clone)]
pub enum Str {
    /// A literal of the program: no allocation at all.
    Lit(&'static str),
    /// A shared, reference-counted string.
    Shared(Rc<str>),
}

impl Str {
    /// The text itself.
    #[inline(always)]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Lit(s) => s,
            Self::Shared(s) => s,
        }
    }
}

impl Default for Str {
    fn default() -> Self {
        Self::Lit("")
    }
}

impl Deref for Str {
    type Target = str;
    #[inline(always)]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// Are two texts equal? Shared texts are the rule and need not be read; others are compared
/// eight bytes at a time, because wasm's `memcmp` goes byte by byte.
#[inline(always)]
pub(super) fn equal(a: &str, b: &str) -> bool {
    if a.len() != b.len() {
        return false;
    }
    std::ptr::eq(a, b) || order(a, b).is_eq()
}

/// The order of two texts, byte by byte, found as in [`equal`].
pub(super) fn order(a: &str, b: &str) -> Ordering {
    if std::ptr::eq(a, b) {
        return Ordering::Equal;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let ((a8, _), (b8, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let chunks = a8.len().min(b8.len());
    for i in 0..chunks {
        let (x, y) = (u64::from_be_bytes(a8[i]), u64::from_be_bytes(b8[i]));
        if x != y {
            return x.cmp(&y);
        }
    }
    for i in chunks * 8..a.len().min(b.len()) {
        if a[i] != b[i] {
            return a[i].cmp(&b[i]);
        }
    }
    a.len().cmp(&b.len())
}

impl PartialEq for Str {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        equal(self, other)
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    #[inline(always)]
    fn cmp(&self, other: &Self) -> Ordering {
        order(self, other)
    }
}

impl std::hash::Hash for Str {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<&'static str> for Str {
    fn from(s: &'static str) -> Self {
        Self::Lit(s)
    }
}

impl From<String> for Str {
    fn from(s: String) -> Self {
        Self::Shared(s.into())
    }
}

impl From<&String> for Str {
    fn from(s: &String) -> Self {
        Self::Shared(s.as_str().into())
    }
}

impl From<&Str> for Str {
    fn from(s: &Str) -> Self {
        s.clone()
    }
}

/// Copies a borrowed text into a [`Str`].
pub fn text(s: &str) -> Str {
    Str::Shared(s.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of all lengths around eight bytes, equal but for one place.
    #[test]
    fn order_is_that_of_the_library() {
        let mut texts = vec![String::new(), "web-0".into(), "wéb".into(), "\u{10ffff}".into()];
        for n in 1..20 {
            for at in 0..n {
                let mut t = vec![b'm'; n];
                for c in [b'a', b'z', 0x7f] {
                    t[at] = c;
                    texts.push(String::from_utf8_lossy(&t).into_owned());
                }
            }
        }
        for a in &texts {
            for b in &texts {
                assert_eq!(order(a, b), a.cmp(b), "{a:?} {b:?}");
                assert_eq!(equal(a, b), a == b, "{a:?} {b:?}");
            }
        }
    }
}
