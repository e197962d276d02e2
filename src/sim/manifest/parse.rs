//! YAML and JSON text to values, as kubectl reads it: documents are split at `---` lines,
//! plain scalars mean what go-yaml says, errors carry go-yaml's words. Each value's place in
//! the text is kept.
//!
//! Two readers look at a text. serde_yaml's scanner is libyaml's, as go-yaml's is, so its
//! errors are the errors that kubectl prints; saphyr-parser tells where things stand and
//! whether a scalar was quoted.

use crate::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span as Range};
use serde::Deserialize as _;
use serde::de::IgnoredAny;

use crate::manifest::print::go_syntax;
use crate::manifest::{json, scalar};
use crate::value::{Map, Str, Value, text};

/// Longest text that is read, bytes.
pub const MAX_TEXT: usize = 1 << 20;
/// Most values that one text may unfold to through its aliases.
const MAX_NODES: usize = 200_000;
/// Deepest nesting.
const MAX_DEPTH: usize = 200;
/// Most brackets that may be open at one place, so deep that the reader need not try.
const MAX_OPEN: usize = 500;
/// Most bytes of paths whose places are kept; beyond that there are values without places.
const MAX_PATHS: usize = 16 << 20;
/// Up to so many keys of a map are looked through one by one.
const FEW: usize = 32;

/// A place in the text; lines and columns from 1, `end` after the last character.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column after the last character.
    pub end_column: usize,
}

/// Places of the fields of a document, by path: `spec.template.spec.containers[0].image`.
#[derive(Clone, Debug, Default)]
pub struct Spans(BTreeMap<String, (Span, Span)>);

impl Spans {
    /// Place of a field's key (of the item itself in a list), or of the nearest field around it.
    pub fn key(&self, path: &str) -> Span {
        self.nearest(path).0
    }

    /// Place of a field's value, or of the nearest field around it.
    pub fn value(&self, path: &str) -> Span {
        self.nearest(path).1
    }

    fn nearest(&self, path: &str) -> (Span, Span) {
        let mut path = path;
        loop {
            if let Some(found) = self.0.get(path) {
                return *found;
            }
            let cut = path.rfind(['.', '[']).unwrap_or(0);
            if cut == 0 {
                let top = self.0.get("kind").or_else(|| self.0.values().next());
                return top.copied().unwrap_or_default();
            }
            path = &path[..cut];
        }
    }
}

/// One document of a text.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says; `Null` if it is empty.
    pub value: Value,
    /// Line of the text on which it begins, from 1.
    pub line: usize,
    /// Places of its fields.
    pub spans: Spans,
    /// Keys that stand twice in one map, with the place of the second.
    pub duplicates: Vec<(String, Span)>,
}

/// Who could not read a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// go-yaml.
    Yaml,
    /// Who writes as JSON what go-yaml has read.
    Converted,
    /// Go's reader of JSON, which a text that begins with a brace is given to.
    Json,
}

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Who says so.
    pub by: Reads,
    /// Go's words; go-yaml's line is that inside the document: `line 7: did not find expected key`.
    pub message: String,
    /// Where to look, in the whole text.
    pub span: Span,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = if self.by == Reads::Yaml { "yaml: " } else { "" };
        write!(f, "{head}{}", self.message)
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    fn yaml(message: impl Into<String>, span: Span) -> Self {
        Self { by: Reads::Yaml, message: message.into(), span }
    }
}

/// The documents of a text, empty ones left out; each stands or fails by itself.
pub fn parse(text: &str) -> Vec<Result<Document, ParseError>> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    if body.len() > MAX_TEXT {
        let message = format!("the text is too long: {} bytes, at most {MAX_TEXT}", body.len());
        return vec![Err(ParseError::yaml(message, Span::default()))];
    }
    if body.trim_start().starts_with('{')
        && let Some(documents) = json_stream(body)
    {
        return documents;
    }
    split(body)
        .into_iter()
        .map(|(line, part)| document(line, &part))
        .filter(|r| !matches!(r, Ok(d) if d.value.is_null()))
        .collect()
}

