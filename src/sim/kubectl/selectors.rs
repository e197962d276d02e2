//! Selectors as typed: `-l app=nginx`, `--field-selector status.phase=Running`.

use crate::api::{Kind, Obj};
use crate::kubectl::io::{Failure, Res};
use crate::value;
use crate::value::{Value, text};

/// The server cannot use selectors: cli-runtime's `EnhanceListError`.
fn unfound(kind: Kind, labels: &str, fields: &str, why: &str) -> Failure {
    let info = kind.info();
    let (group, version, plural) = (info.group, info.version, info.plural);
    Failure::raw(format!(
        "Error from server (BadRequest): Unable to find \"{group}/{version}, Resource={plural}\" that match label selector {labels:?}, field selector {fields:?}: {why}"
    ))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    Is,
    IsNot,
    In,
    NotIn,
    Exists,
    Missing,
    Greater,
    Less,
}

/// The operators of selectors that stand between a key and a value.
const OPS: [(&str, Op); 7] = [
    ("=", Op::Is),
    ("==", Op::Is),
    ("!=", Op::IsNot),
    ("in", Op::In),
    ("notin", Op::NotIn),
    (">", Op::Greater),
    ("<", Op::Less),
];

/// What is said of a value that is none for a label.
pub const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Is it a label's value, or the name part of its key?
pub fn good_label(s: &str) -> bool {
    s.len() <= 63
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && s.starts_with(|c: char| c.is_ascii_alphanumeric())
        && s.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// A key, and which values it may have.
type Requirement = (String, Op, Vec<String>);

/// A label selector as typed: `app=nginx,tier!=x,env in (a,b),!old`.
#[derive(Clone, Debug, Default)]
pub struct Selector(Vec<Requirement>);

/// The words and signs of a selector; the empty one is its end.
struct Tokens<'a>(&'a str);

const SIGNS: [char; 7] = ['=', '!', '(', ')', ',', '>', '<'];

fn is_word(token: &str) -> bool {
    !token.is_empty() && !token.starts_with(SIGNS)
}

impl<'a> Tokens<'a> {
    fn peek(&self) -> &'a str {
        let rest = self.0.trim_start();
        let end = match rest.find(SIGNS) {
            Some(0) if rest.starts_with("==") || rest.starts_with("!=") => 2,
            Some(0) => 1,
            at => {
                at.unwrap_or(rest.len()).min(rest.find(char::is_whitespace).unwrap_or(rest.len()))
            }
        };
        &rest[..end]
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.0 = &self.0.trim_start()[token.len()..];
        token
    }

    fn word(&mut self, expected: &str) -> Result<&'a str, String> {
        let token = self.next();
        if is_word(token) { Ok(token) } else { Err(format!("found '{token}', {expected}")) }
    }

    /// Values in parentheses, each once and in order. Between two commas, and between one and a
    /// parenthesis, stands the empty value.
    fn set(&mut self, values: &mut Vec<&'a str>) -> Result<(), String> {
        let open = self.next();
        if open != "(" {
            return Err(format!("found '{open}' expected: '('"));
        }
        let first = self.peek();
        if !is_word(first) && !matches!(first, "," | ")") {
            return Err(format!("found '{first}', expected: ',', ')' or identifier"));
        }
        loop {
            match self.peek() {
                "," | ")" => values.push(""),
                _ => values.push(self.word("expected: ',', or identifier")?),
            }
            match self.next() {
                ")" => break,
                "," => {}
                other => return Err(format!("found '{other}', expected: ',' or ')'")),
            }
        }
        values.sort_unstable();
        values.dedup();
        Ok(())
    }
}

impl Selector {
    /// Reads one that kubectl judges itself.
    ///
    /// # Errors
    /// kubectl's text for what cannot be read.
    pub fn parse(s: &str) -> Res<Self> {
        Self::read(s).map_err(Failure::new)
    }

    /// Reads one that is sent to the server.
    ///
    /// # Errors
    /// The server's text for what cannot be read.
    pub fn of(kind: Kind, s: &str, fields: &str) -> Res<Self> {
        Self::read(s).map_err(|why| unfound(kind, s, fields, &why))
    }

    /// Reads one into the form that objects carry.
    ///
    /// # Errors
    /// kubectl's text for what cannot be read or be carried so.
    pub fn structure(s: &str) -> Res<Value> {
        let read = Self::read(s).map_err(|why| {
            Failure::new(format!("couldn't parse the selector string \"{s}\": {why}"))
        })?;
        let mut selector = Value::map();
        let mut expressions: Vec<Value> = Vec::new();
        for (key, op, values) in read.0 {
            let operator = match op {
                Op::Is => {
                    let value = values.first().map_or("", String::as_str);
                    selector.entry("matchLabels").set(text(&key), text(value));
                    continue;
                }
                Op::In => "In",
                Op::NotIn => "NotIn",
                Op::Exists => "Exists",
                Op::Missing => "DoesNotExist",
                Op::IsNot => {
                    return Err(Failure::new("\"!=\" is not a valid label selector operator"));
                }
                Op::Greater | Op::Less => {
                    let name = if op == Op::Less { "lt" } else { "gt" };
                    return Err(Failure::new(format!(
                        "{name:?} isn't supported in label selectors"
                    )));
                }
            };
            let mut e = value!({"key": (text(&key)), "operator": operator});
            if !values.is_empty() {
                e.set("values", values.iter().map(|v| Value::from(text(v))).collect::<Vec<_>>());
            }
            expressions.push(e);
        }
        if !expressions.is_empty() {
            selector.set("matchExpressions", expressions);
        }
        Ok(selector)
    }

