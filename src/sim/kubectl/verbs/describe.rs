//! `kubectl describe` (behaviour/kubectl.md 9).

use crate::api::{Kind, Obj};
use crate::kubectl::args::Args;
use crate::kubectl::describe::describe as text;
use crate::kubectl::io::{Failure, Io, Run};
use crate::kubectl::resources::{self, Options};
use crate::world::World;

/// Flags of `describe`.
pub const FLAGS: &str = "l,selector=s A,all-namespaces f,filename=l R,recursive show-events chunk-size=i field-selector=s";

/// `kubectl describe`.
pub fn describe(w: &mut World, io: &mut Io, args: &Args) -> Run {
    if args.pos.is_empty() && !args.given("filename") {
        io.err("You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n");
        return Run::Done(1);
    }
    let selected = match resources::select(w, io, args, &args.pos, Options { list: true }) {
        Ok(s) => s,
        Err(f) => return Run::Done(io.fail(&f)),
    };
    let mut objects: Vec<Obj> = selected.targets.iter().map(|t| t.obj.clone()).collect();
    let mut failures: Vec<Failure> = selected.failures;
    // a name that there is not may begin the names of others
    let prefixes: Vec<(Kind, String)> = match args.pos.as_slice() {
        [kind, name] if !kind.contains('/') => resources::kinds(kind)
            .unwrap_or_default()
            .into_iter()
            .map(|k| (k, name.clone()))
            .collect(),
        _ => Vec::new(),
    };
    if objects.is_empty() {
        let ns = args.ns(w);
        for (kind, prefix) in prefixes {
            let found: Vec<Obj> = w
                .store
                .all(kind)
                .filter(|o| !kind.info().namespaced || o.ns() == ns)
                .filter(|o| o.name().starts_with(&prefix))
                .cloned()
                .collect();
            if !found.is_empty() {
                objects.extend(found);
                failures.clear();
            }
        }
    }
    if objects.is_empty() && failures.is_empty() {
        let ns = args.ns(w);
        io.err(format!("No resources found in {ns} namespace."));
    }
    for (i, o) in objects.iter().enumerate() {
        if i > 0 {
            io.print("\n\n");
        }
        io.print(text(w, o, args.on_or("show-events", true)));
    }
    Run::Done(io.fail_all(&failures))
}
