//! Small reading commands: `api-resources`, `diff`, `top`.

use crate::api::{Kind, kind};
use crate::apiserver::patch;
use crate::apiserver::three_way::three_way;
use crate::kubectl::args::Args;
use crate::kubectl::diff::unified;
use crate::kubectl::files::documents;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::print::Widths;
use crate::kubectl::resources::meta;
use crate::kubectl::verbs::apply::modified;
use crate::kubectl::verbs::common::LAST_APPLIED;
use crate::manifest::print::to_yaml;
use crate::value::Value;
use crate::world::World;

fn done(io: &mut Io, result: Res<i32>) -> Run {
    Run::Done(match result {
        Ok(code) => code,
        Err(f) => io.fail(&f),
    })
}

/// What can be done with objects of a kind.
fn verbs(kind: Kind) -> &'static str {
    match kind.info().plural {
        "componentstatuses" => "get,list",
        "bindings" => "create",
        p if p.ends_with("reviews") => "create",
        _ => "create,delete,deletecollection,get,list,patch,update,watch",
    }
}

/// Groups of kinds that have a name.
fn categories(kind: Kind) -> &'static str {
    match kind.info().plural {
        "pods"
        | "replicationcontrollers"
        | "services"
        | "daemonsets"
        | "deployments"
        | "replicasets"
        | "statefulsets"
        | "horizontalpodautoscalers"
        | "cronjobs"
        | "jobs" => "all",
        "customresourcedefinitions"
        | "apiservices"
        | "mutatingadmissionpolicies"
        | "mutatingadmissionpolicybindings"
        | "mutatingwebhookconfigurations"
        | "validatingadmissionpolicies"
        | "validatingadmissionpolicybindings"
        | "validatingwebhookconfigurations" => "api-extensions",
        _ => "",
    }
}

/// `kubectl api-resources`.
pub fn api_resources(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = resources(io, args);
    done(io, result)
}

fn resources(io: &mut Io, args: &Args) -> Res<i32> {
    if !args.pos.is_empty() {
        return Err(args.usage(&format!("unexpected arguments: [{}]", args.pos.join(" "))));
    }
    let wide = match args.text("output") {
        "" | "name" => false,
        "wide" => true,
        "json" | "yaml" => return Err(Failure::new("not simulated: -o json and -o yaml")),
        other => {
            return Err(Failure::new(format!(
                "unable to match a printer suitable for the output format {other:?}, allowed formats are: json,name,wide,yaml"
            )));
        }
    };
    let sort = args.text("sort-by");
    if !matches!(sort, "" | "name" | "kind") {
        return Err(Failure::new("--sort-by accepts only name or kind"));
    }
    let group = args.get("api-group");
    let namespaced = args.get("namespaced").map(|v| v == "true");
    let wanted = args.list("verbs");
    // events are served by two groups
    let own = kind::ALL.iter().map(|k| (*k, k.info().group, k.info().api_version));
    let mut kinds: Vec<(Kind, &str, &str)> = own
        .chain([(Kind::Event, "events.k8s.io", "events.k8s.io/v1")])
        .filter(|(_, own, _)| group.is_none_or(|g| *own == g))
        .filter(|(k, ..)| namespaced.is_none_or(|n| k.info().namespaced == n))
        .filter(|(k, ..)| wanted.iter().all(|v| verbs(*k).split(',').any(|x| x == v)))
        .collect();
    kinds.sort_by_key(|(k, group, _)| {
        let i = k.info();
        match sort {
            "name" => (i.plural, "", ""),
            "kind" => (i.kind, "", ""),
            _ => ("", *group, i.plural),
        }
    });
    if args.text("output") == "name" {
        for (k, group, _) in kinds {
            let dot = if group.is_empty() { "" } else { "." };
            io.line(format!("{}{dot}{group}", k.info().plural));
        }
        return Ok(0);
    }
    let mut table: Vec<Vec<String>> = Vec::new();
    let row = |cells: &[&str]| -> Vec<String> {
        let cells = if wide { cells } else { cells.get(..5).unwrap_or(cells) };
        cells.iter().map(|s| (*s).to_owned()).collect()
    };
    if !args.on("no-headers") {
        let names =
            ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "VERBS", "CATEGORIES"];
        table.push(row(&names));
    }
    for (k, _, api_version) in kinds {
        let i = k.info();
        let short = i.short.join(",");
        let ns = if i.namespaced { "true" } else { "false" };
        table.push(row(&[i.plural, &short, api_version, ns, i.kind, verbs(k), categories(k)]));
    }
    io.print(Widths::default().render(&table));
    Ok(0)
}