/// JSON objects one after the other, and what is wrong with the first that is none; `None` if
/// the reader of YAML has to look: it knows the places in a text with one object, and YAML may
/// follow JSON after `---`.
fn json_stream(text: &str) -> Option<Vec<Result<Document, ParseError>>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(rest) = text.get(from..).filter(|rest| !rest.trim().is_empty()) {
        match json::value(text, from) {
            Ok(end) => {
                let value: serde_json::Value = serde_json::from_str(text.get(from..end)?).ok()?;
                let value = serde_yaml::to_value(value).map_or(Value::Null, convert);
                let (spans, duplicates) = (Spans::default(), Vec::new());
                found.push(Ok(Document { value, line: 1, spans, duplicates }));
                from = end;
            }
            Err(_) if rest.trim_start().starts_with("---") => return None,
            Err(fault) => {
                found.push(Err(json_error(text, &fault)));
                return Some(found);
            }
        }
    }
    (found.len() > 1).then_some(found)
}

/// A text that breaks off, or is no JSON any more.
fn json_error(text: &str, fault: &json::Fault) -> ParseError {
    let message = match &fault.message {
        Some(message) => format!("json: offset {}: {message}", fault.offset),
        None => "unexpected EOF".to_owned(),
    };
    let before = text.as_bytes().get(..fault.offset.saturating_sub(1)).unwrap_or_default();
    let before = String::from_utf8_lossy(before);
    let (line, last) = before.split('\n').enumerate().last().unwrap_or_default();
    let (line, column) = (line + 1, last.chars().count() + 1);
    ParseError { by: Reads::Json, message, span: at(line, column, 1) }
}

