//! Defaults that the API server fills in (`SetDefaults_*` of each kind), so that `-o yaml`
//! prints what a real server prints. Idempotent; a value that is there is never touched.

use crate::api::Kind;
use crate::value;
use crate::value::{Str, Value};

fn default(v: &mut Value, key: &'static str, to: impl Into<Value>) {
    if v[key].is_null() {
        v.set(key, to);
    }
}

/// Changes each item of a list, if there is one; shared lists that need nothing stay shared.
fn each(v: &mut Value, key: &'static str, f: impl Fn(&mut Value)) {
    if v[key].items().is_empty() {
        return;
    }
    let mut list = v[key].items().to_vec();
    list.iter_mut().for_each(f);
    let list = Value::from(list);
    if list != v[key] {
        v.set(key, list);
    }
}

/// Changes a part, if it is there.
fn part(v: &mut Value, key: &'static str, f: impl Fn(&mut Value)) {
    if v[key].as_map().is_some() {
        let mut inner = v[key].clone();
        f(&mut inner);
        if inner != v[key] {
            v.set(key, inner);
        }
    }
}

/// Fills the defaults of that kind.
pub fn apply(kind: Kind, v: &mut Value) {
    part(v, "metadata", |m| {
        m.remove("managedFields");
        if m.has("creationTimestamp") && m["creationTimestamp"].is_null() {
            m.remove("creationTimestamp");
        }
    });
    match kind {
        Kind::Pod => spec(v, |s| {
            pod_spec(s);
            pod_only(s);
        }),
        Kind::PodTemplate => part(v, "template", template),
        Kind::StatefulSet => own_spec(v, statefulset),
        Kind::Deployment => own_spec(v, deployment),
        Kind::ReplicaSet | Kind::ReplicationController => own_spec(v, |s| {
            default(s, "replicas", 1);
            template_of(s);
        }),
        Kind::DaemonSet => own_spec(v, daemonset),
        Kind::Job => own_spec(v, job),
        Kind::CronJob => spec(v, |s| {
            default(s, "concurrencyPolicy", "Allow");
            default(s, "failedJobsHistoryLimit", 1);
            default(s, "successfulJobsHistoryLimit", 3);
            default(s, "suspend", false);
            part(s, "jobTemplate", |t| part(t, "spec", job));
        }),
        Kind::Service => service(v),
        Kind::PersistentVolumeClaim => spec(v, claim),
        Kind::PersistentVolume => spec(v, volume),
        Kind::StorageClass => {
            default(v, "reclaimPolicy", "Delete");
            default(v, "volumeBindingMode", "Immediate");
        }
        Kind::PriorityClass => default(v, "preemptionPolicy", "PreemptLowerPriority"),
        Kind::EndpointSlice => each(v, "ports", |p| {
            default(p, "name", "");
            default(p, "protocol", "TCP");
        }),
        Kind::Secret => {
            default(v, "type", "Opaque");
            for (k, text) in v["stringData"].clone().pairs() {
                v.entry("data").set(k.clone(), crate::base64::encode(text.str().as_bytes()));
            }
            v.remove("stringData");
        }
        Kind::Endpoints => {
            each(v, "subsets", |s| each(s, "ports", |p| default(p, "protocol", "TCP")));
        }
        Kind::HorizontalPodAutoscaler => {
            spec(v, |s| {
                default(s, "minReplicas", 1);
                if s["metrics"].is_empty() {
                    let target = value!({"averageUtilization": 80, "type": "Utilization"});
                    s.set("metrics", value!([{"resource": {"name": "cpu", "target": target}, "type": "Resource"}]));
                }
            });
        }
        Kind::ResourceQuota => spec(v, |s| part(s, "hard", amounts)),
        Kind::LimitRange => spec(v, |s| each(s, "limits", limit)),
        Kind::NetworkPolicy => spec(v, |s| {
            if s["policyTypes"].is_null() {
                let mut types: Vec<Value> = vec!["Ingress".into()];
                if !s["egress"].is_empty() {
                    types.push("Egress".into());
                }
                s.set("policyTypes", types);
            }
        }),
        _ => {}
    }
}

