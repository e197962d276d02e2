//! Probes (behaviour/pod-lifecycle.md 4). A probe whose result cannot change costs nothing:
//! it ticks while thresholds are being counted or while it fails, and again when something
//! that it looks at changes ([`super::poke`]).

use super::run::{Phase, PodRun};
use super::{event, later, number, restart, write_status};
use crate::api::Obj;
use crate::api::time::{MS, SECOND, seconds};
use crate::apiserver::events::EventType::{Normal, Warning};
use crate::config::Latency;
use crate::value::{Str, Value};
use crate::workload::{self, Family};
use crate::world::World;

/// Startup, liveness, readiness: field and word of each.
const KINDS: [(&str, &str); 3] =
    [("startupProbe", "Startup"), ("livenessProbe", "Liveness"), ("readinessProbe", "Readiness")];
const STARTUP: usize = 0;
const LIVENESS: usize = 1;
const READINESS: usize = 2;

fn setting(probe: &Value, name: &str, default: i64) -> u64 {
    u64::try_from(probe[name].int_or(default)).unwrap_or(0)
}

/// The container has started: its probes begin.
pub(super) fn begin(w: &mut World, uid: &Str, pod: &Obj, i: usize) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let spec = run.spec(&pod.value, i);
    let blocked = !run.containers[i].probes[STARTUP].ok;
    // readiness first: a container whose liveness fails too is not ready before it is stopped
    for kind in [STARTUP, READINESS, LIVENESS] {
        let (field, _) = KINDS[kind];
        let probe = &spec[field];
        if !probe.is_null() && (kind == STARTUP) == blocked {
            let soon = if w.config.latency == Latency::Realistic { 500 * MS } else { 0 };
            let since = w.now.saturating_sub(match run.containers[i].phase {
                Phase::Running(since) => since,
                _ => w.now,
            });
            let delay = seconds(probe["initialDelaySeconds"].int_or(0));
            tick_after(w, uid, &run, i, kind, delay.saturating_sub(since).max(soon), false);
        }
    }
}

fn tick_after(
    w: &mut World,
    uid: &Str,
    run: &PodRun,
    i: usize,
    kind: usize,
    after: u64,
    background: bool,
) {
    let n = number(run, i) | (kind as u64) << 56;
    w.kubelet.edit(uid, |r| r.containers[i].probes[kind].ticking = true);
    later(w, uid, "kubelet.probe", n, after, background);
}

/// One probe.
pub(super) fn tick(w: &mut World, uid: &Str, pod: &Obj, i: usize, kind: usize) {
    let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
    let c = &run.containers[i];
    if !c.running() || c.stopping || !run.active() {
        return;
    }
    let (field, word) = KINDS[kind];
    let spec = run.spec(&pod.value, i);
    let probe = &spec[field];
    if probe.is_null() {
        return;
    }
    let result = outcome(w, &run, pod, spec, probe);
    let breaks = workload::breaks(spec);
    let good = result.is_ok();
    let needed = if good {
        setting(probe, "successThreshold", 1)
    } else {
        setting(probe, "failureThreshold", 3)
    };
    if let Err(why) = result {
        let message = format!("{word} probe failed: {why}");
        event(w, &run, pod, Some(i), Warning, "Unhealthy", message);
    }
    let first = c.restarts == 0;
    drop(run);
    let Some((reached, changed)) = w.kubelet.edit(uid, |r| {
        let p = &mut r.containers[i].probes[kind];
        p.ticking = false;
        p.streak = if p.last == good && p.streak > 0 { p.streak.saturating_add(1) } else { 1 };
        p.last = good;
        let reached = u64::from(p.streak) >= needed;
        let changed = reached && p.ok != good;
        if reached && (good || kind == READINESS) {
            p.ok = good;
        }
        (reached, changed)
    }) else {
        return;
    };
    if reached && !good && kind != READINESS {
        let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
        let message = format!(
            "Container {} failed {} probe, will be restarted",
            run.containers[i].name,
            word.to_ascii_lowercase()
        );
        event(w, &run, pod, Some(i), Normal, "Killing", message);
        let own = probe["terminationGracePeriodSeconds"].as_int();
        drop(run);
        restart::stop_container(w, uid, pod, i, own);
        return;
    }
    if changed && kind != LIVENESS {
        write_status(w, uid, if good { "kubelet.probe-ok" } else { "kubelet.probe-failed" });
        if kind == STARTUP {
            begin(w, uid, pod, i);
            restart::next_if_pending(w, uid, pod);
        }
    }
    // a result that counts already stays until something changes, or the program breaks
    if !(good && reached) || breaks {
        let Some(run) = w.kubelet.pods.get(uid).cloned() else { return };
        let endless = (!good || breaks) && (kind == READINESS || !first);
        let period = seconds(probe["periodSeconds"].int_or(10)).max(SECOND);
        tick_after(w, uid, &run, i, kind, period, endless);
    }
}

