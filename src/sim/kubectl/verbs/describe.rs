//! `kubectl describe` (behaviour/kubectl.md 9).

use crate::api::Obj;
use crate::kubectl::args::Args;
use crate::kubectl::describe::describe as text;
use crate::kubectl::io::{Failure, Io, Run};
use crate::kubectl::resources::{self, Options};
use crate::kubectl::verbs::common::warn_of_old;
use crate::world::World;

/// Flags of `describe`.
pub const FLAGS: &str = "l,selector=s A,all-namespaces f,filename=l R,recursive show-events chunk-size=i field-selector=s";

/// `kubectl describe`.
pub fn describe(w: &mut World, io: &mut Io, args: &Args) -> Run {
    if args.pos.is_empty() && !args.given("filename") {
        return Run::Done(io.fail(&Failure::new("You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.")));
    }
    let selected = match resources::select(w, io, args, &args.pos, Options { list: true }) {
        Ok(s) => s,
        Err(f) => return Run::Done(io.fail(&f)),
    };
    warn_of_old(io, &selected);
    let mut objects: Vec<Obj> = selected.targets.iter().map(|t| t.obj.clone()).collect();
    let failures: Vec<Failure> = selected.failures;
    // the events of one object are shown, those of several only on demand
    let one = failures.is_empty() && objects.len() <= 1;
    let events = args.on_or("show-events", one);
    // a name that there is not may begin the names of others
    if objects.is_empty()
        && let [kind, prefix] = args.pos.as_slice()
        && !kind.contains('/')
    {
        let ns = args.ns(w);
        for kind in resources::kinds(kind).unwrap_or_default() {
            let found = w
                .store
                .all(kind)
                .filter(|o| !kind.info().namespaced || o.ns() == ns)
                .filter(|o| o.name().starts_with(prefix.as_str()));
            objects.extend(found.cloned());
        }
        if !objects.is_empty() {
            for o in &objects {
                io.line(text(w, o, events));
            }
            return Run::Done(0);
        }
    }
    if objects.is_empty() && failures.is_empty() {
        io.err(if args.on("all-namespaces") {
            "No resources found".to_owned()
        } else {
            format!("No resources found in {} namespace.", args.ns(w))
        });
    }
    for (i, o) in objects.iter().enumerate() {
        if i > 0 {
            io.print("\n\n");
        }
        io.print(text(w, o, events));
    }
    Run::Done(io.fail_all(&failures))
}