    fn read(s: &str) -> Result<Self, String> {
        let mut tokens = Tokens(s);
        let mut out = Vec::new();
        loop {
            match tokens.peek() {
                "" => break,
                t if !is_word(t) && t != "!" => {
                    return Err(format!(
                        "found '{t}', expected: !, identifier, or 'end of string'"
                    ));
                }
                _ => out.push(
                    Self::requirement(&mut tokens)
                        .map_err(|why| format!("unable to parse requirement: {why}"))?,
                ),
            }
            match tokens.next() {
                "" => break,
                "," => {
                    let next = tokens.peek();
                    if !is_word(next) && next != "!" {
                        return Err(format!("found '{next}', expected: identifier after ','"));
                    }
                }
                other => {
                    return Err(format!("found '{other}', expected: ',' or 'end of string'"));
                }
            }
        }
        out.sort_by(|(a, ..): &Requirement, (b, ..)| a.cmp(b));
        Ok(Self(out))
    }

    fn requirement(tokens: &mut Tokens<'_>) -> Result<Requirement, String> {
        let missing = tokens.peek() == "!";
        if missing {
            tokens.next();
        }
        let key = tokens.word("expected: identifier")?;
        let name = key.rsplit('/').next().unwrap_or("");
        if name.is_empty() || !good_label(name) {
            let empty = if name.is_empty() { "name part must be non-empty; " } else { "" };
            return Err(format!(
                "<nil>: Invalid value: {key:?}: {empty}name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            ));
        }
        let key = key.to_owned();
        if missing {
            return Ok((key, Op::Missing, Vec::new()));
        }
        if matches!(tokens.peek(), "" | ",") {
            return Ok((key, Op::Exists, Vec::new()));
        }
        let found = tokens.next();
        let Some((_, op)) = OPS.iter().find(|(name, _)| *name == found) else {
            return Err(format!("found '{found}', expected: in, notin, =, ==, !=, gt, lt"));
        };
        let mut values = Vec::new();
        if matches!(op, Op::In | Op::NotIn) {
            tokens.set(&mut values)?;
        } else {
            let empty = matches!(tokens.peek(), "" | ",");
            values.push(if empty { "" } else { tokens.word("expected: identifier")? });
        }
        for (i, v) in values.iter().enumerate() {
            if matches!(op, Op::Greater | Op::Less) && v.parse::<i64>().is_err() {
                return Err(format!(
                    "values[{i}]: Invalid value: {v:?}: for 'Gt', 'Lt' operators, the value must be an integer"
                ));
            }
            if !v.is_empty() && !good_label(v) {
                return Err(format!("values[{i}][{key}]: Invalid value: {v:?}: {LABEL_VALUE}"));
            }
        }
        Ok((key, *op, values.into_iter().map(str::to_owned).collect()))
    }

    /// Do these labels match?
    pub fn matches(&self, labels: &Value) -> bool {
        self.0.iter().all(|(key, op, values)| {
            let value = labels.get(key).as_str();
            let among = || value.is_some_and(|v| values.iter().any(|x| x == v));
            let number = || Some((value?.parse::<i64>().ok()?, values.first()?.parse().ok()?));
            match op {
                Op::Is | Op::In => among(),
                Op::IsNot | Op::NotIn => !among(),
                Op::Exists => value.is_some(),
                Op::Missing => value.is_none(),
                Op::Greater => number().is_some_and(|(a, b)| a > b),
                Op::Less => number().is_some_and(|(a, b)| a < b),
            }
        })
    }

    /// Does it select everything?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A field selector as typed: `status.phase=Running,spec.nodeName!=n1`.
#[derive(Clone, Debug, Default)]
pub struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    /// Reads it for a kind.
    ///
    /// # Errors
    /// The server's text for what cannot be read or selected by.
    pub fn of(kind: Kind, labels: &str, s: &str) -> Res<Self> {
        let mut out = Vec::new();
        for part in s.split(',').filter(|p| !p.trim().is_empty()) {
            let (key, equal, value) = if let Some((k, v)) = part.split_once("!=") {
                (k, false, v)
            } else if let Some((k, v)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (k, true, v)
            } else {
                return Err(Failure::new(format!(
                    "invalid selector: '{part}'; can't understand '{part}'"
                )));
            };
            let known: &[&str] = match kind {
                Kind::Pod => &[
                    "spec.nodeName",
                    "spec.restartPolicy",
                    "spec.schedulerName",
                    "spec.serviceAccountName",
                    "spec.hostNetwork",
                    "status.phase",
                    "status.podIP",
                    "status.nominatedNodeName",
                ],
                Kind::Event => &[
                    "involvedObject.kind",
                    "involvedObject.namespace",
                    "involvedObject.name",
                    "involvedObject.uid",
                    "involvedObject.apiVersion",
                    "involvedObject.resourceVersion",
                    "involvedObject.fieldPath",
                    "reason",
                    "reportingComponent",
                    "source",
                    "type",
                ],
                Kind::Node => &["spec.unschedulable"],
                Kind::Namespace => &["status.phase"],
                Kind::ReplicaSet => &["status.replicas"],
                Kind::Service => &["spec.clusterIP", "spec.type"],
                Kind::Secret => &["type"],
                _ => &[],
            };
            let key = key.trim();
            if !known.contains(&key) && !matches!(key, "metadata.name" | "metadata.namespace") {
                let why = match kind {
                    Kind::StatefulSet => {
                        format!("field label not supported for appsv1.StatefulSet: {key}")
                    }
                    Kind::Pod
                    | Kind::Node
                    | Kind::Namespace
                    | Kind::Event
                    | Kind::Secret
                    | Kind::Service
                    | Kind::ReplicationController => format!("field label not supported: {key}"),
                    _ => format!(
                        "{key:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                    ),
                };
                return Err(unfound(kind, labels, s, &why));
            }
            out.push((key.to_owned(), equal, value.trim().to_owned()));
        }
        Ok(Self(out))
    }

    /// Does the object match?
    pub fn matches(&self, obj: &Obj) -> bool {
        self.0.iter().all(|(key, equal, value)| {
            let found = match key.as_str() {
                "source" => obj.value["source"]["component"].str(),
                "spec.unschedulable" if obj.spec()["unschedulable"].is_true() => "true",
                "spec.unschedulable" => "false",
                key => obj.value.at(key).str(),
            };
            (found == value) == *equal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors() {
        let labels = value!({"app": "nginx", "n": "5"});
        for (s, want) in [
            ("app=nginx", true),
            ("app==nginx,n>4", true),
            ("app!=nginx", false),
            ("app in (a, nginx)", true),
            ("app notin (a,nginx)", false),
            ("x notin (a)", true),
            ("!app", false),
            ("app", true),
            ("", true),
        ] {
            assert_eq!(Selector::parse(s).unwrap().matches(&labels), want, "{s}");
        }
    }

    /// As kubectl says it of `create pdb --selector`.
    #[test]
    fn selectors_as_structures() {
        for (s, want) in [
            ("a==b", "{\"matchLabels\":{\"a\":\"b\"}}"),
            ("a=", "{\"matchLabels\":{\"a\":\"\"}}"),
            (
                "a in ()",
                "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"\"]}]}",
            ),
            (
                "!c, d, b notin (y,x), a=b",
                "{\"matchExpressions\":[{\"key\":\"b\",\"operator\":\"NotIn\",\"values\":[\"x\",\"y\"]},{\"key\":\"c\",\"operator\":\"DoesNotExist\"},{\"key\":\"d\",\"operator\":\"Exists\"}],\"matchLabels\":{\"a\":\"b\"}}",
            ),
        ] {
            assert_eq!(Selector::structure(s).unwrap().to_string(), want, "{s}");
        }
        let no = "unable to parse requirement: ";
        for (s, want) in [
            ("!", format!("{no}found '', expected: identifier")),
            ("a=b=c", "found '=', expected: ',' or 'end of string'".to_owned()),
            ("a in", format!("{no}found '' expected: '('")),
            ("a in (", format!("{no}found '', expected: ',', ')' or identifier")),
            ("a in (b", format!("{no}found '', expected: ',' or ')'")),
            ("a in b", format!("{no}found 'b' expected: '('")),
            (
                "a>x",
                format!(
                    "{no}values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"
                ),
            ),
            (",", "found ',', expected: !, identifier, or 'end of string'".to_owned()),
            ("a,", "found '', expected: identifier after ','".to_owned()),
            ("=b", "found '=', expected: !, identifier, or 'end of string'".to_owned()),
            ("a=b c", "found 'c', expected: ',' or 'end of string'".to_owned()),
            ("a=-x", format!("{no}values[0][a]: Invalid value: \"-x\": {LABEL_VALUE}")),
            ("!a=b", "found '=', expected: ',' or 'end of string'".to_owned()),
            ("a b", format!("{no}found 'b', expected: in, notin, =, ==, !=, gt, lt")),
        ] {
            let want = format!("error: couldn't parse the selector string \"{s}\": {want}");
            assert_eq!(Selector::structure(s).unwrap_err().text, want);
        }
        let text = |s: &str| Selector::structure(s).unwrap_err().text;
        assert_eq!(text("a!=b"), "error: \"!=\" is not a valid label selector operator");
        assert_eq!(text("a>1"), "error: \"gt\" isn't supported in label selectors");
    }
}
