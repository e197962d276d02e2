//! Named random streams: one more draw in one place does not shift the others, and the
//! same seed gives the same numbers in native code and in wasm.

use crate::value::{Short, Str};

/// A stream of pseudo-random numbers (`SplitMix64`), seeded from a seed and a label.
#[derive(Clone, Debug)]
pub struct Stream(u64);

impl Stream {
    /// The stream of that seed with that label; parts are hashed one after the other.
    pub fn new(seed: u64, label: &[&str]) -> Self {
        // FNV-1a, 64 bit; a separator keeps ("ab","c") and ("a","bc") apart
        let h = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        label.iter().fold(Self(h), |stream, part| stream.and(part))
    }

    /// The stream whose label has one more part; asked of a stream that was not drawn from.
    #[must_use]
    pub fn and(&self, part: &str) -> Self {
        let mut h = self.0;
        for b in part.as_bytes() {
            h = (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self((h ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3))
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait, reason = "an endless stream is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `low..=high`.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        if high <= low { low } else { low + self.next() % (high - low + 1) }
    }

    /// `n` characters of Kubernetes' random-suffix alphabet.
    pub fn suffix(&mut self, n: usize) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..n).map(|_| char::from(ALPHABET[(self.next() % 27) as usize])).collect()
    }

    /// A version 4 uid.
    pub fn uid(&mut self) -> Str {
        let (a, b) = (self.next(), self.next());
        let mut text = Short::default();
        text.number(a >> 32, 8, 16);
        for n in [
            (a >> 16) & 0xffff,
            0x4000 | (a & 0xfff),
            0x8000 | (((b >> 62) & 3) << 12) | ((b >> 48) & 0xfff),
        ] {
            text.push(b'-');
            text.number(n, 4, 16);
        }
        text.push(b'-');
        text.number(b & 0xffff_ffff_ffff, 12, 16);
        text.share()
    }
}