/// What a range says of containers: the largest amount is what one may use if nothing is said,
/// and that is what it asks for.
fn limit(l: &mut Value) {
    for field in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        part(l, field, amounts);
    }
    if l["type"].str() != "Container" {
        return;
    }
    for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")]
    {
        for (name, v) in l[from].clone().pairs().filter(|(n, _)| !l[to].has(n)).collect::<Vec<_>>()
        {
            l.entry(to).set(name.clone(), v);
        }
    }
}

fn spec(v: &mut Value, f: impl Fn(&mut Value)) {
    part(v, "spec", f);
}

/// The same where Go's object has a spec even if the manifest has none.
fn own_spec(v: &mut Value, f: impl Fn(&mut Value)) {
    default(v, "spec", Value::map());
    spec(v, f);
}

fn statefulset(s: &mut Value) {
    default(s, "podManagementPolicy", "OrderedReady");
    default(s, "replicas", 1);
    default(s, "revisionHistoryLimit", 10);
    // only a missing type brings a partition along: `type: RollingUpdate` alone leaves
    // rollingUpdate nil, which the controller treats differently
    let strategy = s.entry("updateStrategy");
    if strategy["type"].is_empty() {
        strategy.set("type", "RollingUpdate");
        if strategy["rollingUpdate"].is_null() {
            strategy.set("rollingUpdate", value!({"partition": 0}));
        }
    }
    if strategy["rollingUpdate"].is_null() {
        strategy.remove("rollingUpdate");
    } else {
        let rolling = strategy.entry("rollingUpdate");
        default(rolling, "partition", 0);
        // dropped while the gate MaxUnavailableStatefulSet is off
        rolling.remove("maxUnavailable");
    }
    let policy = s.entry("persistentVolumeClaimRetentionPolicy");
    default(policy, "whenDeleted", "Retain");
    default(policy, "whenScaled", "Retain");
    template_of(s);
    each(s, "volumeClaimTemplates", |t| {
        default(t, "apiVersion", "v1");
        default(t, "kind", "PersistentVolumeClaim");
        default(t, "metadata", Value::map());
        part(t, "metadata", |m| {
            if m["creationTimestamp"].is_null() {
                m.remove("creationTimestamp");
            }
        });
        part(t, "spec", claim);
        t.set("status", value!({"phase": "Pending"}));
    });
}

fn deployment(s: &mut Value) {
    default(s, "replicas", 1);
    default(s, "revisionHistoryLimit", 10);
    default(s, "progressDeadlineSeconds", 600);
    let strategy = s.entry("strategy");
    if strategy["type"].is_empty() {
        strategy.set("type", "RollingUpdate");
    }
    if strategy["type"].str() == "RollingUpdate" {
        let rolling = strategy.entry("rollingUpdate");
        default(rolling, "maxSurge", "25%");
        default(rolling, "maxUnavailable", "25%");
    }
    template_of(s);
}

fn daemonset(s: &mut Value) {
    default(s, "revisionHistoryLimit", 10);
    let strategy = s.entry("updateStrategy");
    default(strategy, "type", "RollingUpdate");
    if strategy["type"].str() == "RollingUpdate" {
        let rolling = strategy.entry("rollingUpdate");
        default(rolling, "maxSurge", 0);
        default(rolling, "maxUnavailable", 1);
    }
    template_of(s);
}

fn job(s: &mut Value) {
    default(s, "backoffLimit", 6);
    default(s, "completionMode", "NonIndexed");
    if s["completions"].is_null() && s["parallelism"].is_null() {
        default(s, "completions", 1);
    }
    default(s, "manualSelector", false);
    default(s, "parallelism", 1);
    default(s, "podReplacementPolicy", "TerminatingOrFailed");
    default(s, "suspend", false);
    template_of(s);
}

/// The template of a workload, which Go has even if the manifest does not.
fn template_of(s: &mut Value) {
    default(s, "template", value!({"spec": {}}));
    part(s, "template", template);
}

fn template(t: &mut Value) {
    default(t, "metadata", Value::map());
    part(t, "metadata", |m| {
        if m["creationTimestamp"].is_null() {
            m.remove("creationTimestamp");
        }
    });
    part(t, "spec", pod_spec);
}

