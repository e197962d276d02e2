//! `kubectl get`, once or watching (behaviour/kubectl.md 2).

use crate::api::{Kind, Obj, quantity};
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::output::{self, Output};
use crate::kubectl::print::{Widths, rows};
use crate::kubectl::resources::{self, Named, Options, Selection, slashed};
use crate::kubectl::selectors::{FieldSelector, Selector};
use crate::kubectl::verbs::common::{no_such_resource, scalable, warn_of_old};
use crate::kubectl::{files, jsonpath};
use crate::log::{ChangeType, Seq, What};
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Flags of `get`.
pub const FLAGS: &str = "o,output=s l,selector=s field-selector=s A,all-namespaces L,label-columns=l show-labels sort-by=s no-headers ignore-not-found w,watch watch-only output-watch-events f,filename=l R,recursive template=s show-kind show-managed-fields chunk-size=i server-print raw=s subresource=s allow-missing-template-keys k,kustomize=s";

/// How rows are written.
#[derive(Clone, Debug)]
struct Style {
    wide: bool,
    namespaces: bool,
    labels: bool,
    columns: Vec<String>,
    kinds: bool,
    headers: bool,
    events: bool,
}

impl Style {
    fn header(&self, kind: Kind) -> Vec<String> {
        let mut row = Vec::new();
        if self.events {
            row.push("EVENT".to_owned());
        }
        if self.namespaces && kind.info().namespaced {
            row.push("NAMESPACE".to_owned());
        }
        for c in rows::columns(kind).split(',') {
            match c.strip_prefix('>') {
                Some(wide) if self.wide => row.push(wide.to_owned()),
                Some(_) => {}
                None => row.push(c.to_owned()),
            }
        }
        for label in &self.columns {
            let name = label.rsplit('/').next().unwrap_or(label);
            row.push(name.to_uppercase());
        }
        if self.labels {
            row.push("LABELS".to_owned());
        }
        row
    }

    fn row(&self, obj: &Obj, now: u64, event: &str) -> Vec<String> {
        let mut row = Vec::new();
        if self.events {
            // kubectl fills the word to the longest one
            row.push(format!("{event:8}"));
        }
        if self.namespaces && obj.kind.info().namespaced {
            row.push(obj.ns().to_string());
        }
        let named = row.len();
        for (c, cell) in rows::columns(obj.kind).split(',').zip(rows::cells(obj, now)) {
            if !c.starts_with('>') || self.wide {
                row.push(cell);
            }
        }
        if self.kinds
            && obj.kind != Kind::Event
            && let Some(name) = row.get_mut(named)
        {
            *name = slashed(obj.kind, name);
        }
        for label in &self.columns {
            row.push(obj.label(label).unwrap_or("").to_owned());
        }
        if self.labels {
            row.push(rows::labels(&obj.meta()["labels"]));
        }
        row
    }
}

