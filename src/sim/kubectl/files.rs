//! What `-f` reads: named files, folders of them, standard input, known addresses.

use crate::api::Kind;
use crate::apiserver::FieldValidation;
use crate::kubectl::args::Args;
use crate::kubectl::examples;
use crate::kubectl::io::{Failure, Io, Res};
use crate::manifest::parse::{self, Reads};
use crate::schema;
use crate::value::{Str, Value, text};
use crate::world::World;

/// An object as a file says it.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its kind.
    pub kind: Kind,
    /// The object, its namespace filled in.
    pub value: Value,
    /// Name of the file, as kubectl names it in messages.
    pub source: Str,
}

/// The text of a file as the shell and `-f` see it; of an address, if its text is built in or
/// the folder has a file of that name.
pub fn read(w: &World, io: &Io, path: &str) -> Option<Str> {
    let path = path.strip_prefix("./").unwrap_or(path);
    if let Some(t) = io.files.get(path).or_else(|| w.terminals.files.get(path)) {
        return Some(t.clone());
    }
    let address = path.strip_prefix("https://").or_else(|| path.strip_prefix("http://"))?;
    if let Some(t) = examples::at(address) {
        return Some(Str::Lit(t));
    }
    w.terminals.files.get(address.rsplit('/').next()?).cloned()
}

/// All files that `-f` and `-R` name, with their texts.
///
/// # Errors
/// A path that does not exist.
fn texts(w: &World, io: &mut Io, args: &Args) -> Res<Vec<(Str, Str)>> {
    let mut found = Vec::new();
    for path in args.list("filename") {
        if path == "-" {
            let all = std::mem::take(&mut io.stdin.text);
            found.push(("STDIN".into(), all.into()));
            continue;
        }
        if let Some(t) = read(w, io, &path) {
            found.push((text(&path), t));
            continue;
        }
        if path.starts_with("https://") || path.starts_with("http://") {
            return Err(Failure::new(format!(
                "not simulated: reading {path:?}: nothing is fetched here, make a file of that name"
            )));
        }
        let folder = path.trim_start_matches("./").trim_end_matches('/');
        let deep = args.on("recursive");
        let before = found.len();
        for (name, t) in &w.terminals.files {
            let inside = match folder {
                "." | "" => Some(name.as_str()),
                f => name.strip_prefix(f).and_then(|n| n.strip_prefix('/')),
            };
            let ends = [".yaml", ".yml", ".json"].iter().any(|e| name.ends_with(e));
            if ends && inside.is_some_and(|n| deep || !n.contains('/')) {
                found.push((name.clone(), t.clone()));
            }
        }
        if found.len() == before {
            return Err(Failure::new(format!("the path {path:?} does not exist")));
        }
    }
    Ok(found)
}

/// All objects that `-f` names, in order, with their namespaces filled in. Documents that
/// cannot be used become failures, the others still count (as kubectl's visitors do).
///
/// # Errors
/// Nothing at all could be read.
pub fn documents(w: &World, io: &mut Io, args: &Args) -> Res<(Vec<Document>, Vec<Failure>)> {
    let mut docs = Vec::new();
    let mut failures = Vec::new();
    'files: for (source, t) in texts(w, io, args)? {
        for parsed in parse::parse(&t) {
            let value = match parsed {
                Ok(doc) => doc.value,
                // nothing after a document that cannot be read is looked at
                Err(why) => {
                    let step = match why.by {
                        Reads::Json => "",
                        Reads::Yaml | Reads::Converted => "error converting YAML to JSON: ",
                    };
                    failures.push(Failure::new(format!("error parsing {source}: {step}{why}")));
                    break;
                }
            };
            let list = value["kind"].str().ends_with("List") && !value["items"].is_null();
            if list && let Err(f) = metadata(&source, &value) {
                failures.push(f);
                continue;
            }
            let items = if list { value["items"].items().to_vec() } else { vec![value] };
            for value in items {
                match document(w, args, &source, value, list) {
                    Ok(doc) => docs.push(doc),
                    // nor after one that is no object
                    Err(f) => {
                        let last = f.text.starts_with("error: error validating ");
                        failures.push(f);
                        if last && !list {
                            continue 'files;
                        }
                    }
                }
            }
        }
    }
    Ok((docs, failures))
}

/// kubectl itself reads the metadata of what a file has, but not of the items of a list.
fn metadata(source: &str, value: &Value) -> Res<()> {
    match schema::metadata_error(value) {
        Some(why) => Err(Failure::new(format!("unable to decode {source:?}: {why}"))),
        None => Ok(()),
    }
}

/// What keeps an object from having a kind and a version.
fn type_faults(value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for key in ["apiVersion", "kind"] {
        match &value[key] {
            Value::Str(s) if key == "apiVersion" && s.matches('/').count() > 1 => {
                faults.push(format!("unexpected GroupVersion string: {s}"));
            }
            Value::Str(s) if !s.is_empty() => {}
            Value::Str(_) | Value::Null => faults.push(format!("{key} not set")),
            _ => faults.push(format!("{key} isn't string type")),
        }
    }
    faults
}

fn document(w: &World, args: &Args, source: &Str, mut value: Value, item: bool) -> Res<Document> {
    let invalid = |why: &str| {
        Failure::new(format!(
            "error validating {:?}: error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false",
            source.as_str()
        ))
    };
    if value.as_map().is_none() {
        return Err(invalid("invalid object to validate"));
    }
    let (api, kind) = (value["apiVersion"].to_str(), value["kind"].to_str());
    let checked = super::verbs::common::validation(args)? != FieldValidation::Ignore;
    if kind.is_empty() && !checked {
        return Err(Failure::new(format!(
            "unable to decode {:?}: Object 'Kind' is missing in '{value}'",
            source.as_str()
        )));
    }
    match type_faults(&value).as_slice() {
        [] => {}
        [one] => return Err(invalid(one)),
        many => return Err(invalid(&format!("[{}]", many.join(", ")))),
    }
    if !item {
        metadata(source, &value)?;
    }
    let Some(found) = Kind::from_gvk(&api, &kind) else {
        return Err(Failure::new(format!(
            "resource mapping not found for name: {:?} namespace: {:?} from {:?}: no matches for kind {:?} in version {:?}\nensure CRDs are installed first",
            value["metadata"]["name"].str(),
            value["metadata"]["namespace"].str(),
            source.as_str(),
            kind.as_str(),
            api.as_str()
        )));
    };
    if found.info().namespaced && !args.on("local") {
        let own = value["metadata"]["namespace"].to_str();
        let wanted = args.ns(w);
        if own.is_empty() {
            value.entry("metadata").set("namespace", wanted);
        } else if args.given_ns().is_some() && own != wanted {
            return Err(Failure::new(format!(
                "the namespace from the provided object {:?} does not match the namespace {:?}. You must pass '--namespace={own}' to perform this operation.",
                own.as_str(),
                wanted.as_str()
            )));
        }
    }
    Ok(Document { kind: found, value, source: source.clone() })
}