/// Cuts a text at its `---` lines; gives each part and the line on which it begins.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut parts = vec![(1, String::new())];
    for (i, line) in text.lines().enumerate() {
        let rest = line.strip_prefix("---").map(str::trim);
        if rest.is_some_and(|r| r.is_empty() || r.starts_with('#')) {
            parts.push((i + 2, String::new()));
        } else if let Some((_, part)) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

fn document(line: usize, part: &str) -> Result<Document, ParseError> {
    // libyaml looks at every open bracket for each token: a million of them would take hours
    if super::nesting::depth(part) > MAX_OPEN {
        return Err(ParseError::yaml(TOO_DEEP, at(line, 1, 1)));
    }
    if let Some(error) = syntax_error(line, part) {
        return Err(error);
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(part),
        line,
        spans: Spans::default(),
        duplicates: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        paths: 0,
    };
    match reader.document() {
        Ok(value) => {
            Ok(Document { value, line, spans: reader.spans, duplicates: reader.duplicates })
        }
        Err(Trouble::Limit(message)) => Err(ParseError::yaml(message, at(line, 1, 1))),
        Err(Trouble::Key(key, span)) => Err(ParseError::yaml(
            format!("invalid map key: {}", go_syntax(&key, "interface {}")),
            span,
        )),
        Err(Trouble::Number(number, span)) => {
            let message = format!("json: unsupported value: {number}");
            Err(ParseError { by: Reads::Converted, message, span })
        }
        // the second reader is stricter in corners: without it there are no places, but values
        Err(Trouble::Reader) => plain(line, part),
    }
}

fn at(line: usize, column: usize, len: usize) -> Span {
    Span { line, column, end_line: line, end_column: column + len }
}

/// The error that go-yaml would find, if any.
fn syntax_error(line: usize, part: &str) -> Option<ParseError> {
    // the last words of errors that come from the parser; all others come from the scanner,
    // whose lines go-yaml counts differently
    const PARSER: [&str; 8] = [
        "did not find expected key",
        "did not find expected '-' indicator",
        "did not find expected ',' or ']'",
        "did not find expected ',' or '}'",
        "did not find expected node content",
        "did not find expected <document start>",
        "found duplicate %YAML directive",
        "found undefined tag handle",
    ];
    // what follows the end of the document is not looked at
    let error = IgnoredAny::deserialize(serde_yaml::Deserializer::from_str(part).next()?).err()?;
    let full = error.to_string();
    let what = full.split(" at line ").next().unwrap_or(&full);
    let what = what.rsplit(": ").next().unwrap_or(what);
    let (l, c) = error.location().map_or((1, 1), |p| (p.line(), p.column()));
    let span = at(line + l - 1, c.max(1), 1);
    let message = if what == "unknown anchor" {
        let name = part
            .lines()
            .nth(l - 1)
            .and_then(|text| text.get(c.saturating_sub(1)..))
            .and_then(|rest| rest.split('*').nth(1))
            .map(|n| n.split([' ', ',', ']', '}']).next().unwrap_or(n))
            .unwrap_or_default();
        format!("unknown anchor '{name}' referenced")
    } else {
        let line = if PARSER.contains(&what) { l.saturating_sub(1) } else { l };
        // go-yaml takes the first line for none at all
        if l <= 1 { what.to_owned() } else { format!("line {line}: {what}") }
    };
    Some(ParseError::yaml(message, span))
}

const TOO_DEEP: &str = "exceeded max depth of 200";

enum Trouble {
    Reader,
    Limit(&'static str),
    /// A map or a list where the key of a map should be, as `{{ .Values.x }}` is one.
    Key(Value, Span),
    /// A number that JSON has not.
    Number(&'static str, Span),
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    line: usize,
    spans: Spans,
    duplicates: Vec<(String, Span)>,
    anchors: BTreeMap<usize, Value>,
    nodes: usize,
    /// Bytes of all paths so far.
    paths: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Range), Trouble> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            _ => Err(Trouble::Reader),
        }
    }

    fn document(&mut self) -> Result<Value, Trouble> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(Value::Null),
                (event, range) => return self.node(event, range, "", 0).map(|(v, _)| v),
            }
        }
    }

    fn span(&self, range: Range) -> Span {
        Span {
            line: range.start.line() + self.line - 1,
            column: range.start.col() + 1,
            end_line: range.end.line() + self.line - 1,
            end_column: range.end.col() + 1,
        }
    }

    fn node(
        &mut self,
        event: Event<'a>,
        range: Range,
        path: &str,
        depth: usize,
    ) -> Result<(Value, Span), Trouble> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Trouble::Limit("document contains excessive aliasing"));
        }
        if depth > MAX_DEPTH {
            return Err(Trouble::Limit(TOO_DEEP));
        }
        let span = self.span(range);
        match event {
            Event::Scalar(s, style, anchor, tag) => {
                let tagged = tag.as_ref().map(|t| t.suffix.as_str());
                let value =
                    if tagged == Some("str") || style != ScalarStyle::Plain && tagged.is_none() {
                        Value::Str(text(&s))
                    } else if let Some(number) = scalar::special(&s) {
                        return Err(Trouble::Number(number, span));
                    } else {
                        scalar::resolve(&s)
                    };
                self.remember(anchor, &value);
                Ok((value, span))
            }
            Event::Alias(id) => {
                let value = self.anchors.get(&id).cloned().unwrap_or_default();
                self.nodes += size(&value);
                Ok((value, span))
            }
            Event::SequenceStart(anchor, _) => {
                let mut list = Vec::new();
                let mut end = span;
                loop {
                    let (event, range) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    let inner = format!("{path}[{}]", list.len());
                    let (value, span) = self.node(event, range, &inner, depth + 1)?;
                    end = span;
                    self.place(inner, span, span)?;
                    list.push(value);
                }
                let value = Value::from(list);
                self.remember(anchor, &value);
                Ok((value, joined(span, end)))
            }
            Event::MappingStart(anchor, _) => {
                let (map, end) = self.mapping(path, depth)?;
                let value = Value::from(map);
                self.remember(anchor, &value);
                Ok((value, joined(span, end.unwrap_or(span))))
            }
            _ => Err(Trouble::Reader),
        }
    }

    fn mapping(&mut self, path: &str, depth: usize) -> Result<(Map, Option<Span>), Trouble> {
        let mut pairs: Vec<(Str, Value)> = Vec::new();
        let mut keys: Option<BTreeSet<Str>> = None;
        let mut merged: Vec<Value> = Vec::new();
        let mut end = None;
        loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merge = matches!(&event, Event::Scalar(s, ScalarStyle::Plain, ..) if s == "<<");
            let (key, key_span) = match self.node(event, range, path, depth + 1) {
                // as a key it is a text
                Err(Trouble::Number(number, span)) => (number.into(), span),
                other => other?,
            };
            let key: Str = match key {
                Value::Map(_) | Value::List(_) => return Err(Trouble::Key(key, key_span)),
                Value::Str(s) => s,
                Value::Null => "null".into(),
                other => other.to_string().into(),
            };
            let inner = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
            let (event, range) = self.next()?;
            let (value, span) = self.node(event, range, &inner, depth + 1)?;
            end = Some(span);
            if merge {
                match value {
                    Value::List(l) => merged.extend(l.iter().cloned()),
                    other => merged.push(other),
                }
                continue;
            }
            let twice = match &mut keys {
                Some(keys) => !keys.insert(key.clone()),
                None => pairs.iter().any(|(k, _)| *k == key),
            };
            if twice {
                self.duplicates.push((inner.clone(), key_span));
            }
            self.place(inner, key_span, span)?;
            pairs.push((key, value));
            if keys.is_none() && pairs.len() == FEW {
                keys = Some(pairs.iter().map(|(k, _)| k.clone()).collect());
            }
        }
        // own keys count before merged ones, and those of earlier maps before those of later ones
        let merged = merged.iter().rev().flat_map(Value::pairs);
        let map = merged.map(|(k, v)| (k.clone(), v.clone())).chain(pairs).collect();
        Ok((map, end))
    }

    /// Keeps the place of a field.
    fn place(&mut self, path: String, key: Span, value: Span) -> Result<(), Trouble> {
        self.paths += path.len();
        if self.paths > MAX_PATHS {
            return Err(Trouble::Reader);
        }
        self.spans.0.insert(path, (key, value));
        Ok(())
    }

    fn remember(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
    }
}

