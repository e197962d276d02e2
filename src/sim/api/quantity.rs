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

/// What the server says of text that has not the form of a quantity.
pub const BAD_FORM: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/// What it says of an unknown suffix.
pub const BAD_SUFFIX: &str = "unable to parse quantity's suffix";

/// Which suffixes a quantity is written with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Binary,
    Decimal,
    Exponent,
}

/// A quantity of an object in thousandths; 0 if it is none.
pub fn of(v: &Value) -> i128 {
    match v {
        Value::Int(i) => i128::from(*i) * 1000,
        v => milli(v.str()).unwrap_or(0),
    }
}

/// A quantity that was read.
struct Quantity {
    /// Billionths; more than there is room for is the most there is.
    nano: i128,
    format: Format,
    /// The server keeps the text: it takes it for canonical already.
    kept: bool,
}

/// A number with a fraction and a suffix, taken apart.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

fn split(text: &str) -> Option<Parts<'_>> {
    let negative = text.starts_with('-');
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text).trim_start_matches('0');
    let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
    let (whole, rest) = rest.split_at(digits(rest));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    let tail = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let tail = tail.strip_prefix(['+', '-']).unwrap_or(tail);
    let whole = if whole.is_empty() { "0" } else { whole };
    let good = !text.is_empty() && digits(tail) == tail.len();
    good.then_some(Parts { negative, whole, fraction, suffix })
}

fn parse(text: &str) -> Result<Quantity, &'static str> {
    // digits that surely fit into 64 bits
    const FAST: usize = 18;
    let text = text.trim();
    let p = split(text).ok_or(BAD_FORM)?;
    let binary = BINARY.iter().find(|(s, _)| *s == p.suffix);
    let decimal = DECIMAL.iter().find(|(s, _)| *s == p.suffix);
    let exponent = p.suffix.strip_prefix(['e', 'E']).filter(|e| !e.is_empty());
    let (format, power, two) = match (binary, decimal, exponent) {
        (Some((_, two)), ..) => (Format::Binary, 0, *two),
        (_, Some((_, ten)), _) => (Format::Decimal, *ten, 0),
        (_, _, Some(e)) => {
            (Format::Exponent, e.parse::<i32>().map_err(|_| BAD_SUFFIX)?.clamp(-60, 60), 0)
        }
        _ if p.suffix.is_empty() => (Format::Decimal, 0, 0),
        _ => return Err(BAD_SUFFIX),
    };
    let places = i32::try_from(p.fraction.len()).unwrap_or(i32::MAX);
    let scale = power.saturating_sub(places);
    let nano = scaled(p.whole, p.fraction, scale.saturating_add(9), two);
    let kept = if format == Format::Binary {
        let digits = 15_i64 - i64::try_from(p.whole.len()).unwrap_or(99) - i64::from(two * 3 / 10);
        let odd = p.whole.parse::<u64>().is_ok_and(|n| n % 8 != 0);
        p.fraction.is_empty() && digits >= 1 && odd
    } else {
        let all = format!("{}{}", p.whole, p.fraction);
        let fast = all.len() <= FAST && scale >= -9;
        fast && scale % 3 == 0 && !all.ends_with("000") && !all.starts_with('0')
    };
    Ok(Quantity { nano: if p.negative { -nano } else { nano }, format, kept })
}

/// Digits times ten to a power and two to another, rounded up.
fn scaled(whole: &str, fraction: &str, ten: i32, two: u32) -> i128 {
    let number = || {
        let digits = format!("{whole}{fraction}").parse::<i128>().ok()?;
        let value = digits.checked_mul(1 << two)?;
        let power = 10_i128.checked_pow(ten.unsigned_abs());
        Some(match power {
            Some(p) if ten >= 0 => value.checked_mul(p)?,
            Some(p) => value / p + i128::from(value % p != 0),
            None if ten < 0 => i128::from(value != 0),
            None => return (value == 0).then_some(0),
        })
    };
    let most = i128::from(i64::MAX) * NANO;
    let value = number().unwrap_or(i128::MAX);
    if two > 0 { value.min(most) } else { value }
}

const NANO: i128 = 1_000_000_000;

/// What is wrong with a quantity, in the server's words.
pub fn fault(text: &str) -> Option<&'static str> {
    parse(text).err()
}

/// The quantity in thousandths, rounded up as Kubernetes rounds; `None` if it is none.
pub fn milli(text: &str) -> Option<i128> {
    parse(text).ok().map(|q| up(q.nano, NANO / 1000))
}