/// `kubectl get`.
pub fn get(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match start(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

fn check(args: &Args) -> Res<()> {
    let watching = args.on("watch") || args.on("watch-only");
    if args.given("raw") {
        if watching || !args.text("selector").is_empty() {
            return Err(Failure::new(
                "--raw may not be specified with other flags that filter the server request or alter the output",
            ));
        }
        if args.given("output") {
            return Err(Failure::new("--raw and --output are mutually exclusive"));
        }
        if !args.pos.is_empty() || args.given("filename") {
            return Err(Failure::new("arguments may not be passed when --raw is specified"));
        }
        return Ok(());
    }
    let output = args.text("output");
    if args.on("show-labels") && !matches!(output, "" | "wide") {
        return Err(Failure::new(format!(
            "--show-labels option cannot be used with {output} printer"
        )));
    }
    if args.on("output-watch-events") && !watching {
        return Err(args
            .usage("--output-watch-events option can only be used with --watch or --watch-only"));
    }
    if !watching && args.pos.is_empty() && !args.given("filename") {
        return Err(Failure::raw(format!(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n\n{}",
            args.usage("Required resource not specified.").text
        )));
    }
    Ok(())
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    check(args)?;
    if let Some(path) = args.get("raw") {
        return super::direct::raw(w, io, path).map(|()| Run::Done(0));
    }
    let output = Output::of(args)?;
    let named =
        if args.given("filename") { Named::default() } else { resources::named(&args.pos)? };
    let mut style = Style {
        wide: matches!(output, Output::Table(true)),
        namespaces: args.on("all-namespaces"),
        labels: args.on("show-labels"),
        columns: args.list("label-columns"),
        kinds: args.on("show-kind"),
        headers: !args.on("no-headers"),
        events: args.on("output-watch-events"),
    };
    if args.on("watch") || args.on("watch-only") {
        if args.text("subresource") == "scale" {
            return Err(Failure::new("not simulated: --subresource=scale with --watch"));
        }
        return watch(w, io, args, &output, &named, style);
    }
    let selected = resources::select(w, io, args, &args.pos, Options { list: true })?;
    // names tell their kinds when objects of several kinds came, or lists of them
    let mut kinds = selected.kinds.clone();
    if selected.named {
        kinds = selected.targets.iter().map(|t| t.obj.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
    }
    style.kinds |= kinds.len() > 1;
    warn_of_old(io, &selected);
    let mut objects = sorted(args, &selected, output.is_table())?;
    if args.text("subresource") == "scale" {
        objects = objects.iter().map(scale).collect::<Res<_>>()?;
    }
    if args.text("subresource") == "scale" && output.is_table() {
        io.print(scale_table(&objects, style.headers, w.now));
    } else {
        print(w, io, args, &output, &style, &selected, &objects)?;
    }
    let ignore = args.on("ignore-not-found");
    let failures: Vec<Failure> = selected
        .failures
        .iter()
        .filter(|f| !(ignore && f.text.contains("(NotFound)")))
        .cloned()
        .collect();
    Ok(Run::Done(io.fail_all(&failures)))
}

/// The `scale` subresource of an object.
fn scale(obj: &Obj) -> Res<Obj> {
    if !scalable(obj.kind) {
        return Err(no_such_resource());
    }
    let mut meta = Value::map();
    for key in ["creationTimestamp", "name", "namespace", "resourceVersion", "uid"] {
        meta.set(key, &obj.meta()[key]);
    }
    let value = value!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": meta,
        "spec": {"replicas": (obj.spec()["replicas"].int_or(1))},
        "status": {
            "replicas": (obj.status()["replicas"].int_or(0)),
            "selector": (rows::selector(&obj.spec()["selector"]))
        }
    });
    Ok(std::rc::Rc::new(crate::api::Object::new(obj.kind, value)))
}

fn scale_table(objects: &[Obj], headers: bool, now: u64) -> String {
    let mut table = Vec::new();
    if headers && !objects.is_empty() {
        table.push(["NAME", "DESIRED", "AVAILABLE", "AGE"].map(str::to_owned).to_vec());
    }
    for o in objects {
        let [desired, there] =
            ["spec", "status"].map(|part| o.value[part]["replicas"].int_or(0).to_string());
        let age = rows::ago(&o.meta()["creationTimestamp"], now);
        table.push(vec![o.name().to_string(), desired, there, age]);
    }
    Widths::default().render(&table)
}

fn sorted(args: &Args, selected: &Selection, table: bool) -> Res<Vec<Obj>> {
    let mut objects: Vec<Obj> = selected.targets.iter().map(|t| t.obj.clone()).collect();
    let key = args.text("sort-by");
    if key.is_empty() {
        return Ok(objects);
    }
    let path = jsonpath::Template::relaxed(key)
        .map_err(|why| Failure::new(format!("error parsing jsonpath {key}, {why}")))?;
    for o in &objects {
        path.find(&o.value).map_err(Failure::new)?;
    }
    let first = |o: &Obj| path.values(&o.value).into_iter().next();
    if !objects.is_empty() && objects.iter().all(|o| first(o).is_none()) {
        return Err(Failure::new(format!(
            "couldn't find any field with path {:?} in the list of objects",
            jsonpath::relaxed(key)
        )));
    }
    // objects that were named come as tables of one row, which are not sorted among each other
    if table && selected.named {
        return Ok(objects);
    }
    // texts are compared as quantities if all of them are quantities
    let quantities = objects.iter().filter_map(&first).all(|v| match v {
        Value::Str(text) => quantity::milli(&text).is_some(),
        _ => true,
    });
    let place = |o: &Obj| Place::of(first(o), quantities);
    if table {
        // each kind comes as a table of its own
        for run in objects.chunk_by_mut(|a, b| a.kind == b.kind) {
            run.sort_by_cached_key(place);
        }
    } else {
        objects.sort_by_cached_key(place);
    }
    Ok(objects)
}

/// Where a value comes in a sorted list: what is missing before what is null, and that before
/// all else.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Missing,
    Null,
    Number(i64),
    Quantity(i128),
    Text(Vec<(u64, String)>),
    Unsortable,
}

