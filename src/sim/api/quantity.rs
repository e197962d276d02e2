//! Quantities as the API writes them: `500m`, `1Gi`, `1.5`, `1e3`.

use crate::value::Value;

/// Binary suffixes and the power of two they stand for.
const BINARY: [(&str, u32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
/// Decimal suffixes and the power of ten they stand for.
const DECIMAL: [(&str, i32); 9] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// The quantity in thousandths, rounded up as Kubernetes rounds; `None` if it is none.
pub fn milli(text: &str) -> Option<i128> {
    scaled(text, 3)
}

/// A quantity of an object in thousandths; 0 if it is none.
pub fn of(v: &Value) -> i128 {
    match v {
        Value::Int(i) => i128::from(*i) * 1000,
        v => milli(v.str()).unwrap_or(0),
    }
}

/// The quantity times ten to the `places`, rounded up.
fn scaled(text: &str, places: i32) -> Option<i128> {
    let digits = text.trim_start_matches(['+', '-']);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let (number, suffix) = digits.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || digits.len() + 1 < text.len() {
        return None;
    }
    let mut value = format!("{whole}{fraction}").parse::<i128>().ok()?;
    let mut ten = places - i32::try_from(fraction.len()).ok()?;
    if let Some((_, two)) = BINARY.iter().find(|(s, _)| *s == suffix) {
        value = value.checked_mul(1 << two)?;
    } else if let Some((_, power)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        ten += power;
    } else if let Some(exponent) = suffix.strip_prefix(['e', 'E']) {
        ten += exponent.parse::<i32>().ok().filter(|e| e.abs() < 30)?;
    } else if !suffix.is_empty() {
        return None;
    }
    let power = 10_i128.checked_pow(ten.unsigned_abs())?;
    value = if ten < 0 {
        value.div_euclid(power) + i128::from(value % power != 0)
    } else {
        value.checked_mul(power)?
    };
    Some(if text.starts_with('-') { -value } else { value })
}

/// The quantity as the server prints it: the largest suffix of its own family (binary,
/// decimal or exponent) that leaves a whole number. `None` if it is none.
pub fn canonical(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-'));
    let suffix = &text[end.unwrap_or(text.len())..];
    let value = nano(text)?;
    let (sign, size) = if value < 0 { ("-", -value) } else { ("", value) };
    if size == 0 {
        return Some("0".into());
    }
    if BINARY.iter().any(|(s, _)| *s == suffix) {
        // below 1024 there is no binary suffix; fractions of a byte are decimal
        let best = BINARY.iter().rev().find(|(_, two)| size % (1_000_000_000 << two) == 0);
        if let Some((s, two)) = best {
            return Some(format!("{sign}{}{s}", size / (1_000_000_000 << two)));
        }
    }
    let exponent = suffix.starts_with(['e', 'E']) && suffix.len() > 1;
    let (s, power) = [
        ("E", 18),
        ("P", 15),
        ("T", 12),
        ("G", 9),
        ("M", 6),
        ("k", 3),
        ("", 0),
        ("m", -3),
        ("u", -6),
    ]
    .into_iter()
    .find(|(_, power)| size % 10_i128.pow((9 + power) as u32) == 0)
    .unwrap_or(("n", -9));
    let count = size / 10_i128.pow((9 + power) as u32);
    if exponent && power != 0 {
        return Some(format!("{sign}{count}e{power}"));
    }
    Some(format!("{sign}{count}{s}"))
}

/// The quantity in billionths, rounded up; `None` if it is none.
fn nano(text: &str) -> Option<i128> {
    scaled(text, 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, want) in [
            ("1Gi", Some(1000 << 30)),
            ("0.5Gi", Some(500 << 30)),
            ("500m", Some(500)),
            ("1500u", Some(2)),
            ("2", Some(2000)),
            ("-3", Some(-3000)),
            ("1e3", Some(1_000_000)),
            ("1E", Some(1_000_000_000_000_000_000_000)),
            ("1k", Some(1_000_000)),
            ("", None),
            ("Gi", None),
            ("1.5.1", None),
            ("1 Gi", None),
            ("--1", None),
        ] {
            assert_eq!(milli(text), want, "{text}");
        }
    }

    #[test]
    fn canonical_forms() {
        for (text, want) in [
            ("1Gi", "1Gi"),
            ("1024Mi", "1Gi"),
            ("1000Mi", "1000Mi"),
            ("0.5Gi", "512Mi"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.3", "300m"),
            ("2000", "2k"),
            ("1G", "1G"),
            ("1e3", "1e3"),
            ("0", "0"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(want), "{text}");
        }
        assert_eq!(canonical("1 GB"), None);
    }
}
