//! What `kubectl describe` says of an object (behaviour/kubectl.md 9), in kubectl 1.36's layout.

mod autoscaler;
mod generic;
mod network;
mod node;
mod others;
mod policy;
mod quota;
mod storage;
mod workloads;

use std::fmt::Write as _;

use crate::api::time::{SECOND, human, parse};
use crate::api::{Kind, Obj};
use crate::kubectl::print::rows;
use crate::kubectl::verbs::template::{
    self, container, list, pairs, spread, tabbed, time, tolerations, volumes_at,
};
use crate::value::Value;
use crate::world::World;

/// Aligns tab-separated cells as Go's `text/tabwriter` does with a padding of two: a column is
/// as wide as its widest cell among neighbouring lines that have that column.
pub fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|l| l.split('\t').collect()).collect();
    let mut out = String::new();
    block(&lines, &mut Vec::new(), &mut out);
    out
}

fn block(lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String) {
    let column = widths.len();
    let mut at = 0;
    let mut done = 0;
    let has = |l: &Vec<&str>| column + 1 < l.len();
    while at < lines.len() {
        if !has(&lines[at]) {
            at += 1;
            continue;
        }
        print(&lines[done..at], widths, out);
        let end = at + lines[at..].iter().take_while(|l| has(l)).count();
        let widest = lines[at..end].iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
        widths.push(widest + 2);
        block(&lines[at..end], widths, out);
        widths.pop();
        (at, done) = (end, end);
    }
    print(&lines[done..], widths, out);
}

fn print(lines: &[Vec<&str>], widths: &[usize], out: &mut String) {
    for line in lines {
        for (i, cell) in line.iter().enumerate() {
            match widths.get(i) {
                Some(w) if i + 1 < line.len() => {
                    let _ = write!(out, "{cell:w$}");
                }
                _ => out.push_str(cell),
            }
        }
        out.push('\n');
    }
}

/// The whole text about an object.
pub fn describe(w: &World, obj: &Obj, events: bool) -> String {
    let mut out = String::new();
    match obj.kind {
        Kind::Pod => workloads::pod(w, &mut out, obj),
        Kind::StatefulSet => workloads::statefulset(w, &mut out, obj),
        Kind::Deployment => workloads::deployment(w, &mut out, obj),
        Kind::ReplicaSet => workloads::replicaset(w, &mut out, obj),
        Kind::Service => network::service(w, &mut out, obj),
        Kind::PersistentVolumeClaim => storage::claim(w, &mut out, obj),
        Kind::PersistentVolume => storage::volume(w, &mut out, obj),
        Kind::StorageClass => storage::class(&mut out, obj),
        Kind::Node => node::node(w, &mut out, obj),
        Kind::PodDisruptionBudget => budget(&mut out, obj),
        Kind::EndpointSlice => network::slice(&mut out, obj),
        Kind::ConfigMap | Kind::Secret => data(&mut out, obj),
        Kind::Namespace => {
            quota::namespace(w, &mut out, obj);
            return align(&out);
        }
        Kind::Endpoints => others::endpoints(&mut out, obj),
        Kind::ServiceAccount => others::service_account(&mut out, obj),
        Kind::Job => workloads::job(&mut out, obj),
        Kind::CronJob => workloads::cron_job(&mut out, obj),
        Kind::DaemonSet => workloads::daemon_set(w, &mut out, obj),
        Kind::Ingress => others::ingress(w, &mut out, obj),
        Kind::PriorityClass => others::priority_class(&mut out, obj),
        Kind::Role | Kind::ClusterRole => others::role(&mut out, obj),
        Kind::RoleBinding | Kind::ClusterRoleBinding => others::binding(&mut out, obj),
        Kind::ResourceQuota => quota::quota(&mut out, obj),
        Kind::LimitRange => quota::range(&mut out, obj),
        Kind::HorizontalPodAutoscaler => autoscaler::autoscaler(&mut out, obj),
        Kind::NetworkPolicy => policy::policy(&mut out, obj),
        _ => generic::generic(&mut out, obj),
    }
    let quiet = matches!(
        obj.kind,
        Kind::Secret
            | Kind::Role
            | Kind::ClusterRole
            | Kind::RoleBinding
            | Kind::ClusterRoleBinding
            | Kind::NetworkPolicy
            | Kind::ResourceQuota
            | Kind::LimitRange
    );
    if events && !quiet {
        event_lines(w, &mut out, obj);
    }
    align(&out)
}

fn line(out: &mut String, label: &str, value: &str) {
    let _ = writeln!(out, "{label}:\t{value}");
}