impl Place {
    fn of(value: Option<Value>, quantities: bool) -> Self {
        match value {
            None => Self::Missing,
            Some(Value::Null) => Self::Null,
            Some(Value::Int(n)) => Self::Number(n),
            Some(Value::Str(text)) => match quantity::milli(&text).filter(|_| quantities) {
                Some(n) => Self::Quantity(n),
                None => Self::Text(natural(&text)),
            },
            Some(_) => Self::Unsortable,
        }
    }
}

/// Texts sort with their numbers as numbers, as kubectl's `sortorder.NaturalLess` does.
fn natural(s: &str) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    let mut rest = s;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(text);
        let digits = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        parts.push((0, head.to_owned()));
        parts.push((tail[..digits].parse().unwrap_or(0), String::new()));
        rest = &tail[digits..];
    }
    parts
}

fn print(
    w: &World,
    io: &mut Io,
    args: &Args,
    output: &Output,
    style: &Style,
    selected: &Selection,
    objects: &[Obj],
) -> Res<()> {
    if !output.is_table() {
        let list = !(selected.named && objects.len() + selected.failures.len() == 1);
        // a single object that is missing prints only its error
        if objects.is_empty() && (selected.named || args.on("ignore-not-found")) {
            return Ok(());
        }
        io.print(output.print(objects, list)?);
        return Ok(());
    }
    if objects.is_empty() {
        if selected.failures.is_empty() && !args.on("ignore-not-found") {
            io.err(nothing_found(w, args, &selected.kinds));
        }
        return Ok(());
    }
    for (i, block) in objects.chunk_by(|a, b| a.kind == b.kind).enumerate() {
        if i > 0 && style.headers {
            io.line("");
        }
        let mut rows = Vec::new();
        if style.headers {
            rows.extend(block.first().map(|o| style.header(o.kind)));
        }
        rows.extend(block.iter().map(|o| style.row(o, w.now, "")));
        io.print(Widths::default().render(&rows));
    }
    Ok(())
}

fn nothing_found(w: &World, args: &Args, kinds: &[Kind]) -> String {
    let namespaced = kinds.iter().all(|k| k.info().namespaced);
    if namespaced && !args.on("all-namespaces") {
        format!("No resources found in {} namespace.", args.ns(w))
    } else {
        "No resources found".to_owned()
    }
}

/// What a watch follows.
#[derive(Clone)]
struct Watch {
    kind: Kind,
    ns: Option<Str>,
    name: Option<Str>,
    selector: Selector,
    fields: FieldSelector,
    style: Style,
    output: Output,
    widths: Widths,
    header: bool,
    seen: Seq,
}

impl Watch {
    fn matches(&self, o: &Obj) -> bool {
        o.kind == self.kind
            && self.ns.as_ref().is_none_or(|ns| *ns == o.ns())
            && self.name.as_ref().is_none_or(|n| *n == o.name())
            && self.selector.matches(&o.meta()["labels"])
            && self.fields.matches(o)
    }

