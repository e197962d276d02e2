//! `kubectl config`: one context, `podium`, whose namespace can be set.

use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::output::Output;
use crate::kubectl::print::Widths;
use crate::kubectl::verbs::change::ended;
use crate::value;
use crate::value::Value;
use crate::world::World;

/// The name of the context and of the cluster.
pub const CONTEXT: &str = "podium";
/// The name of the user.
pub const USER: &str = "learner";

/// Are the context, cluster, user and file that are named for a command there? `own`: its flags,
/// one of which may be called the same.
///
/// # Errors
/// kubectl's words for what is not.
pub fn check(w: &World, io: &Io, args: &Args, own: &str) -> Res<()> {
    for (flag, what, name) in [
        ("context", "context", CONTEXT),
        ("cluster", "cluster", CONTEXT),
        ("user", "auth info", USER),
    ] {
        let taken = own.split([' ', '+']).any(|t| t.split('=').next() == Some(flag));
        if let Some(given) = args.get(flag).filter(|g| !taken && !g.is_empty() && *g != name) {
            return Err(Failure::new(format!("{what} {given:?} does not exist")));
        }
    }
    match args.get("kubeconfig").filter(|f| !f.is_empty() && !f.ends_with(".kube/config")) {
        Some(path) if crate::kubectl::files::read(w, io, path).is_none() => {
            Err(Failure::new(format!("stat {path}: no such file or directory")))
        }
        _ => Ok(()),
    }
}

fn settings(w: &World) -> Value {
    let mut context = value!({"cluster": CONTEXT, "user": USER});
    if w.terminals.namespace.as_str() != "default" {
        context.set("namespace", w.terminals.namespace.clone());
    }
    value!({
        "apiVersion": "v1",
        "clusters": [{
            "cluster": {
                "certificate-authority-data": "DATA+OMITTED",
                "server": "https://10.96.0.1:443"
            },
            "name": CONTEXT
        }],
        "contexts": [{"context": context, "name": CONTEXT}],
        "current-context": CONTEXT,
        "kind": "Config",
        "users": [{
            "name": USER,
            "user": {"client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED"}
        }]
    })
}

/// `kubectl config view`.
pub fn view(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = (|| {
        if !args.pos.is_empty() {
            return Err(args.usage(&format!("unexpected arguments: [{}]", args.pos.join(" "))));
        }
        let output = match Output::of(args)? {
            Output::Table(false) => Output::Yaml,
            Output::Table(true) | Output::Name | Output::Columns(..) => {
                return Err(Output::no_printer(args.text("output"), false));
            }
            other => other,
        };
        io.print(output.value(&settings(w))?);
        Ok(0)
    })();
    ended(io, result)
}

/// `kubectl config current-context`.
pub fn current_context(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    io.line(CONTEXT);
    Run::Done(0)
}

/// `kubectl config get-contexts`.
pub fn get_contexts(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let wanted = |name: &str| args.pos.is_empty() || args.pos.iter().any(|p| p == name);
    match args.text("output") {
        "" => {}
        "name" => {
            io.line(CONTEXT);
            return Run::Done(0);
        }
        other => {
            let f = Failure::new(format!("output must be one of '' or 'name': {other}"));
            return Run::Done(io.fail(&f));
        }
    }
    let ns = w.terminals.namespace.as_str();
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    let mut table = Vec::new();
    if !args.on("no-headers") {
        table.push(row(["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]));
    }
    if wanted(CONTEXT) {
        table.push(row(["*", CONTEXT, CONTEXT, USER, if ns == "default" { "" } else { ns }]));
    }
    io.print(Widths::default().render(&table));
    let unknown = args.pos.iter().filter(|p| *p != CONTEXT);
    let unknown: Vec<_> =
        unknown.map(|name| Failure::new(format!("context {name} not found"))).collect();
    Run::Done(io.fail_all(&unknown))
}

/// `kubectl config get-clusters`.
pub fn get_clusters(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    io.line(format!("NAME\n{CONTEXT}"));
    Run::Done(0)
}

/// `kubectl config get-users`.
pub fn get_users(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    io.line(format!("NAME\n{USER}"));
    Run::Done(0)
}

/// `kubectl config use-context`.
pub fn use_context(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = match args.pos.as_slice() {
        [name] if name == CONTEXT => {
            io.line(format!("Switched to context {CONTEXT:?}."));
            Ok(0)
        }
        [name] => Err(Failure::new(format!("no context exists with the name: {name:?}"))),
        _ => Err(args.usage(&format!("Unexpected args: [{}]", args.pos.join(" ")))),
    };
    ended(io, result)
}

/// `kubectl config set-context`.
pub fn set_context(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = match (args.on("current"), args.pos.as_slice()) {
        (true, []) => Ok(()),
        (false, [name]) if name == CONTEXT => Ok(()),
        (false, [_]) => Err(Failure::new("not simulated: contexts other than \"podium\"")),
        (true, _) => Err(Failure::new("you cannot specify both a context name and --current")),
        (false, []) => Err(Failure::new("you must specify a non-empty context name or --current")),
        _ => Err(args.usage(&format!("Unexpected args: [{}]", args.pos.join(" ")))),
    };
    let result = result.map(|()| {
        if let Some(ns) = args.given_ns() {
            w.terminals.namespace = ns;
        }
        io.line(format!("Context {CONTEXT:?} modified."));
        0
    });
    ended(io, result)
}