/// Something changed that probes may look at: those whose result differs now tick at their
/// next regular time.
pub(super) fn poke(w: &mut World, pod: &Obj) {
    let uid = pod.uid();
    let Some(run) = w.kubelet.pods.get(&uid).cloned() else { return };
    for (i, c) in run.containers.iter().enumerate() {
        let Phase::Running(since) = c.phase else { continue };
        let spec = run.spec(&pod.value, i);
        for kind in [READINESS, LIVENESS] {
            let probe = &spec[KINDS[kind].0];
            let state = c.probes[kind];
            if probe.is_null() || state.ticking || !c.probes[STARTUP].ok || state.streak == 0 {
                continue;
            }
            if outcome(w, &run, pod, spec, probe).is_ok() != state.last {
                let period = seconds(probe["periodSeconds"].int_or(10)).max(SECOND);
                let start = since + seconds(probe["initialDelaySeconds"].int_or(0));
                let passed = w.now.saturating_sub(start);
                let after = (passed / period + 1) * period - passed;
                tick_after(w, &uid, &run, i, kind, after, false);
            }
        }
    }
}

/// What the probe finds now; an error is what its event says.
fn outcome(
    w: &World,
    run: &PodRun,
    pod: &Obj,
    container: &Value,
    probe: &Value,
) -> Result<(), String> {
    let key = &run.key;
    let ip = &run.ip;
    let name = container["name"].str();
    let port = |v: &Value| workload::port_number(pod, Some(container), v).unwrap_or(0);
    let open = |port: i64| workload::listener(w, key, port);
    let http = &probe["httpGet"];
    if !http.is_null() {
        let n = port(&http["port"]);
        let host = http["host"].as_str().unwrap_or(ip);
        let scheme = if http["scheme"].str() == "HTTPS" { "https" } else { "http" };
        let path = http["path"].as_str().unwrap_or("/");
        let slash = if path.starts_with('/') { "" } else { "/" };
        let url = format!("Get \"{scheme}://{host}:{n}{slash}{path}\"");
        let Some(listener) = open(n) else {
            return Err(format!("{url}: dial tcp {host}:{n}: connect: connection refused"));
        };
        if scheme == "https" && matches!(listener.family, Family::Nginx | Family::Httpd) {
            return Err(format!("{url}: http: server gave HTTP response to HTTPS client"));
        }
        if !listener.family.speaks_http() {
            return Err(format!("{url}: EOF"));
        }
        let status = workload::answer(w, key, &listener.container, path).status;
        return if (200..400).contains(&status) {
            Ok(())
        } else {
            Err(format!("HTTP probe failed with statuscode: {status}"))
        };
    }
    let tcp = &probe["tcpSocket"];
    if !tcp.is_null() {
        let n = port(&tcp["port"]);
        return match open(n) {
            Some(_) => Ok(()),
            None => Err(format!("dial tcp {ip}:{n}: connect: connection refused")),
        };
    }
    let grpc = &probe["grpc"];
    if !grpc.is_null() {
        let n = port(&grpc["port"]);
        let within = setting(probe, "timeoutSeconds", 1);
        return match open(n) {
            Some(_) => Ok(()),
            None => Err(format!(
                "timeout: failed to connect service \"{ip}:{n}\" within {within}s: context deadline exceeded"
            )),
        };
    }
    let words: Vec<&str> = probe["exec"]["command"].items().iter().map(Value::str).collect();
    workload::probe_command(w, key, name, &words)
}
