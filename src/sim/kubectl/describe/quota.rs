//! Namespaces and what bounds their use: quotas and ranges.

use std::fmt::Write as _;

use super::*;

/// The scopes and what each means.
fn scopes(out: &mut String, pad: &str, star: &str, obj: &Obj) {
    let mut scopes: Vec<&str> = obj.spec()["scopes"].items().iter().map(Value::str).collect();
    if scopes.is_empty() {
        return;
    }
    scopes.sort_unstable();
    line(out, &format!("{pad}Scopes"), &scopes.join(", "));
    for scope in scopes {
        let help = match scope {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service."
            }
            _ => continue,
        };
        let _ = writeln!(out, "{star}* {help}");
    }
}

/// What is used of what there may be.
fn used(out: &mut String, pad: &str, obj: &Obj) {
    for (name, hard) in obj.status()["hard"].pairs() {
        let used = obj.status()["used"][name.as_str()].as_str().unwrap_or("0");
        let _ = writeln!(out, "{pad}{name}\t{used}\t{}", hard.str());
    }
}

pub(super) fn quota(out: &mut String, obj: &Obj) {
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    scopes(out, "", " ", obj);
    out.push_str("Resource\tUsed\tHard\n--------\t----\t----\n");
    used(out, "", obj);
}

/// The head of the table of a range's items.
const ITEMS: [&str; 2] = [
    "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n",
    "----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n",
];

fn items(out: &mut String, pad: &str, obj: &Obj) {
    const FIELDS: [&str; 5] = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
    for item in obj.spec()["limits"].items() {
        let mut names: Vec<&str> =
            FIELDS.iter().flat_map(|f| item[*f].pairs()).map(|(n, _)| n.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let cells = FIELDS.map(|f| item[f][name].as_str().unwrap_or("-"));
            let _ = writeln!(out, "{pad}{}\t{name}\t{}", item["type"].str(), cells.join("\t"));
        }
    }
}

pub(super) fn range(out: &mut String, obj: &Obj) {
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    out.extend(ITEMS);
    items(out, "", obj);
}

pub(super) fn namespace(w: &World, out: &mut String, obj: &Obj) {
    head(out, obj);
    line(out, "Status", obj.status()["phase"].str());
    let conditions = obj.status()["conditions"].items();
    if !conditions.is_empty() {
        out.push_str("Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage\n  ----\t------\t------------------\t------\t-------\n");
    }
    for c in conditions {
        let [kind, status, reason, message] =
            ["type", "status", "reason", "message"].map(|f| c[f].str());
        let at = time(&c["lastTransitionTime"]);
        let _ = writeln!(out, "  {kind}\t{status}\t{at}\t{reason}\t{message}");
    }
    let name = obj.name();
    out.push('\n');
    let quotas: Vec<&Obj> = w.store.list(Kind::ResourceQuota, &name).collect();
    out.push_str(if quotas.is_empty() { "No resource quota.\n" } else { "Resource Quotas\n" });
    for q in quotas {
        line(out, "  Name", &q.name());
        scopes(out, "  ", "  ", q);
        out.push_str("  Resource\tUsed\tHard\n  --------\t---\t---\n");
        used(out, "  ", q);
    }
    out.push('\n');
    let ranges: Vec<&Obj> = w.store.list(Kind::LimitRange, &name).collect();
    if ranges.is_empty() {
        out.push_str("No LimitRange resource.\n");
    } else {
        let _ = write!(out, "Resource Limits\n {} {}", ITEMS[0], ITEMS[1]);
    }
    for r in ranges {
        items(out, " ", r);
    }
}