/// `kubectl top`.
pub fn top(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    let what = args.verb.trim_start_matches("top ");
    Run::Done(io.fail(&match args.text("sort-by") {
        "" | "cpu" | "memory" if args.pos.len() > 1 => {
            args.usage(&format!("{what} [NAME | -l label]"))
        }
        "" | "cpu" | "memory" => Failure::new("Metrics API not available"),
        _ => Failure::new("--sort-by accepts only cpu or memory"),
    }))
}

/// `kubectl diff -f`: exit status 1 if anything differs.
pub fn diff(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = diff_all(w, io, args);
    done(io, result)
}

fn diff_all(w: &World, io: &mut Io, args: &Args) -> Res<i32> {
    if !args.pos.is_empty() {
        return Err(args.usage(&format!("Unexpected args: [{}]", args.pos.join(" "))));
    }
    if !args.given("filename") {
        return Err(Failure::new("must specify one of -f and -k"));
    }
    let (docs, failures) = documents(w, io, args)?;
    let mut differs = 0;
    for doc in docs {
        let (ns, name) = meta(&doc.value);
        let live = w.store.get(doc.kind, &ns, &name);
        let mut merged = match live {
            None => doc.value.clone(),
            Some(live) => {
                let last = live.annotation(LAST_APPLIED).unwrap_or("{}");
                let last = crate::manifest::parse::parse(last)
                    .into_iter()
                    .next()
                    .and_then(Result::ok)
                    .map_or_else(Value::map, |d| d.value);
                let change = three_way(doc.kind, &last, &live.value, &modified(&doc.value));
                patch::strategic(doc.kind, &live.value, &change)?
            }
        };
        crate::schema::prune(doc.kind, &mut merged);
        crate::manifest::defaults::apply(doc.kind, &mut merged);
        // no request of apply changes the status
        if let Some(status) = live.and_then(|l| l.value.as_map()?.get("status")) {
            merged.set("status", status);
        }
        if live.is_some_and(|l| l.value["spec"] != merged["spec"])
            && !merged["metadata"]["generation"].is_null()
        {
            let next = merged["metadata"]["generation"].int_or(0) + 1;
            merged.entry("metadata").set("generation", next);
        }
        let shown = |v: &Value| {
            let mut v = v.clone();
            if let Some(notes) = v["metadata"].as_map().and_then(|m| m.get("annotations")).cloned()
            {
                let mut notes = notes;
                notes.remove(LAST_APPLIED);
                if notes.is_empty() {
                    v.entry("metadata").remove("annotations");
                } else {
                    v.entry("metadata").set("annotations", notes);
                }
            }
            v
        };
        let before = live.map_or_else(String::new, |l| to_yaml(&shown(&l.value)));
        let after = to_yaml(&shown(&merged));
        if before != after {
            differs = 1;
            let api = doc.kind.info().api_version.replace('/', ".");
            let file = format!("{api}.{}.{ns}.{name}", doc.kind.info().kind);
            io.line(format!("diff -u -N /tmp/LIVE-1/{file} /tmp/MERGED-1/{file}"));
            io.line(format!("--- /tmp/LIVE-1/{file}\n+++ /tmp/MERGED-1/{file}"));
            io.print(unified(&before, &after));
        }
    }
    let code = io.fail_all(&failures);
    Ok(if code != 0 { 2 } else { differs })
}
