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
    // most texts of one length differ in their first byte already
    std::ptr::eq(a, b) || a.as_bytes().first() == b.as_bytes().first() && order(a, b).is_eq()
}

/// The order of two texts, byte by byte, found as in [`equal`].
pub(super) fn order(a: &str, b: &str) -> Ordering {
    if std::ptr::eq(a, b) {
        return Ordering::Equal;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let ((a8, _), (b8, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let chunks = a8.len().min(b8.len());
    for (x, y) in a8.iter().zip(b8) {
        if x != y {
            // wasm has no instruction for it: bytes are turned round only where they decide
            return u64::from_be_bytes(*x).cmp(&u64::from_be_bytes(*y));
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

/// A short text made in place: what is written many times for each object is not worth the
/// library's formatting, which costs some hundred steps and two allocations each time.
pub struct Short {
    bytes: [u8; 40],
    len: usize,
}

impl Default for Short {
    fn default() -> Self {
        Self { bytes: [0; 40], len: 0 }
    }
}

impl Short {
    /// Appends a character of ASCII; what does not fit is left out.
    pub fn push(&mut self, c: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = c;
            self.len += 1;
        }
    }

    /// Appends a number with at least so many digits, to the base ten or sixteen.
    pub fn number(&mut self, n: u64, digits: usize, base: u64) {
        let mut n = n;
        let mut back = [0; 20];
        let mut len = 0;
        while n > 0 || len < digits {
            back[len] = b"0123456789abcdef"[(n % base) as usize];
            n /= base;
            len += 1;
        }
        for c in back[..len].iter().rev() {
            self.push(*c);
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }

    /// The text, shared.
    pub fn share(&self) -> Str {
        text(self.as_str())
    }
}

/// A number in decimal.
pub fn decimal(n: u64) -> Short {
    let mut short = Short::default();
    short.number(n, 1, 10);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts() {
        for n in [0, 7, 10, 4_294_967_296, u64::MAX] {
            assert_eq!(decimal(n).as_str(), n.to_string());
            let mut hex = Short::default();
            hex.number(n, 12, 16);
            hex.push(b'-');
            assert_eq!(hex.share(), format!("{n:012x}-").as_str());
        }
        let mut full = Short::default();
        (0..5).for_each(|_| full.number(u64::MAX, 1, 16));
        assert_eq!(full.as_str(), "f".repeat(40));
    }

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
