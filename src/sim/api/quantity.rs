//! Quantities as the API writes them: `500m`, `1Gi`, `1.5`, `1e3`.

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
    let digits = text.trim_start_matches(['+', '-']);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let (number, suffix) = digits.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || digits.len() + 1 < text.len() {
        return None;
    }
    let mut value = format!("{whole}{fraction}").parse::<i128>().ok()?;
    let mut ten = 3 - i32::try_from(fraction.len()).ok()?;
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
}
