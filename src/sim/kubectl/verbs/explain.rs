//! `kubectl explain` (behaviour/kubectl.md 8): the layout of kubectl's plaintext template, the
//! words of schema/help.txt.

use std::fmt::Write as _;

use crate::api::Kind;
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::resources::unknown_type;
use crate::kubectl::verbs::change::ended;
use crate::schema::{self, Field, Type, help, leaf};
use crate::world::World;

/// Width of lines before they are indented.
const WIDTH: usize = 76;

/// `kubectl explain`.
pub fn explain(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = explained(args).map(|text| {
        io.print(text);
        0
    });
    ended(io, result)
}

fn explained(args: &Args) -> Res<String> {
    let [word] = args.pos.as_slice() else {
        return Err(Failure::new(if args.pos.is_empty() {
            "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources."
        } else {
            "We accept only this format: explain RESOURCE"
        }));
    };
    match args.get("output") {
        None | Some("plaintext") => {}
        Some("plaintext-openapiv2") => {
            return Err(Failure::new("not simulated: --output=plaintext-openapiv2"));
        }
        Some(other) => return Err(Failure::new(format!("unrecognized format: {other}"))),
    }
    let mut path = word.split('.');
    let name = path.next().unwrap_or_default();
    let mut fields: Vec<&str> = path.filter(|f| !f.is_empty()).collect();
    let kind = Kind::from_word(name).ok_or_else(|| unknown_type(name))?;
    let info = kind.info();
    // version and group may follow the name: statefulsets.v1.apps, statefulsets.apps
    if let [version, group, ..] = fields.as_slice()
        && *version == info.version
        && *group == info.group
    {
        fields.remove(0);
    }
    let group: Vec<&str> = info.group.split('.').collect();
    if !info.group.is_empty() && fields.starts_with(&group) {
        fields.drain(..group.len());
    }
    if let Some(wanted) = args.get("api-version").filter(|v| *v != info.api_version) {
        let (group, version) = wanted.split_once('/').unwrap_or(("", wanted));
        return Err(Failure::new(format!(
            "couldn't find resource for \"{group}/{version}, Resource={}\"",
            info.plural
        )));
    }
    let mut out = String::new();
    if !info.group.is_empty() {
        let _ = writeln!(out, "GROUP:      {}", info.group);
    }
    let _ = writeln!(out, "KIND:       {}\nVERSION:    {}\n", info.kind, info.version);
    let mut owner = info.kind;
    let mut text = help::of_type(owner).unwrap_or("").to_owned();
    let mut table = schema::fields(owner);
    for (i, name) in fields.iter().enumerate() {
        let last = fields.last().copied().unwrap_or_default();
        let field = table
            .and_then(|t| t.iter().find(|f| f.name == *name))
            .ok_or_else(|| Failure::new(format!("field {last:?} does not exist")))?;
        text = help::of_field(owner, field.name).unwrap_or("").to_owned();
        table = None;
        if let Type::Struct(inner) = leaf(&field.field_type) {
            owner = inner;
            table = schema::fields(inner);
            if let Some(more) = help::of_type(inner) {
                text = format!("{text}\n{more}");
            }
        }
        if i + 1 == fields.len() {
            let _ = writeln!(out, "FIELD: {} <{}>", field.name, type_name(field));
            long_choices(&mut out, field);
            out.push_str("\n\n");
        }
    }
    let text = match text.trim() {
        "" => "<empty>".to_owned(),
        text => format!("{text}\n"),
    };
    let _ = writeln!(out, "DESCRIPTION:\n{}", indented(&wrapped(&text), 4));
    if let Some(table) = table {
        out.push_str("FIELDS:\n");
        list(&mut out, owner, table, 1, args.on("recursive"), &mut Vec::new());
    }
    out.push('\n');
    Ok(out)
}

fn type_name(field: &Field) -> String {
    match (&field.field_type, field.name) {
        (Type::Any, "fieldsV1") => "FieldsV1".to_owned(),
        (Type::Any, _) => "RawExtension".to_owned(),
        (t, _) => t.explained(),
    }
}

fn choices(field: &Field) -> &[&'static str] {
    match &field.field_type {
        Type::Text(choices) => choices,
        _ => &[],
    }
}

