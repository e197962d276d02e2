//! What kubectl looks at itself before it makes objects from flags.

use crate::kubectl::io::{Failure, Res};
use crate::manifest::validation;
use crate::value::{Map, Str, Value, text};

/// Is it a reference to an image, `[registry/]name[:tag][@digest]`?
fn is_image(image: &str) -> bool {
    let (image, digest) = image.split_once('@').map_or((image, None), |(i, d)| (i, Some(d)));
    // a colon before a slash is that of a port
    let name_at = image.rfind('/').map_or(0, |i| i + 1);
    let (name, tag) = match image.get(name_at..).and_then(|last| last.split_once(':')) {
        Some((last, tag)) => (&image[..name_at + last.len()], Some(tag)),
        None => (image, None),
    };
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let good_tag = tag.is_none_or(|t| {
        t.len() <= 128
            && t.bytes().next().is_some_and(word)
            && t.bytes().all(|c| word(c) || b".-".contains(&c))
    });
    let good_digest = digest.is_none_or(|d| {
        let algorithm = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.bytes().all(|c| c.is_ascii_alphanumeric())
        };
        d.split_once(':').is_some_and(|(kind, hex)| {
            kind.split(['-', '_', '+', '.']).all(algorithm)
                && hex.len() >= 32
                && hex.bytes().all(|c| c.is_ascii_hexdigit())
        })
    });
    let good_name = match name.split_once('/') {
        Some((first, rest)) => {
            (is_registry(first) || is_component(first)) && rest.split('/').all(is_component)
        }
        None => is_component(name),
    };
    good_name && good_tag && good_digest
}

/// A host with or without a port.
fn is_registry(s: &str) -> bool {
    let (host, port) = s.split_once(':').map_or((s, None), |(h, p)| (h, Some(p)));
    let part = |p: &str| {
        let ends = [p.bytes().next(), p.bytes().last()];
        ends.iter().all(|c| c.is_some_and(|c| c.is_ascii_alphanumeric()))
            && p.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    let digits = |p: &str| !p.is_empty() && p.bytes().all(|c| c.is_ascii_digit());
    host.split('.').all(part) && port.is_none_or(digits)
}

/// Small letters and digits, divided by a dot, one or two underscores or any hyphens.
fn is_component(s: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let between = |d: &str| matches!(d, "" | "." | "_" | "__") || d.chars().all(|c| c == '-');
    s.starts_with(plain) && s.ends_with(plain) && s.split(plain).all(between)
}

/// The image of `kubectl run`.
///
/// # Errors
/// None, or something else.
pub fn image(image: &str) -> Res<()> {
    if image.is_empty() {
        return Err(Failure::new("--image is required"));
    }
    if !is_image(image) {
        return Err(Failure::new(format!(
            "Invalid image name {image:?}: invalid reference format"
        )));
    }
    Ok(())
}

/// The name of a variable of a file, or of `set env`.
///
/// # Errors
/// It is none.
pub fn variable_name(name: &str) -> Res<()> {
    if is_variable(name) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{name:?} is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
    )))
}

/// Is it a variable's name?
fn is_variable(name: &str) -> bool {
    let first = |c: u8| c.is_ascii_alphabetic() || b"-._".contains(&c);
    name.bytes().next().is_some_and(first) && name.bytes().all(|c| first(c) || c.is_ascii_digit())
}

/// A variable's name and value.
///
/// # Errors
/// It is none.
pub fn variable(env: &str) -> Res<(Str, Str)> {
    match env.split_once('=') {
        Some((name, value)) if is_variable(name) => Ok((text(name), text(value))),
        _ => Err(Failure::new(format!("invalid env: {env}"))),
    }
}

/// `a=b,c=d` as a map.
///
/// # Errors
/// A part that is no pair.
pub fn labels(s: &str) -> Res<Value> {
    let mut map = Map::new();
    for pair in s.split(',') {
        match pair.split('=').collect::<Vec<_>>().as_slice() {
            ["", _] => return Err(Failure::new("unexpected empty label key")),
            [key, value] => map.insert(text(key), text(value)),
            _ => return Err(Failure::new(format!("unexpected label spec: {pair}"))),
        };
    }
    Ok(map.into())
}

