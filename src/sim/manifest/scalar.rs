//! What a plain scalar means in YAML 1.1 as go-yaml (v2) reads it: the rules by which both
//! the reader and the printer tell texts from numbers, booleans, null and times.

use crate::value::{Value, text};

/// The value of a plain scalar.
pub fn resolve(s: &str) -> Value {
    match s {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    number(s).unwrap_or_else(|| Value::Str(text(s)))
}

/// Would the text, written plain, be read as text again?
pub fn is_string(s: &str) -> bool {
    s != "<<"
        && matches!(resolve(s), Value::Str(_))
        && !is_time(s)
        && !is_base60(s)
        && special(s).is_none()
}

/// The name that Go gives to a number that JSON has not: `.inf` is `+Inf`.
pub fn special(s: &str) -> Option<&'static str> {
    let t = s.strip_prefix(['+', '-']).unwrap_or(s);
    match t {
        ".inf" | ".Inf" | ".INF" => Some(if s.starts_with('-') { "-Inf" } else { "+Inf" }),
        ".nan" | ".NaN" | ".NAN" if t == s => Some("NaN"),
        _ => None,
    }
}

fn number(s: &str) -> Option<Value> {
    let first = s.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    let plain = s.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let radix = |prefixes: [&str; 2], radix: u32| {
        let rest = prefixes.iter().find_map(|p| digits.strip_prefix(p))?;
        (!rest.is_empty() && rest.chars().all(|c| c.is_digit(radix)))
            .then(|| i64::from_str_radix(rest, radix).ok())
            .flatten()
    };
    let whole = radix(["0x", "0X"], 16)
        .or_else(|| radix(["0b", "0B"], 2))
        .or_else(|| radix(["0o", "0O"], 8))
        .or_else(|| {
            let octal = digits.len() > 1 && digits.starts_with('0');
            let base = if octal { 8 } else { 10 };
            let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
            all.then(|| i64::from_str_radix(digits, base).ok()).flatten()
        });
    if let Some(n) = whole {
        return Some(Value::Int(if negative { -n } else { n }));
    }
    is_float(digits).then(|| plain.parse::<f64>().ok()).flatten().filter(|f| f.is_finite()).map(
        |f| {
            // a number without a fraction is a whole number once it is JSON
            let small = f.fract() == 0.0 && f.abs() < 1e15;
            if small { Value::Int(f as i64) } else { Value::Float(f) }
        },
    )
}

/// `[0-9]*\.?[0-9]*([eE][-+]?[0-9]+)?` with at least one digit.
fn is_float(s: &str) -> bool {
    let (mantissa, exponent) = match s.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e)),
        None => (s, None),
    };
    let mut dots = 0;
    let mut digits = 0;
    for c in mantissa.chars() {
        match c {
            '.' => dots += 1,
            '0'..='9' => digits += 1,
            _ => return false,
        }
    }
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit())
    });
    digits > 0 && dots <= 1 && exponent_ok
}

/// `2001-12-14`, `2001-12-14T21:59:43Z` and the like.
fn is_time(s: &str) -> bool {
    let b = s.as_bytes();
    let digits = |r: std::ops::Range<usize>| {
        b.get(r).is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit))
    };
    if !(digits(0..4) && b.get(4) == Some(&b'-')) {
        return false;
    }
    let mut parts = s.splitn(2, ['T', 't', ' ']);
    let date = parts.next().unwrap_or_default();
    let mut numbers = date.split('-');
    let ok = numbers.by_ref().take(3).filter(|n| n.len() <= 4 && n.parse::<u16>().is_ok()).count()
        == 3
        && numbers.next().is_none();
    match parts.next() {
        None => ok && b.len() == 10,
        Some(time) => {
            ok && time.matches(':').count() >= 2 && time.starts_with(|c: char| c.is_ascii_digit())
        }
    }
}

/// `12:30:45`: a number to the base 60 for old readers.
fn is_base60(s: &str) -> bool {
    let t = s.strip_prefix(['+', '-']).unwrap_or(s);
    let mut parts = t.split(':');
    let first = parts.next().unwrap_or_default();
    let head = first.starts_with(|c: char| c.is_ascii_digit())
        && first.chars().all(|c| c.is_ascii_digit() || c == '_');
    let rest: Vec<&str> = parts.collect();
    head && !rest.is_empty()
        && rest.iter().enumerate().all(|(i, p)| {
            let p = if i + 1 == rest.len() { p.split('.').next().unwrap_or(p) } else { p };
            matches!(p.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_one_point_one() {
        for (s, want) in [
            ("0755", Value::Int(493)),
            ("0o17", Value::Int(15)),
            ("1_000", Value::Int(1000)),
            ("0x1F", Value::Int(31)),
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("1e3", Value::Int(1000)),
            ("1.5", Value::Float(1.5)),
            ("~", Value::Null),
            ("08", Value::Int(8)),
            ("1.2.3", Value::from("1.2.3")),
            ("500m", Value::from("500m")),
            ("-", Value::from("-")),
        ] {
            assert_eq!(resolve(s), want, "{s}");
        }
    }

    #[test]
    fn what_needs_quotes() {
        for s in
            ["12:30:45", "2026-11-23T16:41:14Z", "2026-11-23", ".inf", "1.0", "null", "y", "<<"]
        {
            assert!(!is_string(s), "{s}");
        }
        for s in ["web-0", "10.244.1.1", "nginx:1.27", "a:80", "1Gi", "10.0.0.0/8"] {
            assert!(is_string(s), "{s}");
        }
    }
}
