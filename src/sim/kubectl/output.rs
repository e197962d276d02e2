//! Output formats of `-o` (behaviour/kubectl.md 2).

use crate::api::Obj;
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Res};
use crate::kubectl::{gotemplate, jsonpath};
use crate::manifest::print::{go_syntax, go_text, to_json_pretty, to_yaml};
use crate::value;
use crate::value::Value;

/// Formats that `-o` knows, as kubectl lists them.
const FORMATS: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml";

/// How objects are printed.
#[derive(Clone, Debug)]
pub enum Output {
    /// A table; `true`: wide.
    Table(bool),
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// `pod/web-0`.
    Name,
    /// A JSONPath template and its text; `true`: its values as a JSON list.
    JsonPath(jsonpath::Template, String, bool),
    /// A Go template.
    Go(gotemplate::Template, String),
    /// Headers and paths; `true`: the headers are printed.
    Columns(Vec<(String, jsonpath::Template)>, bool),
}

impl Output {
    /// Reads `-o` and `--template`.
    ///
    /// # Errors
    /// Unknown formats, broken templates, in kubectl's words.
    pub fn of(args: &Args) -> Res<Self> {
        let template = args.get("template");
        let given = args.get("output").or(template.map(|_| "go-template")).unwrap_or("");
        let (name, inline) = match given.split_once('=') {
            Some((n, t)) => (n, Some(t)),
            None => (given, None),
        };
        let text = || {
            inline.or(template).filter(|t| !t.is_empty()).ok_or_else(|| {
                Failure::new(match name {
                    "custom-columns" => {
                        "custom-columns format specified but no custom columns given".to_owned()
                    }
                    "jsonpath" | "jsonpath-as-json" => {
                        "template format specified but no template given".to_owned()
                    }
                    _ => "template format specified but no template given".to_owned(),
                })
            })
        };
        Ok(match name {
            "" => Self::Table(false),
            "wide" => Self::Table(true),
            n if n.eq_ignore_ascii_case("yaml") => Self::Yaml,
            n if n.eq_ignore_ascii_case("json") => Self::Json,
            n if n.eq_ignore_ascii_case("name") => Self::Name,
            "jsonpath" | "jsonpath-as-json" => {
                let t = text()?;
                let parsed = jsonpath::Template::parse(t)
                    .map_err(|why| Failure::new(format!("error parsing jsonpath {t}, {why}")))?;
                Self::JsonPath(parsed, t.to_owned(), name == "jsonpath-as-json")
            }
            "go-template" | "template" => {
                let t = text()?;
                let parsed = gotemplate::Template::parse(t).map_err(|why| {
                    Failure::new(format!("error parsing template {t}, template: output:1: {why}"))
                })?;
                Self::Go(parsed, t.to_owned())
            }
            "custom-columns" => Self::Columns(columns(text()?)?, !args.on("no-headers")),
            "kyaml"
            | "custom-columns-file"
            | "go-template-file"
            | "jsonpath-file"
            | "templatefile" => {
                return Err(Failure::new(format!("not simulated: -o {name}")));
            }
            // commands without tables say so in their own list of formats
            other => return Err(Self::no_printer(other, args.prints_tables())),
        })
    }

    /// The refusal of a format; `tables`: the command has tables and columns.
    pub fn no_printer(format: &str, tables: bool) -> Failure {
        let allowed: Vec<&str> = FORMATS
            .split(',')
            .filter(|f| tables || !f.starts_with("custom-columns") && *f != "wide")
            .collect();
        Failure::new(format!(
            "unable to match a printer suitable for the output format {format:?}, allowed formats are: {}",
            allowed.join(",")
        ))
    }

    /// One value in this format.
    ///
    /// # Errors
    /// A template that cannot be evaluated.
    pub fn value(&self, v: &Value) -> Res<String> {
        Ok(match self {
            Self::Table(_) | Self::Columns(..) | Self::Name => String::new(),
            Self::Yaml => to_yaml(v),
            Self::Json => to_json_pretty(v),
            Self::JsonPath(t, source, false) => t.fill(v).map_err(|why| broken(source, &why, v))?,
            Self::JsonPath(t, source, true) => {
                to_json_pretty(&t.find(v).map_err(|why| broken(source, &why, v))?.into())
            }
            Self::Go(t, source) => t.fill(v).map_err(|why| {
                Failure::new(format!(
                    "error executing template {source:?}: template: output:1: {why}"
                ))
            })?,
        })
    }

    /// Is it one of the formats that print the objects themselves, not a table?
    pub fn is_table(&self) -> bool {
        matches!(self, Self::Table(_))
    }

    /// Prints objects; `list`: they came as a list, even if it is one.
    ///
    /// # Errors
    /// A template that cannot be evaluated.
    pub fn print(&self, objects: &[Obj], list: bool) -> Res<String> {
        let whole = || {
            if list {
                let items: Vec<Value> = objects.iter().map(|o| o.value.clone()).collect();
                value!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})
            } else {
                objects.first().map(|o| o.value.clone()).unwrap_or_default()
            }
        };
        Ok(match self {
            Self::Name => objects
                .iter()
                .map(|o| format!("{}\n", super::resources::slashed(o.kind, &o.name())))
                .collect(),
            Self::Columns(columns, headers) => {
                let mut rows = Vec::new();
                if *headers {
                    rows.push(self::headers(columns));
                }
                for o in objects {
                    rows.push(cells(columns, &o.value)?);
                }
                super::print::Widths::default().render(&rows)
            }
            other => other.value(&whole())?,
        })
    }
}

/// What kubectl says of a path that an object cannot be followed along.
fn broken(template: &str, why: &str, v: &Value) -> Failure {
    Failure::new(format!(
        "error executing jsonpath {template:?}: Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n",
        go_syntax(v, "string")
    ))
}

fn columns(spec: &str) -> Res<Vec<(String, jsonpath::Template)>> {
    let mut columns = Vec::new();
    let mut rest = spec;
    while !rest.is_empty() {
        // a comma inside brackets belongs to the path
        let mut depth = 0;
        let end = rest
            .char_indices()
            .find(|(_, c)| {
                depth += match c {
                    '[' | '(' => 1,
                    ']' | ')' => -1,
                    _ => 0,
                };
                *c == ',' && depth == 0
            })
            .map_or(rest.len(), |(i, _)| i);
        let part = &rest[..end];
        rest = rest[end..].strip_prefix(',').unwrap_or("");
        let Some((header, path)) = part.split_once(':') else {
            return Err(Failure::new(format!(
                "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
            )));
        };
        let path = jsonpath::Template::relaxed(path)
            .map_err(|why| Failure::new(format!("error parsing jsonpath {path}, {why}")))?;
        columns.push((header.to_owned(), path));
    }
    Ok(columns)
}

/// The headers of columns.
pub fn headers(columns: &[(String, jsonpath::Template)]) -> Vec<String> {
    columns.iter().map(|(h, _)| h.clone()).collect()
}

/// An object's row.
///
/// # Errors
/// A path that cannot be followed.
pub fn cells(columns: &[(String, jsonpath::Template)], object: &Value) -> Res<Vec<String>> {
    let cell = |values: Vec<Value>| {
        let values: Vec<String> = values
            .iter()
            .filter(|v| !v.is_null())
            .map(|v| match v {
                Value::Map(_) | Value::List(_) => go_text(v),
                v => jsonpath::shown(v),
            })
            .collect();
        if values.is_empty() { "<none>".into() } else { values.join(",") }
    };
    columns.iter().map(|(_, path)| path.find(object).map(cell).map_err(Failure::new)).collect()
}