fn joined(start: Span, end: Span) -> Span {
    Span { end_line: end.end_line, end_column: end.end_column, ..start }
}

/// Number of values in a tree, counted up to the limit.
fn size(value: &Value) -> usize {
    let mut n = 0;
    let mut open = vec![value];
    while let Some(v) = open.pop() {
        n += 1;
        if n > MAX_NODES {
            break;
        }
        open.extend(v.items());
        open.extend(v.pairs().map(|(_, v)| v));
    }
    n
}

/// Values without places.
fn plain(line: usize, part: &str) -> Result<Document, ParseError> {
    let value = match serde_yaml::Deserializer::from_str(part).next() {
        Some(first) => serde_yaml::Value::deserialize(first)
            .map_err(|e| ParseError::yaml(e.to_string(), at(line, 1, 1)))?,
        None => serde_yaml::Value::Null,
    };
    let value = convert(value);
    Ok(Document { value, line, spans: Spans::default(), duplicates: Vec::new() })
}

fn convert(v: serde_yaml::Value) -> Value {
    match v {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(b) => Value::Bool(b),
        serde_yaml::Value::Number(n) => {
            n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or(0.0)), Value::Int)
        }
        serde_yaml::Value::String(s) => Value::Str(s.into()),
        serde_yaml::Value::Sequence(l) => l.into_iter().map(convert).collect::<Vec<_>>().into(),
        serde_yaml::Value::Mapping(m) => m
            .into_iter()
            .map(|(k, v)| match convert(k) {
                Value::Str(s) => (s, convert(v)),
                other => (Str::from(other.to_string()), convert(v)),
            })
            .collect::<Map>()
            .into(),
        serde_yaml::Value::Tagged(t) => convert(t.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Document {
        parse(text).remove(0).unwrap()
    }

    #[test]
    fn scalars_and_places() {
        let d = one("\u{feff}a: yes\r\nb:\r\n- \"yes\"\r\n- 0755\r\nc: {d: 'x', e: ~}\r\n");
        assert_eq!(d.value.to_string(), r#"{"a":true,"b":["yes",493],"c":{"d":"x","e":null}}"#);
        assert_eq!(d.spans.key("c.d"), at(5, 5, 1));
        assert_eq!(d.spans.value("b[1]"), at(4, 3, 4));
        assert_eq!(d.spans.key("b[1].nope"), at(4, 3, 4), "the nearest field around it");
    }

    #[test]
    fn documents_anchors_and_merges() {
        let docs = parse(
            "x: 1\n---\n# nothing\n---\na: &a {p: 1, q: 2}\nb:\n  <<: *a\n  q: 3\n--- # end\n",
        );
        assert_eq!(docs.len(), 2);
        let second = docs[1].clone().unwrap();
        assert_eq!(second.line, 5);
        assert_eq!(second.value["b"].to_string(), r#"{"p":1,"q":3}"#);
        assert_eq!(one("a: 1\na: 2\n").value.to_string(), r#"{"a":2}"#);
        assert_eq!(one("a: 1\na: 2\n").duplicates.len(), 1);
        assert_eq!(one("{\"a\": [1, 2]}").value.to_string(), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn errors_have_go_yamls_words() {
        let error = |text: &str| parse(text).remove(0).unwrap_err().message;
        assert_eq!(
            error("a:\n  b: 1\n   c: 2\n"),
            "line 3: mapping values are not allowed in this context"
        );
        assert_eq!(error("a: *r\n"), "unknown anchor 'r' referenced");
        assert_eq!(error("x: 1\na: b\nname:y\nc: d\n"), "line 4: could not find expected ':'");
        assert_eq!(error("x: 1\nb:\n  c: \"y\n\n\n"), "line 6: found unexpected end of stream");
        assert_eq!(error("# one\n# two\na:\n  b: 1\n c: 2\n"), "line 4: did not find expected key");
        assert_eq!(
            error("name: {{ .x }}\n"),
            "invalid map key: map[interface {}]interface {}{\".x\":interface {}(nil)}"
        );
        assert_eq!(error("a: \"x\n"), "line 2: found unexpected end of stream");
        assert_eq!(error("a: b: c"), "mapping values are not allowed in this context");
    }

    #[test]
    fn json_objects_may_follow_each_other() {
        let two = parse("{\"a\": 1} {\"a\": [\"x\"]}\n");
        assert_eq!(two.len(), 2);
        assert_eq!(two[1].as_ref().unwrap().value.to_string(), r#"{"a":["x"]}"#);
        let told = |text: &str| parse(text).pop().unwrap().unwrap_err().to_string();
        assert_eq!(told("{\"a\": 1} {\"a\""), "unexpected EOF");
        assert_eq!(
            told("{\"a\": {\n  \"b\": 1,\n}}"),
            "json: offset 19: invalid character '}' looking for beginning of object key string"
        );
        assert_eq!(parse("{\"a\": 1}\n---\nb: 2\n").len(), 2);
        assert!(parse("{\n\t\"a\": [\n\t\t1\n\t]\n}\n")[0].is_ok());
    }

    #[test]
    fn what_follows_the_end_of_a_document_is_nothing() {
        let docs = parse("a: 1\n...\nb: [\n---\nc: 2\n");
        let values: Vec<String> = docs.into_iter().map(|d| d.unwrap().value.to_string()).collect();
        assert_eq!(values, [r#"{"a":1}"#, r#"{"c":2}"#]);
    }

    #[test]
    fn json_has_no_infinity() {
        for (text, want) in [("a: .inf", "+Inf"), ("a: [-.Inf]", "-Inf"), ("a: .NaN", "NaN")] {
            let error = parse(text).remove(0).unwrap_err();
            assert_eq!(error.to_string(), format!("json: unsupported value: {want}"));
        }
        assert_eq!(one("a: '.inf'").value.to_string(), r#"{"a":".inf"}"#);
    }

    #[test]
    fn bombs_are_defused() {
        let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (x, y) in ["ab", "bc", "cd", "de", "ef", "fg"].iter().map(|p| p.split_at(1)) {
            bomb.push_str(&format!("{y}: &{y} [*{x},*{x},*{x},*{x},*{x},*{x},*{x},*{x},*{x}]\n"));
        }
        assert!(parse(&bomb)[0].is_err());
        assert!(parse(&"[".repeat(100_000))[0].is_err());
        let quoted = format!("a: \"{}\"\nb: |\n  {}\n", "[".repeat(600), "{".repeat(600));
        assert!(parse(&quoted)[0].is_ok());
        assert!(parse(&"a".repeat(MAX_TEXT + 1))[0].is_err());
    }
}