/// Defaults of a pod's spec, in a pod or in a template.
fn pod_spec(s: &mut Value) {
    default(s, "dnsPolicy", "ClusterFirst");
    default(s, "restartPolicy", "Always");
    default(s, "schedulerName", "default-scheduler");
    default(s, "securityContext", Value::map());
    default(s, "terminationGracePeriodSeconds", 30);
    if let Some(account) = s["serviceAccountName"].as_str().filter(|a| !a.is_empty()) {
        // the old name of the field is kept in step
        let account = value::text(account);
        s.set("serviceAccount", account);
    } else if let Some(account) = s["serviceAccount"].as_str().filter(|a| !a.is_empty()) {
        let account = value::text(account);
        s.set("serviceAccountName", account);
    }
    each(s, "containers", container);
    each(s, "initContainers", container);
    each(s, "ephemeralContainers", container);
    each(s, "volumes", pod_volume);
    part(s, "overhead", amounts);
    part(s, "resources", |r| {
        part(r, "limits", amounts);
        part(r, "requests", amounts);
    });
}

/// Defaults that a template does not get.
fn pod_only(s: &mut Value) {
    let host_network = s["hostNetwork"].is_true();
    for list in ["containers", "initContainers"] {
        each(s, list, |c| {
            // a limit without a request is a request too
            let limits: Vec<(Str, Value)> =
                c["resources"]["limits"].pairs().map(|(k, v)| (k.clone(), v.clone())).collect();
            for (k, v) in limits {
                if c["resources"]["requests"].get(&k).is_null() {
                    c.entry("resources").entry("requests").set(k, v);
                }
            }
            each(c, "ports", |p| {
                if host_network && p["hostPort"].int_or(0) == 0 {
                    let port = p["containerPort"].clone();
                    p.set("hostPort", port);
                }
            });
        });
    }
}

/// Amounts of a list of resources as the server writes them.
fn amounts(list: &mut Value) {
    let written = |v: &Value| match v {
        // an amount that is not given is none
        Value::Null => "0".into(),
        v => crate::manifest::canonical_resource(v),
    };
    let all: Vec<(Str, Value)> = list.pairs().map(|(k, v)| (k.clone(), written(v))).collect();
    for (k, v) in all {
        list.set(k, v);
    }
}

fn container(c: &mut Value) {
    if c["imagePullPolicy"].is_empty() {
        c.set("imagePullPolicy", pull_policy(c["image"].str()));
    }
    default(c, "resources", Value::map());
    part(c, "resources", |r| {
        part(r, "limits", amounts);
        part(r, "requests", amounts);
    });
    default(c, "terminationMessagePath", "/dev/termination-log");
    default(c, "terminationMessagePolicy", "File");
    each(c, "ports", |p| {
        default(p, "protocol", "TCP");
    });
    each(c, "env", |e| {
        part(e, "valueFrom", |f| {
            part(f, "fieldRef", |r| default(r, "apiVersion", "v1"));
        });
    });
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        part(c, key, probe);
    }
    part(c, "lifecycle", |l| {
        for key in ["postStart", "preStop"] {
            part(l, key, |h| part(h, "httpGet", http_get));
        }
    });
}

fn probe(p: &mut Value) {
    for (key, number) in [
        ("failureThreshold", 3),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("timeoutSeconds", 1),
    ] {
        if p[key].int_or(0) == 0 {
            p.set(key, number);
        }
    }
    part(p, "httpGet", http_get);
    part(p, "grpc", |g| default(g, "service", ""));
}

fn http_get(h: &mut Value) {
    default(h, "path", "/");
    default(h, "scheme", "HTTP");
}

/// `Always` for `:latest` and for images without a tag, else `IfNotPresent`.
pub fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    let latest = !image.contains('@')
        && match name.rsplit_once(':') {
            Some((_, tag)) => tag == "latest",
            None => true,
        };
    if latest { "Always" } else { "IfNotPresent" }
}