/// A division that rounds away from zero.
fn up(n: i128, by: i128) -> i128 {
    n / by + if n % by == 0 { 0 } else { n.signum() }
}

/// A quantity with `sign` times another added; a sum that starts at nothing is written as what
/// is added.
pub fn plus(a: &str, b: &str, sign: i128) -> String {
    let none = || Quantity { nano: 0, format: Format::Decimal, kept: false };
    let (a, b) = (parse(a).unwrap_or_else(|_| none()), parse(b).unwrap_or_else(|_| none()));
    written(a.nano + sign * b.nano, if a.nano == 0 { b.format } else { a.format })
}

/// The quantity as the server prints it: the largest suffix of its own family (binary,
/// decimal or exponent) that leaves a whole number. `None` if it is none.
pub fn canonical(text: &str) -> Option<String> {
    let q = parse(text).ok()?;
    Some(if q.kept { text.trim().to_owned() } else { written(q.nano, q.format) })
}

/// The same in a list of resources, where nothing is finer than a thousandth.
pub fn canonical_resource(text: &str) -> Option<String> {
    let q = parse(text).ok()?;
    if q.nano % (NANO / 1000) == 0 {
        return canonical(text);
    }
    Some(written(up(q.nano, NANO / 1000) * (NANO / 1000), q.format))
}

fn written(value: i128, format: Format) -> String {
    let (sign, size) =
        if value < 0 { ("-", value.unsigned_abs()) } else { ("", value.unsigned_abs()) };
    if size == 0 {
        return "0".into();
    }
    let whole = size / NANO.unsigned_abs();
    // below 1024 there is no binary suffix; fractions of a byte are decimal
    if format == Format::Binary && size % NANO.unsigned_abs() == 0 && whole >= 1024 {
        let best = BINARY.iter().rev().find(|(_, two)| whole.is_multiple_of(1 << two));
        return match best {
            Some((s, two)) => format!("{sign}{}{s}", whole >> two),
            None => format!("{sign}{whole}"),
        };
    }
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
    .find(|(_, power)| size.is_multiple_of(10_u128.pow((9 + power) as u32)))
    .unwrap_or(("n", -9));
    let count = size / 10_u128.pow((9 + power) as u32);
    if format == Format::Exponent && power != 0 {
        return format!("{sign}{count}e{power}");
    }
    format!("{sign}{count}{s}")
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
            // the server takes what is missing for nothing
            ("Gi", Some(0)),
            (".", Some(0)),
            (" 1 ", Some(1000)),
            ("1.5.1", None),
            ("1 Gi", None),
            ("--1", None),
        ] {
            assert_eq!(milli(text), want, "{text}");
        }
    }

    #[test]
    fn sums() {
        for (a, b, sign, want) in [
            ("0", "1Gi", 1, "1Gi"),
            ("1Gi", "512Mi", 1, "1536Mi"),
            ("1", "500m", 1, "1500m"),
            ("3", "1", -1, "2"),
            ("1Gi", "1Gi", -1, "0"),
        ] {
            assert_eq!(plus(a, b, sign), want, "{a} {b}");
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
            ("1e4", "10e3"),
            ("0.5e3", "500"),
            ("0", "0"),
            ("0.1", "100m"),
            ("1.5", "1500m"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1000Ki", "1000Ki"),
            ("1024Ki", "1Mi"),
            ("512", "512"),
            ("1024", "1024"),
            ("10Gi", "10Gi"),
            ("-1Gi", "-1Gi"),
            ("16Ei", "9223372036854775807"),
            // texts that pass for canonical are not looked at again
            ("+1Gi", "+1Gi"),
            ("1.500", "1.500"),
            ("0.100", "100m"),
            ("1E3", "1E3"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(want), "{text}");
        }
        assert_eq!(canonical("1 GB"), None);
        assert_eq!(canonical_resource("1500u").as_deref(), Some("2m"));
        assert_eq!(canonical_resource("1n").as_deref(), Some("1m"));
        assert_eq!(canonical_resource("0.5").as_deref(), Some("500m"));
    }

    #[test]
    fn what_the_server_says() {
        for (text, want) in [
            ("1Gi", None),
            ("", Some(BAD_FORM)),
            ("1 GB", Some(BAD_FORM)),
            ("1GB", Some(BAD_FORM)),
            ("1gi", Some(BAD_FORM)),
            ("true", Some(BAD_FORM)),
            ("1K", Some(BAD_SUFFIX)),
            ("1MM", Some(BAD_SUFFIX)),
            ("1e", Some(BAD_SUFFIX)),
        ] {
            assert_eq!(fault(text), want, "{text}");
        }
    }
}