/// A number as Go's `strconv` reads it.
///
/// # Errors
/// It is none, or too large.
fn number(s: &str, function: &str, range: std::ops::RangeInclusive<i64>) -> Res<i64> {
    let digits = if *range.start() < 0 { s.strip_prefix(['+', '-']).unwrap_or(s) } else { s };
    let why = if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        "invalid syntax"
    } else {
        match s.parse::<i64>() {
            Ok(n) if range.contains(&n) => return Ok(n),
            _ => "value out of range",
        }
    };
    Err(Failure::new(format!("strconv.{function}: parsing {s:?}: {why}")))
}

/// `--port` of `kubectl run`.
///
/// # Errors
/// It is no number.
pub fn port(s: &str) -> Res<i64> {
    number(s, "Atoi", i64::MIN..=i64::MAX)
}

/// `80:http` of `--tcp`: a port and its target, the same one if there is only one.
///
/// # Errors
/// They are no ports.
pub fn ports(pair: &str) -> Res<(i64, Value)> {
    let mut parts = pair.split(':');
    let port = number(parts.next().unwrap_or(""), "ParseUint", 0..=65_535)?;
    let Some(target) = parts.next() else { return Ok((port, port.into())) };
    match target.parse::<i64>() {
        Ok(n) if (1..=65_535).contains(&n) => Ok((port, n.into())),
        Ok(_) => Err(Failure::new("must be between 1 and 65535, inclusive")),
        Err(_) => {
            let faults = validation::port_name_faults(target);
            if faults.is_empty() {
                Ok((port, text(target).into()))
            } else {
                Err(Failure::new(faults.join(",")))
            }
        }
    }
}

/// Puts a key into the data of a ConfigMap or, without a name, of a Secret.
///
/// # Errors
/// It cannot be a key, or is there already.
pub fn add_key(data: &mut Map, key: &str, value: Str, config_map: Option<&str>) -> Res<()> {
    let faults = validation::config_key_faults(key);
    if !faults.is_empty() {
        let kind = match config_map {
            Some(_) => "a valid key name for a ConfigMap:",
            None => "valid key name for a Secret",
        };
        return Err(Failure::new(format!("{key:?} is not {kind} {}", faults.join(";"))));
    }
    if data.get(key).is_some() {
        return Err(Failure::new(match config_map {
            Some(name) => format!(
                "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap {name:?}"
            ),
            None => format!("cannot add key {key}, another key by that name already exists"),
        }));
    }
    data.insert(text(key), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images() {
        let digest = format!("nginx@sha256:{}", "0a".repeat(32));
        for good in [
            "nginx",
            "nginx:1.27",
            "a.b:80/x/y:1",
            "LOCAL.io/ab",
            "a_b/c__d/e-f.g:V1.2",
            "localhost:5000/a---b",
            &digest,
        ] {
            assert!(is_image(good), "{good}");
        }
        for bad in [
            "a b",
            "A",
            "a/B",
            "nginx:",
            "nginx@sha256:abc",
            "-a",
            "a//b",
            "a___b",
            "a@b",
            "a:80/B",
        ] {
            assert!(!is_image(bad), "{bad}");
        }
    }

    #[test]
    fn numbers() {
        let told = |f: Failure| f.text;
        assert_eq!(ports("80").unwrap(), (80, 80.into()));
        assert_eq!(ports("80:http:x").unwrap(), (80, "http".into()));
        for (pair, want) in [
            ("a", "strconv.ParseUint: parsing \"a\": invalid syntax"),
            ("-1", "strconv.ParseUint: parsing \"-1\": invalid syntax"),
            ("99999", "strconv.ParseUint: parsing \"99999\": value out of range"),
            ("80:0", "must be between 1 and 65535, inclusive"),
            (
                "80:A_",
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-),must contain at least one letter (a-z)",
            ),
        ] {
            assert_eq!(ports(pair).map_err(told), Err(format!("error: {want}")));
        }
        assert_eq!(port("-1").unwrap(), -1);
        assert_eq!(
            port("99999999999999999999").map_err(told),
            Err("error: strconv.Atoi: parsing \"99999999999999999999\": value out of range".into())
        );
    }
}