fn shown(choice: &'static str) -> &'static str {
    if choice.is_empty() { "\"\"" } else { choice }
}

fn long_choices(out: &mut String, field: &Field) {
    let choices = choices(field);
    if !choices.is_empty() {
        out.push_str("ENUM:");
        for c in choices {
            let _ = write!(out, "\n    {}", shown(c));
        }
    }
}

/// Fields of a type; `seen`: the types around it, which are not entered again.
fn list(
    out: &mut String,
    owner: &'static str,
    table: &'static [Field],
    level: usize,
    recursive: bool,
    seen: &mut Vec<&'static str>,
) {
    let pad = "  ".repeat(level);
    for f in table {
        let required = if f.required { " -required-" } else { "" };
        let _ = write!(out, "{pad}{}\t<{}>{required}", f.name, type_name(f));
        let choices = choices(f);
        if !choices.is_empty() {
            let some: Vec<&str> = choices.iter().take(4).map(|c| shown(c)).collect();
            let more = if choices.len() > 4 { ", ...." } else { "" };
            let _ = write!(out, "\n{pad}enum: {}{more}", some.join(", "));
        }
        out.push('\n');
        if !recursive {
            let text = help::of_field(owner, f.name).unwrap_or("<no description>");
            let _ = writeln!(out, "{}\n", indented(&wrapped(text), 4));
        } else if let Type::Struct(inner) = leaf(&f.field_type)
            && !seen.contains(inner)
            && let Some(table) = schema::fields(inner)
        {
            seen.push(inner);
            list(out, inner, table, level + 1, recursive, seen);
            seen.pop();
        }
    }
}

/// Breaks lines between words.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let mut width = 0;
        for (j, word) in line.split(' ').enumerate() {
            let length = word.chars().count();
            if j > 0 {
                if width + 1 + length > WIDTH {
                    out.push('\n');
                    width = 0;
                } else {
                    out.push(' ');
                    width += 1;
                }
            }
            out.push_str(word);
            width += length;
        }
    }
    out
}

fn indented(text: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    format!("{pad}{}", text.replace('\n', &format!("\n{pad}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let args = Args::parse("explain", "recursive api-version=s output=s", &words);
        match args.and_then(|a| explained(&a)) {
            Ok(text) => text,
            Err(f) => f.text,
        }
    }

    #[test]
    fn the_layout_is_kubectls() {
        let text = told("sts.spec.podManagementPolicy");
        assert!(
            text.starts_with(
                "GROUP:      apps\nKIND:       StatefulSet\nVERSION:    v1\n\nFIELD: podManagementPolicy <string>\nENUM:\n    OrderedReady\n    Parallel\n\nDESCRIPTION:\n    OrderedReady (the"
            ),
            "{text}"
        );
        assert!(text.ends_with(".\n    \n\n"), "{text:?}");
        let text = told("sts.spec.updateStrategy.rollingUpdate");
        assert!(
            text.contains("\nFIELD: rollingUpdate <RollingUpdateStatefulSetStrategy>\n\n\nDESCRIPTION:\n    Settings of RollingUpdate.\n    Settings of a rolling update of a StatefulSet.\n    \nFIELDS:\n  maxUnavailable\t<IntOrString>\n    How many"),
            "{text}"
        );
        assert!(
            told("statefulsets.apps.spec.selector").contains("FIELD: selector <LabelSelector>")
        );
        assert!(told("sts.spec").contains("  selector\t<LabelSelector> -required-\n"));
        assert!(told("pod.spec.containers").contains("FIELD: containers <[]Container>\n"));
        assert!(text.lines().all(|l| l.len() <= 80));
    }

    #[test]
    fn all_fields_below_each_other() {
        let text = told("sts --recursive");
        assert!(text.contains("\n  spec\t<StatefulSetSpec>\n    minReadySeconds\t<integer>\n    ordinals\t<StatefulSetOrdinals>\n      start\t<integer>\n"), "{text}");
        assert!(
            text.contains("    podManagementPolicy\t<string>\n    enum: OrderedReady, Parallel\n")
        );
        assert!(text.contains(", ....\n"), "many choices are cut");
    }

    #[test]
    fn what_there_is_not() {
        assert_eq!(told("sts.spec.foo"), "error: field \"foo\" does not exist");
        assert_eq!(told("foos"), "error: the server doesn't have a resource type \"foos\"");
        assert_eq!(
            told("sts --api-version=apps/v2"),
            "error: couldn't find resource for \"apps/v2, Resource=statefulsets\""
        );
        assert_eq!(told("sts --output=x"), "error: unrecognized format: x");
    }
}
