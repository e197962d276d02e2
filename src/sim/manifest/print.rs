//! Objects to text, as kubectl prints them: YAML in go-yaml's style, JSON with four spaces.

use std::fmt::Write as _;

use crate::manifest::scalar;
use crate::schema::{self, Type};
use crate::value::{Str, Value, write_json_string};

/// Column after which go-yaml breaks plain and quoted scalars at a space.
const WIDTH: usize = 80;

/// The value as `kubectl get -o yaml` prints it, with a newline at the end.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Map(m) if !m.is_empty() => block(&mut out, value, 0, false),
        Value::List(l) if !l.is_empty() => block(&mut out, value, 0, false),
        _ => {
            inline(&mut out, value, 0);
            out.push('\n');
        }
    }
    out
}

/// A map or list as Go's `fmt` prints it: `map[a:1]`, `[x y]`.
pub fn go_text(v: &Value) -> String {
    match v {
        Value::Map(_) => {
            let parts: Vec<String> =
                v.pairs().map(|(k, v)| format!("{k}:{}", go_text(v))).collect();
            format!("map[{}]", parts.join(" "))
        }
        Value::List(_) => {
            let parts: Vec<String> = v.items().iter().map(go_text).collect();
            format!("[{}]", parts.join(" "))
        }
        Value::Null => "<nil>".into(),
        Value::Str(s) => s.to_string(),
        other => other.to_string(),
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A list or map with something in it.
fn is_block(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_)) && !value.is_empty()
}

/// Writes a map or list; `started`: the first line's indentation is written already.
fn block(out: &mut String, value: &Value, indent: usize, mut started: bool) {
    for (key, v) in value.pairs() {
        if !std::mem::take(&mut started) {
            pad(out, indent);
        }
        scalar_text(out, key, indent, true);
        out.push(':');
        match v {
            // lists stand below their key without indentation
            Value::List(l) if !l.is_empty() => {
                out.push('\n');
                block(out, v, indent, false);
            }
            v if is_block(v) => {
                out.push('\n');
                block(out, v, indent + 2, false);
            }
            v => {
                out.push(' ');
                inline(out, v, indent + 2);
                out.push('\n');
            }
        }
    }
    for item in value.items() {
        if !std::mem::take(&mut started) {
            pad(out, indent);
        }
        out.push_str("- ");
        if is_block(item) {
            block(out, item, indent + 2, true);
        } else {
            inline(out, item, indent + 2);
            out.push('\n');
        }
    }
}

