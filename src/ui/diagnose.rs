//! What is wrong with a manifest, in the server's words, and on which line.

use podium_sim::api::Kind;
use podium_sim::manifest::parse::{self, Document};
use podium_sim::manifest::{defaults, validation};
use podium_sim::schema;

/// Something wrong with the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line, from 1; 0 if it has none.
    pub line: usize,
    /// The server's words, or `@` and a key of static/i18n.
    pub message: String,
    /// It would not be refused.
    pub warning: bool,
}

/// Checks a manifest: syntax, fields, values. Ordered by line.
pub fn problems(text: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    for document in parse::parse(text) {
        match document {
            Err(e) => found.push(problem(e.span.line, e.to_string())),
            Ok(document) => {
                let first = found.len();
                check(&document, &mut found);
                // a document without places is still a place
                for p in found.iter_mut().skip(first).filter(|p| p.line == 0) {
                    p.line = document.line;
                }
            }
        }
    }
    // the end of a text that breaks off is told on the line after it
    let last = text.lines().count().max(1);
    for p in &mut found {
        p.line = p.line.min(last);
    }
    found.sort_by_key(|p: &Problem| (p.line, p.warning));
    found.dedup();
    found
}

fn problem(line: usize, message: impl Into<String>) -> Problem {
    Problem { line, message: message.into(), warning: false }
}

fn check(document: &Document, found: &mut Vec<Problem>) {
    let value = &document.value;
    let warn = |line, message: &str| Problem { line, message: message.into(), warning: true };
    for (_, span) in &document.duplicates {
        found.push(warn(span.line, "@edit.duplicate"));
    }
    let (version, kind) = (value["apiVersion"].str(), value["kind"].str());
    if version.is_empty() || kind.is_empty() {
        found.push(problem(document.line, "@edit.kind"));
        return;
    }
    if kind == "List" {
        return;
    }
    let Some(known) = Kind::from_gvk(version, kind) else {
        let message = format!("no matches for kind {kind:?} in version {version:?}");
        found.push(problem(document.spans.value("kind").line, message));
        return;
    };
    let faults = schema::check(known, value);
    for fault in &faults {
        found.push(problem(document.spans.key(&fault.path).line, fault.message.clone()));
    }
    if faults.iter().any(|f| !f.unknown) {
        // a value of a wrong type cannot be looked at any further
        return;
    }
    let mut full = value.clone();
    if known.info().namespaced && full["metadata"]["namespace"].is_null() {
        full.path_mut("metadata.namespace").clone_from(&"default".into());
    }
    defaults::apply(known, &mut full);
    for cause in validation::create(known, &full) {
        let line = document.spans.value(&cause.field).line;
        found.push(problem(line, format!("{}: {}", cause.field, cause.message)));
    }
    for message in validation::warnings(known, &full) {
        found.push(warn(document.spans.key("spec").line, &message));
    }
    if !known.simulated() && !matches!(known, Kind::ConfigMap | Kind::Secret | Kind::ServiceAccount)
    {
        found.push(warn(document.spans.value("kind").line, "@edit.not-simulated"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = include_str!("../../static/examples/web.yaml");

    #[test]
    fn the_examples_are_clean() {
        for text in [
            WEB,
            include_str!("../../static/examples/app.yaml"),
            include_str!("../../static/examples/client.yaml"),
            include_str!("../../static/examples/parallel.yaml"),
        ] {
            assert_eq!(problems(text), []);
        }
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
        assert!(found[0].message.contains("unknown field \"spec.replica\""), "{found:?}");

        let wrong = WEB.replace("replicas: 3", "replicas: three");
        assert_eq!(problems(&wrong)[0].line, line_of(&wrong, ": three"));

        let negative = WEB.replace("replicas: 3", "replicas: -1");
        let found = problems(&negative);
        assert_eq!(found[0].line, line_of(&negative, "-1"));
        assert!(found[0].message.starts_with("spec.replicas: Invalid value: -1"), "{found:?}");

        let broken = WEB.replace("  replicas: 3", "  replicas: [3");
        assert!(problems(&broken)[0].message.starts_with("yaml: line"), "{:?}", problems(&broken));

        let cut = problems("apiVersion: v1\nkind");
        assert!(cut[0].message.starts_with("yaml: line"), "{cut:?}");
        assert_eq!(cut[0].line, 2);
    }

    #[test]
    fn strangers_are_named() {
        assert!(problems("apiVersion: v9\nkind: Foo\n")[0].message.contains("no matches for kind"));
        assert_eq!(problems("a: 1")[0].message, "@edit.kind");
        assert_eq!(problems(""), []);
    }
}
