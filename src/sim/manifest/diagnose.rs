//! What is to be said of a manifest before it is applied: what the server would refuse or warn
//! of, in its own words, and what the simulator only stores; each with its place in the text.

use crate::api::Kind;
use crate::manifest::parse::{self, Document, Span};
use crate::manifest::{acted, defaults, validation};
use crate::schema::{self, What};

/// How bad a problem is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The object would be refused.
    Error,
    /// It would be accepted with a warning.
    Warning,
    /// It is accepted; something of it does nothing here.
    Note,
}

/// What is said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// The server's or kubectl's words.
    Server(String),
    /// A key stands twice in a map.
    Twice,
    /// The document has no `apiVersion` or no `kind`.
    Kindless,
    /// Nothing acts on objects of this kind.
    Stored,
    /// These fields do nothing: their paths and places.
    Ignored(Vec<(String, Span)>),
}

/// Something to be said of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What.
    pub said: Said,
    /// How bad it is.
    pub severity: Severity,
}

/// Checks a manifest: syntax, fields, values. Ordered by place.
pub fn problems(text: &str) -> Vec<Problem> {
    let mut found = Found(Vec::new());
    for document in parse::parse(text) {
        match document {
            Err(e) => found.error(e.span, e.to_string()),
            Ok(document) => {
                let first = found.0.len();
                check(&document, &mut found);
                // a document without places is still a place
                for p in found.0.iter_mut().skip(first).filter(|p| p.line == 0) {
                    (p.line, p.column) = (document.line, 1);
                }
            }
        }
    }
    let mut found = found.0;
    // the end of a text that breaks off is told on the line after it
    let last = text.lines().count().max(1);
    for p in &mut found {
        p.line = p.line.min(last);
    }
    found.sort_by_key(|p| (p.severity == Severity::Note, p.line, p.column, p.severity));
    found.dedup();
    found
}

struct Found(Vec<Problem>);

impl Found {
    fn add(&mut self, at: Span, severity: Severity, said: Said) {
        self.0.push(Problem { line: at.line, column: at.column, said, severity });
    }

    fn error(&mut self, at: Span, words: impl Into<String>) {
        self.add(at, Severity::Error, Said::Server(words.into()));
    }
}

