//! Base64: the standard alphabet for Secrets and the tools that read and write them, the one for
//! addresses, without padding, for permalinks.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes with the standard alphabet, padded with `=`.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = with(STANDARD, bytes);
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

/// Bytes with the alphabet for addresses, not padded.
pub fn encode_url(bytes: &[u8]) -> String {
    with(URL, bytes)
}

/// The bytes of a text with the standard alphabet; `None` if a character does not belong there.
/// White space and padding are skipped.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    from(STANDARD, text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'='))
}

/// Where a text stops being base64 with its padding, as Go's decoder counts; `None` if it is all
/// good.
pub fn bad_byte(text: &str) -> Option<usize> {
    let bytes: Vec<(usize, u8)> =
        text.bytes().enumerate().filter(|(_, b)| !matches!(b, b'\n' | b'\r')).collect();
    let mut done = 0;
    while done < bytes.len() {
        let group = &bytes[done..bytes.len().min(done + 4)];
        let odd = group.iter().position(|(_, b)| !STANDARD.contains(b));
        match odd.map(|j| (j, group[j])) {
            None if group.len() == 4 => done += 4,
            None => return Some(group[0].0),
            Some((j @ (2 | 3), (at, b'='))) => {
                // padding fills the group, and nothing comes after it
                let rest = &bytes[done + j + 1..];
                let rest = match (j, rest) {
                    (3, rest) | (2, [(_, b'='), rest @ ..]) => rest,
                    (_, [(other, _), ..]) => return Some(*other),
                    _ => return Some(at + 1),
                };
                return rest.first().map(|(at, _)| *at);
            }
            Some((_, (at, _))) => return Some(at),
        }
    }
    None
}

/// The bytes of a text with the alphabet for addresses; `None` if a character does not belong
/// there.
pub fn decode_url(text: &str) -> Option<Vec<u8>> {
    from(URL, text.bytes())
}

fn with(alphabet: &[u8; 64], bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            out.push(char::from(alphabet[(n >> (18 - 6 * i) & 63) as usize]));
        }
    }
    out
}

fn from(alphabet: &[u8; 64], text: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut acc, mut bits) = (0u32, 0);
    for c in text {
        let v = alphabet.iter().position(|a| *a == c)?;
        acc = acc << 6 | u32::try_from(v).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits) as u8);
            acc &= (1 << bits) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (text, coded) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj")] {
            assert_eq!(encode(text.as_bytes()), coded);
            assert_eq!(decode(coded).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(decode("YW\nJj").as_deref(), Some(&b"abc"[..]));
        assert_eq!(decode("Y-Q="), None);
        for good in ["", "YQ==", "YWI=", "YWJj", "YW\nJj", "YWJjYQ=="] {
            assert_eq!(bad_byte(good), None, "{good}");
        }
        for (bad, at) in
            [("hello!", 5), ("abc", 0), ("hello", 4), ("a===", 1), ("YQ=a", 3), ("YQ==YQ==", 4)]
        {
            assert_eq!(bad_byte(bad), Some(at), "{bad}");
        }
        assert_eq!(encode_url(&[0xfb, 0xff]), "-_8");
        assert_eq!(decode_url("-_8").as_deref(), Some(&[0xfb, 0xff][..]));
        assert_eq!(decode_url("+/8"), None);
    }
}