    fn show(&mut self, io: &mut Io, objects: &[(&'static str, Obj)], now: u64) {
        if objects.is_empty() {
            return;
        }
        if let Output::Columns(columns, headers) = &self.output {
            let mut rows = Vec::new();
            if std::mem::take(&mut self.header) && *headers {
                rows.push(output::headers(columns));
            }
            for (_, o) in objects {
                match output::cells(columns, &o.value) {
                    Ok(row) => rows.push(row),
                    Err(f) => io.err(f.text),
                }
            }
            io.print(self.widths.render(&rows));
            return;
        }
        if !self.output.is_table() {
            for (event, o) in objects {
                let mut shown = o.clone();
                if self.style.events {
                    let event = crate::value!({"object": (o.value.clone()), "type": (*event)});
                    shown = std::rc::Rc::new(crate::api::Object::new(o.kind, event));
                }
                // documents are separated, the first one has nothing before it
                if !std::mem::take(&mut self.header) && matches!(self.output, Output::Yaml) {
                    io.print("---\n");
                }
                if let Ok(text) = self.output.print(&[shown], false) {
                    io.print(text);
                }
            }
            return;
        }
        let mut rows = Vec::new();
        if std::mem::take(&mut self.header) && self.style.headers {
            rows.push(self.style.header(self.kind));
        }
        rows.extend(objects.iter().map(|(event, o)| self.style.row(o, now, event)));
        let text = self.widths.render(&rows);
        io.print(text);
    }
}

fn watch(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    output: &Output,
    named: &Named,
    style: Style,
) -> Res<Run> {
    let (kinds, names) = if args.given("filename") {
        let (docs, failures) = files::documents(w, io, args)?;
        if let Some(f) = failures.into_iter().next() {
            return Err(f);
        }
        let names: Vec<(Kind, Str)> =
            docs.iter().map(|d| (d.kind, d.value["metadata"]["name"].to_str())).collect();
        (names.iter().map(|(k, _)| *k).collect(), names)
    } else {
        (named.kinds.clone(), named.names.clone())
    };
    if kinds.is_empty() {
        resources::select(w, io, args, &args.pos, Options { list: true })?;
    }
    let [kind] = kinds.as_slice() else {
        return Err(Failure::new("you may only specify a single resource type"));
    };
    if !args.text("sort-by").is_empty() {
        io.err("warning: --watch requested, --sort-by will be ignored for watch events received");
    }
    let everywhere = args.on("all-namespaces") || !kind.info().namespaced;
    if names.len() > 1 {
        let selected = resources::select(w, io, args, &args.pos, Options { list: true })?;
        if let Some(f) = selected.failures.first() {
            return Err(f.clone());
        }
        let objects = sorted(args, &selected, output.is_table())?;
        print(w, io, args, output, &style, &selected, &objects)?;
        return Err(Failure::new(format!(
            "watch is only supported on individual resources and resource collections - {} resources were found",
            names.len()
        )));
    }
    let name = names.first().map(|(_, n)| n.clone());
    let mut watch = Watch {
        kind: *kind,
        ns: (!everywhere).then(|| args.ns(w)),
        name,
        selector: Selector::of(*kind, args.text("selector"), args.text("field-selector"))?,
        fields: FieldSelector::of(*kind, args.text("selector"), args.text("field-selector"))?,
        style,
        output: output.clone(),
        widths: Widths::default(),
        header: true,
        seen: w.log.len(),
    };
    let selected =
        resources::select(w, io, args, &args.pos, Options { list: true }).unwrap_or_default();
    warn_of_old(io, &selected);
    let listed: Vec<(&'static str, Obj)> = sorted(args, &selected, output.is_table())?
        .into_iter()
        .filter(|o| watch.matches(o))
        .map(|o| ("ADDED", o))
        .collect();
    if let Some(name) = watch.name.as_ref().filter(|_| listed.is_empty()) {
        return Err(crate::apiserver::error::Status::not_found(*kind, name).into());
    }
    if !args.on("watch-only") {
        watch.show(io, &listed, w.now);
    }
    Ok(Run::wait(watch))
}

impl Job for Watch {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let mut rows: Vec<(&'static str, Obj)> = Vec::new();
        for (_, record) in w.log.since(self.seen) {
            let What::Change { change, old, new } = &record.what else { continue };
            if new.kind != self.kind {
                continue;
            }
            // an object that stops matching its selector is told as deleted, with its last state
            let (was, is) = (old.as_ref().is_some_and(|o| self.matches(o)), self.matches(new));
            match (change, was, is) {
                (ChangeType::Deleted, _, true) => rows.push(("DELETED", new.clone())),
                (ChangeType::Deleted, ..) => {}
                (_, true, true) => rows.push(("MODIFIED", new.clone())),
                (_, false, true) => rows.push(("ADDED", new.clone())),
                (_, true, false) => rows.push(("DELETED", new.clone())),
                (_, false, false) => {}
            }
        }
        self.seen = w.log.len();
        let now = w.now;
        for row in rows {
            self.show(io, &[row], now);
        }
        None
    }
}