fn check(document: &Document, found: &mut Found) {
    let (value, spans) = (&document.value, &document.spans);
    for (_, at) in &document.duplicates {
        found.add(*at, Severity::Warning, Said::Twice);
    }
    let (version, kind) = (value["apiVersion"].str(), value["kind"].str());
    if version.is_empty() || kind.is_empty() {
        found.add(Span::default(), Severity::Error, Said::Kindless);
        return;
    }
    if kind == "List" {
        return;
    }
    let Some(known) = Kind::from_gvk(version, kind) else {
        let words = format!("no matches for kind {kind:?} in version {version:?}");
        found.error(spans.value("kind"), words);
        return;
    };
    let faults = schema::check(known, value);
    for fault in &faults {
        let unknown = fault.what == What::Unknown;
        let at = if unknown { spans.key(&fault.path) } else { spans.value(&fault.path) };
        found.error(at, fault.message.clone());
    }
    if schema::wrong(&faults).is_some() {
        // a value of a wrong type cannot be looked at any further
        return;
    }
    let mut full = value.clone();
    schema::drop_unknown(known, &mut full);
    schema::prune(known, &mut full);
    let ignored: Vec<(String, Span)> = acted::ignored(known, &full)
        .into_iter()
        .map(|path| {
            let at = spans.key(&path);
            (path, at)
        })
        .collect();
    if known.info().namespaced && full["metadata"]["namespace"].is_null() {
        full.path_mut("metadata.namespace").clone_from(&"default".into());
    }
    defaults::apply(known, &mut full);
    for cause in validation::create(known, &full) {
        found.error(spans.value(&cause.field), format!("{}: {}", cause.field, cause.message));
    }
    for words in validation::warnings(known, &full, None) {
        let path = words.split(": ").next().unwrap_or_default();
        let at = if path.contains(' ') { spans.key("spec") } else { spans.value(path) };
        found.add(at, Severity::Warning, Said::Server(words));
    }
    if let Some((_, at)) = ignored.first() {
        found.add(*at, Severity::Note, Said::Ignored(ignored));
    }
    // what only holds data needs nobody to act on it
    let data = matches!(known, Kind::ConfigMap | Kind::Secret | Kind::ServiceAccount);
    if !known.simulated() && !data {
        found.add(spans.value("kind"), Severity::Note, Said::Stored);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = include_str!("../../../static/examples/web.yaml");

    #[test]
    fn the_examples_are_clean() {
        for text in [
            WEB,
            include_str!("../../../static/examples/app.yaml"),
            include_str!("../../../static/examples/client.yaml"),
            include_str!("../../../static/examples/parallel.yaml"),
        ] {
            assert_eq!(problems(text), []);
        }
    }

    fn words(p: &Problem) -> &str {
        match &p.said {
            Said::Server(words) => words,
            other => panic!("not the server's words: {other:?}"),
        }
    }

    #[test]
    fn places_have_columns() {
        for (change, place) in [
            (("replicas: 3", "replica: 3"), (3, "replica")),
            (("replicas: 3", "replicas: -3"), (13, "-3")),
        ] {
            let text = WEB.replace(change.0, change.1);
            let found = problems(&text);
            assert_eq!((found[0].line, found[0].column), (line_of(&text, place.1), place.0));
        }
    }

    #[test]
    fn what_does_nothing_is_noted_once_a_document() {
        let text = WEB.replace(
            "      containers:",
            "      hostPID: true\n      runtimeClassName: gvisor\n      containers:",
        );
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].severity, Severity::Note);
        let Said::Ignored(fields) = &found[0].said else { panic!("{found:?}") };
        let paths: Vec<&str> = fields.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["spec.template.spec.hostPID", "spec.template.spec.runtimeClassName"]);
        assert_eq!(fields[1].1.line, line_of(&text, "runtimeClassName"));
        assert_eq!(fields[1].1.column, 7);
        let job = problems("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\n");
        assert!(job.iter().any(|p| p.said == Said::Stored && p.severity == Severity::Note));
    }

    /// The line on which `needle` stands, from 1.
    fn line_of(text: &str, needle: &str) -> usize {
        text.lines().position(|l| l.contains(needle)).unwrap() + 1
    }

    #[test]
    fn problems_stand_on_their_lines() {
        let typo = WEB.replace("replicas: 3", "replica: 3");
        let found = problems(&typo);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].line, line_of(&typo, "replica: 3"));
        assert!(words(&found[0]).contains("unknown field \"spec.replica\""), "{found:?}");

        let wrong = WEB.replace("replicas: 3", "replicas: three");
        assert_eq!(problems(&wrong)[0].line, line_of(&wrong, ": three"));

        let negative = WEB.replace("replicas: 3", "replicas: -1");
        let found = problems(&negative);
        assert_eq!(found[0].line, line_of(&negative, "-1"));
        assert!(words(&found[0]).starts_with("spec.replicas: Invalid value: -1"), "{found:?}");

        let broken = WEB.replace("  replicas: 3", "  replicas: [3");
        assert!(words(&problems(&broken)[0]).starts_with("yaml: line"), "{:?}", problems(&broken));

        let cut = problems("apiVersion: v1\nkind");
        assert!(words(&cut[0]).starts_with("yaml: line"), "{cut:?}");
        assert_eq!(cut[0].line, 2);
    }

    #[test]
    fn strangers_are_named() {
        assert!(words(&problems("apiVersion: v9\nkind: Foo\n")[0]).contains("no matches for kind"));
        assert_eq!(problems("a: 1")[0].said, Said::Kindless);
        assert_eq!(problems(""), []);
    }
}