fn inline(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Str(s) => scalar_text(out, s, indent, false),
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
        Value::Float(f) => out.push_str(&float(*f)),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// A number with a fraction as Go prints it.
fn float(f: f64) -> String {
    let text = format!("{f}");
    let digits = text.trim_start_matches('-').len();
    if digits > 21 { format!("{f:e}").replace('e', "e+") } else { text }
}

/// What a text may look like in YAML (libyaml's `analyze_scalar`).
struct Shape {
    plain: bool,
    single: bool,
    literal: bool,
}

fn shape(s: &str) -> Shape {
    let chars: Vec<char> = s.chars().collect();
    let mut block_indicator = s.starts_with("---") || s.starts_with("...");
    let (mut breaks, mut special) = (false, false);
    let (mut space_break, mut break_space) = (false, false);
    for (i, &c) in chars.iter().enumerate() {
        let after_blank = i == 0 || matches!(chars[i - 1], ' ' | '\t' | '\n');
        let before_blank = chars.get(i + 1).is_none_or(|n| matches!(n, ' ' | '\t' | '\n'));
        block_indicator |= match c {
            '#' if i > 0 => after_blank,
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`' => i == 0,
            '?' | '-' => i == 0 && before_blank,
            ':' => before_blank,
            _ => false,
        };
        match c {
            '\n' => {
                breaks = true;
                space_break |= i > 0 && chars[i - 1] == ' ';
            }
            ' ' => break_space |= i > 0 && chars[i - 1] == '\n',
            // go-yaml takes nothing beyond the first plane for printable
            c => {
                special |= c < ' '
                    || ('\u{7f}'..='\u{9f}').contains(&c)
                    || matches!(c, '\u{feff}' | '\u{10000}'..);
            }
        }
    }
    let edge = |c: Option<&char>| c.is_some_and(|c| matches!(c, ' ' | '\n'));
    let edges = edge(chars.first()) || edge(chars.last());
    let trailing_space = chars.last() == Some(&' ');
    Shape {
        plain: !(block_indicator || breaks || special || edges || break_space || space_break),
        single: !(special || break_space || space_break),
        literal: !(special || space_break || trailing_space || s.is_empty()),
    }
}

fn scalar_text(out: &mut String, s: &str, indent: usize, key: bool) {
    let shape = shape(s);
    let ambiguous = !scalar::is_string(s);
    if s.contains('\n') && shape.literal && !key {
        literal(out, s, indent);
    } else if !s.contains('\n') && !ambiguous && shape.plain {
        wrapped(out, s, indent, key, std::string::String::push);
    } else if !ambiguous && shape.single && !s.contains('\n') {
        out.push('\'');
        wrapped(out, s, indent, key, |out, c| {
            out.push(c);
            if c == '\'' {
                out.push('\'');
            }
        });
        out.push('\'');
    } else {
        double(out, s, indent, key);
    }
}

fn literal(out: &mut String, s: &str, indent: usize) {
    out.push('|');
    if s.starts_with([' ', '\n']) {
        out.push('2');
    }
    if !s.ends_with('\n') {
        out.push('-');
    } else if s.ends_with("\n\n") || s == "\n" {
        out.push('+');
    }
    for line in s.strip_suffix('\n').unwrap_or(s).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
    }
}

fn column(out: &str) -> usize {
    let line = out.rfind('\n').map_or(0, |i| i + 1);
    out[line..].chars().count()
}

/// Writes a text, breaking at single spaces beyond the width.
fn wrapped(out: &mut String, s: &str, indent: usize, key: bool, put: impl Fn(&mut String, char)) {
    let mut at = column(out);
    let chars: Vec<char> = s.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        let lone = i > 0 && chars[i - 1] != ' ' && chars.get(i + 1).is_some_and(|n| *n != ' ');
        if c == ' ' && lone && !key && at > WIDTH {
            out.push('\n');
            pad(out, indent);
            at = indent;
        } else {
            put(out, c);
            at += 1;
        }
    }
}

fn double(out: &mut String, s: &str, indent: usize, key: bool) {
    out.push('"');
    let mut at = column(out);
    let chars: Vec<char> = s.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        let before = out.len();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{feff}' => out.push_str("\\uFEFF"),
            '\u{10000}'.. => {
                let _ = write!(out, "\\U{:08X}", c as u32);
            }
            c if c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c) => {
                let _ = write!(out, "\\x{:02X}", c as u32);
            }
            ' ' if !key && at > WIDTH && i > 0 && i + 1 < chars.len() && chars[i - 1] != ' ' => {
                out.push('\n');
                pad(out, indent);
                at = indent;
                if chars[i + 1] == ' ' {
                    out.push('\\');
                }
                continue;
            }
            c => out.push(c),
        }
        at += out[before..].chars().count();
    }
    out.push('"');
}

/// The value as `kubectl get -o json` prints it, with a newline at the end.
pub fn to_json_pretty(value: &Value) -> String {
    let mut out = String::new();
    json(&mut out, value, Some(0), None);
    out.push('\n');
    out
}

/// An object of that kind as Go writes the structure: its fields in their order there. With a
/// newline at the end.
pub fn typed_json(kind: &'static str, value: &Value, pretty: bool) -> String {
    let mut out = String::new();
    json(&mut out, value, pretty.then_some(0), Some(&Type::Struct(kind)));
    out.push('\n');
    out
}

/// Writes JSON, indented or in one line; a structure's fields as Go has them, other keys in order.
fn json(out: &mut String, value: &Value, indent: Option<usize>, known: Option<&Type>) {
    let (open, close) = match value {
        Value::Map(_) => ('{', '}'),
        Value::List(_) => ('[', ']'),
        other => {
            let _ = write!(out, "{other}");
            return;
        }
    };
    let line = |out: &mut String, indent: Option<usize>| {
        if let Some(indent) = indent {
            out.push('\n');
            pad(out, indent);
        }
    };
    let (owner, inner) = match known {
        Some(Type::Struct(name)) => (Some(*name), None),
        Some(Type::List(inner) | Type::Map(inner)) => (None, Some(&**inner)),
        _ => (None, None),
    };
    let below = indent.map(|n| n + 4);
    let mut first = true;
    let mut next = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        line(out, below);
    };
    out.push(open);
    let mut pairs: Vec<(&Str, &Value)> = value.pairs().collect();
    if let Some(owner) = owner {
        pairs.sort_by_key(|(k, _)| schema::go::place(owner, k));
    }
    for (k, v) in pairs {
        next(out);
        let _ = write_json_string(out, k);
        out.push_str(if indent.is_some() { ": " } else { ":" });
        let field = owner.and_then(|o| schema::fields(o)?.iter().find(|f| f.name == k.as_str()));
        json(out, v, below, field.map(|f| &f.field_type).or(inner));
    }
    for v in value.items() {
        next(out);
        json(out, v, below, inner);
    }
    if !value.is_empty() {
        line(out, indent);
    }
    out.push(close);
}

/// A value as Go's `%#v` writes it; the keys of its maps have that type.
pub fn go_syntax(v: &Value, keys: &str) -> String {
    let join = |parts: Vec<String>| parts.join(", ");
    match v {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::List(_) => {
            format!(
                "[]interface {{}}{{{}}}",
                join(v.items().iter().map(|v| go_syntax(v, keys)).collect())
            )
        }
        Value::Map(_) => {
            let pair = |(k, v): (&Str, &Value)| format!("{:?}:{}", k.as_str(), go_syntax(v, keys));
            format!("map[{keys}]interface {{}}{{{}}}", join(v.pairs().map(pair).collect()))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn as_kubectl_prints_it() {
        let v = value!({
            "metadata": {
                "annotations": {"note": "{\"a\":1}\n", "version": "1.0", "yes": "on", "empty": ""},
                "creationTimestamp": "2026-11-23T16:41:14Z"
            },
            "spec": {
                "args": ["-c", "a: b", "- x", "it's", "*"],
                "cpu": "500m", "empty": {}, "list": [], "n": 3, "on": true,
                "ports": [{"name": "web", "port": 80}, [1, 2]]
            }
        });
        let want = "\
metadata:
  annotations:
    empty: \"\"
    note: |
      {\"a\":1}
    version: \"1.0\"
    \"yes\": \"on\"
  creationTimestamp: \"2026-11-23T16:41:14Z\"
spec:
  args:
  - -c
  - 'a: b'
  - '- x'
  - it's
  - '*'
  cpu: 500m
  empty: {}
  list: []
  \"n\": 3
  \"on\": true
  ports:
  - name: web
    port: 80
  - - 1
    - 2
";
        assert_eq!(to_yaml(&v), want);
    }

    #[test]
    fn json_has_four_spaces() {
        let v = value!({"a": [1, {}], "b": []});
        assert_eq!(
            to_json_pretty(&v),
            "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": []\n}\n"
        );
    }
}