fn shown_labels(out: &mut String, label: &str, map: &Value) {
    list(out, "", label, &pairs(map, "="));
}

fn annotations(out: &mut String, map: &Value) {
    template::annotations(out, "", map);
}

fn head(out: &mut String, obj: &Obj) {
    line(out, "Name", &obj.name());
    if obj.kind.info().namespaced {
        line(out, "Namespace", &obj.ns());
    }
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
}

fn finalizers(out: &mut String, obj: &Obj) {
    let names: Vec<&str> = obj.meta()["finalizers"].items().iter().map(Value::str).collect();
    line(out, "Finalizers", &format!("[{}]", names.join(" ")));
}

fn budget(out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    for (field, label) in [("minAvailable", "Min available"), ("maxUnavailable", "Max unavailable")]
    {
        match &spec[field] {
            Value::Null => {}
            Value::Int(n) => line(out, label, &n.to_string()),
            v => line(out, label, v.str()),
        }
    }
    line(out, "Selector", &rows::selector(&spec["selector"]));
    out.push_str("Status:\n");
    for (field, label) in [
        ("disruptionsAllowed", "Allowed disruptions"),
        ("currentHealthy", "Current"),
        ("desiredHealthy", "Desired"),
        ("expectedPods", "Total"),
    ] {
        line(out, &format!("    {label}"), &status[field].int_or(0).to_string());
    }
}

fn data(out: &mut String, obj: &Obj) {
    head(out, obj);
    if obj.kind == Kind::Secret {
        let _ = writeln!(out, "\nType:\t{}", obj.value["type"].str());
    }
    out.push_str("\nData\n====\n");
    for (k, v) in obj.value["data"].pairs() {
        if obj.kind == Kind::Secret {
            let _ = writeln!(out, "{k}:\t{} bytes", decoded(v.str()));
        } else {
            let _ = writeln!(out, "{k}:\n----\n{}\n", v.str());
        }
    }
    if obj.kind == Kind::ConfigMap {
        out.push_str("\nBinaryData\n====\n");
        for (k, v) in obj.value["binaryData"].pairs() {
            let _ = writeln!(out, "{k}: {} bytes", decoded(v.str()));
        }
        out.push('\n');
    }
}

/// How many bytes a text in base64 stands for: four characters are three of them.
fn decoded(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

/// The events about an object, by `lastTimestamp`: those of the scheduler have none and come
/// first.
fn event_lines(w: &World, out: &mut String, obj: &Obj) {
    let uid = obj.uid();
    let mut events: Vec<(u64, &Obj)> = w
        .store
        .all(Kind::Event)
        .filter(|e| e.told().is_some_and(|about| *about.uid == uid))
        .map(|e| (last_seen(&e.value), e))
        .collect();
    if events.is_empty() {
        line(out, "Events", "<none>");
        return;
    }
    events.sort_by_key(|(_, e)| (e.value["lastTimestamp"].as_str().and_then(parse), e.name()));
    out.push_str(
        "Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n",
    );
    for (at, e) in events {
        let v = &e.value;
        let count = match v["series"]["count"].as_int() {
            Some(n) => n,
            None => v["count"].int_or(1),
        };
        let first =
            if v["firstTimestamp"].is_null() { &v["eventTime"] } else { &v["firstTimestamp"] };
        let age = human(w.now.saturating_sub(at));
        let age = if count > 1 {
            format!("{age} (x{count} over {})", rows::ago(first, w.now))
        } else {
            age
        };
        let from = match v["source"]["component"].str() {
            "" => v["reportingComponent"].str(),
            c => c,
        };
        let field = v["involvedObject"]["fieldPath"].str();
        let message = v["message"].str().trim();
        let message =
            if field.is_empty() { message.to_owned() } else { format!("{field}: {message}") };
        let _ =
            writeln!(out, "  {}\t{}\t{age}\t{from}\t{message}", v["type"].str(), v["reason"].str());
    }
}

fn last_seen(e: &Value) -> u64 {
    let last = [&e["series"]["lastObservedTime"], &e["lastTimestamp"], &e["eventTime"]];
    last.iter().find_map(|v| v.as_str().and_then(parse)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_reach_as_far_as_their_neighbours() {
        let text = "Name:\tweb\nUpdate Strategy:\tx\nPod Template:\n  Labels:\ta\n  Containers:\n   n:\n    Image:\ti\n    Host Port:\tp\n";
        let want = "Name:             web\nUpdate Strategy:  x\nPod Template:\n  Labels:  a\n  Containers:\n   n:\n    Image:      i\n    Host Port:  p\n";
        assert_eq!(align(text), want);
    }
}