fn pod_volume(v: &mut Value) {
    const MODE: i64 = 0o644;
    if v.as_map().is_some() {
        v.map_mut().retain(|_, source| !source.is_null());
        if v.pairs().all(|(key, _)| key.as_str() == "name") {
            v.set("emptyDir", Value::map());
        }
    }
    let image = v["image"]["reference"].to_str();
    part(v, "image", |i| default(i, "pullPolicy", pull_policy(&image)));
    part(v, "emptyDir", |d| {
        let size = crate::manifest::canonical_quantity(&d["sizeLimit"]);
        if !size.is_null() {
            d.set("sizeLimit", size);
        }
    });
    part(v, "configMap", |c| default(c, "defaultMode", MODE));
    part(v, "secret", |c| default(c, "defaultMode", MODE));
    part(v, "hostPath", |h| default(h, "type", ""));
    let fields = |d: &mut Value| {
        each(d, "items", |i| part(i, "fieldRef", |r| default(r, "apiVersion", "v1")));
    };
    part(v, "downwardAPI", |d| {
        default(d, "defaultMode", MODE);
        fields(d);
    });
    part(v, "projected", |p| {
        default(p, "defaultMode", MODE);
        each(p, "sources", |s| {
            part(s, "downwardAPI", fields);
            part(s, "serviceAccountToken", |t| default(t, "expirationSeconds", 3600));
        });
    });
    part(v, "iscsi", |i| default(i, "iscsiInterface", "default"));
    part(v, "ephemeral", |e| {
        part(e, "volumeClaimTemplate", |t| {
            default(t, "metadata", Value::map());
            part(t, "spec", claim);
        });
    });
}

/// Defaults of a claim's spec, in a claim or in a template.
fn claim(s: &mut Value) {
    default(s, "volumeMode", "Filesystem");
    part(s, "resources", |r| {
        for key in ["limits", "requests"] {
            part(r, key, amounts);
        }
    });
    for key in ["dataSource", "dataSourceRef"] {
        if s.has(key) && s[key].is_null() {
            s.remove(key);
        }
    }
}

fn volume(s: &mut Value) {
    default(s, "persistentVolumeReclaimPolicy", "Retain");
    default(s, "volumeMode", "Filesystem");
    // unlike a claim's, a volume's empty class is the same as none, and not written
    if s["storageClassName"].is_empty() {
        s.remove("storageClassName");
    }
    part(s, "hostPath", |h| default(h, "type", ""));
    part(s, "capacity", amounts);
    part(s, "claimRef", |r| {
        default(r, "apiVersion", "v1");
        default(r, "kind", "PersistentVolumeClaim");
    });
}

fn service(v: &mut Value) {
    spec(v, |s| {
        default(s, "sessionAffinity", "None");
        default(s, "type", "ClusterIP");
        let kind = s["type"].to_str();
        if s["sessionAffinity"].str() == "ClientIP" {
            let config = s.entry("sessionAffinityConfig").entry("clientIP");
            default(config, "timeoutSeconds", 10_800);
        } else if s["sessionAffinity"].str() == "None" {
            s.remove("sessionAffinityConfig");
        }
        each(s, "ports", |p| {
            default(p, "protocol", "TCP");
            if p["targetPort"].is_null() || p["targetPort"].is_empty() {
                let port = p["port"].clone();
                p.set("targetPort", port);
            }
        });
        if kind == "ClusterIP" || kind == "NodePort" || kind == "LoadBalancer" {
            default(s, "internalTrafficPolicy", "Cluster");
        }
        let outside = kind == "ClusterIP" && !s["externalIPs"].is_empty();
        if outside || kind == "NodePort" || kind == "LoadBalancer" {
            default(s, "externalTrafficPolicy", "Cluster");
        }
        if kind == "LoadBalancer" {
            default(s, "allocateLoadBalancerNodePorts", true);
        }
        if let Some(ip) = s["clusterIP"].as_str().filter(|ip| !ip.is_empty()) {
            // the old field of one address and the new of several are kept in step
            let ip = value::text(ip);
            default(s, "clusterIPs", [ip.into()]);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(kind: Kind, mut v: Value) -> Value {
        apply(kind, &mut v);
        let once = v.clone();
        apply(kind, &mut v);
        assert_eq!(v, once, "defaults must not move");
        v
    }

    #[test]
    fn rolling_update_is_filled_only_without_a_type() {
        let strategy = |v: Value| {
            applied(Kind::StatefulSet, value!({"spec": {"updateStrategy": v}}))["spec"]["updateStrategy"].clone()
        };
        assert_eq!(strategy(Value::Null)["rollingUpdate"]["partition"].as_int(), Some(0));
        assert!(strategy(value!({"type": "RollingUpdate"}))["rollingUpdate"].is_null());
        assert!(strategy(value!({"type": "OnDelete"}))["rollingUpdate"].is_null());
    }

    #[test]
    fn pull_policies() {
        for (image, want) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("reg:5000/nginx", "Always"),
            ("nginx:1.27", "IfNotPresent"),
            ("nginx@sha256:aa", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), want, "{image}");
        }
    }
}
