//! What a fresh cluster holds (DESIGN "Cluster defaults").

use crate::api::time::rfc3339;
use crate::api::{Kind, quantity};
use crate::apiserver::{WriteOptions, service_account};
use crate::config::Latency;
use crate::value;
use crate::value::Value;
use crate::world::World;

/// The version of the servers and of the nodes' kubelets.
pub const SERVER: &str = "v1.36.2";

/// Fills a new world.
pub fn cluster(w: &mut World) {
    let opts = WriteOptions::TRUSTED;
    let accounts = w.config.latency != Latency::Recording;
    let mut put = |kind: Kind, v: Value| {
        // a fresh store refuses nothing; an error here would show in every test
        let _ = w.create(kind, v, opts);
    };
    for ns in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        put(Kind::Namespace, value!({"metadata": {"name": ns}}));
        if accounts {
            for (kind, v) in service_account::of_namespace(ns) {
                put(kind, v);
            }
        }
    }
    for (name, value, description) in [
        (
            "system-cluster-critical",
            2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
        (
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
    ] {
        put(
            Kind::PriorityClass,
            value!({
                "description": description, "metadata": {"name": name},
                "preemptionPolicy": "PreemptLowerPriority", "value": value
            }),
        );
    }
    for (name, mode, default) in
        [("local-wait", "WaitForFirstConsumer", false), ("standard", "Immediate", true)]
    {
        let mut class = value!({
            "metadata": {"name": name},
            "provisioner": "disk.sim.example",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": mode
        });
        if default {
            class
                .path_mut("metadata.annotations")
                .set("storageclass.kubernetes.io/is-default-class", "true");
        }
        put(Kind::StorageClass, class);
    }
    put(Kind::Service, own_service());
    put(
        Kind::Service,
        value!({
            "metadata": {
                "labels": {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"},
                "name": "kube-dns", "namespace": "kube-system"
            },
            "spec": {
                "clusterIP": "10.96.0.10",
                "clusterIPs": ["10.96.0.10"],
                "internalTrafficPolicy": "Cluster",
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53}
                ],
                "selector": {"k8s-app": "kube-dns"},
                "sessionAffinity": "None",
                "type": "ClusterIP"
            }
        }),
    );
    let nodes = w.config.nodes;
    for n in 1..=nodes {
        let node = node(w, n);
        let _ = w.create(Kind::Node, node, opts);
    }
}

/// Node `worker-N`: zones a, b, c in turn, pod range 10.244.N.0/24.
fn node(w: &World, n: u32) -> Value {
    let name = format!("worker-{n}");
    let zone = ["a", "b", "c"][((n - 1) % 3) as usize];
    let now = rfc3339(w.now);
    let cidr = pod_cidr(n);
    let memory = format!("{}Mi", w.config.node_memory >> 20);
    let memory = quantity::canonical(&memory).unwrap_or(memory);
    let capacity = value!({
        "cpu": (quantity_milli(w.config.node_cpu)),
        "ephemeral-storage": "64Gi",
        "memory": memory,
        "pods": (w.config.node_pods.to_string())
    });
    let condition =
        |kind: &'static str, status: &'static str, reason: &'static str, message: &'static str| {
            value!({
                "lastHeartbeatTime": (now.clone()), "lastTransitionTime": (now.clone()),
                "message": message, "reason": reason, "status": status, "type": kind
            })
        };
    value!({
        "metadata": {
            "labels": {
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": (name.clone()),
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": zone
            },
            "name": (name.clone())
        },
        "spec": {"podCIDR": (cidr.clone()), "podCIDRs": [(cidr)]},
        "status": {
            "addresses": [
                {"address": (format!("172.18.0.{}", n + 1)), "type": "InternalIP"},
                {"address": (name), "type": "Hostname"}
            ],
            "allocatable": (capacity.clone()),
            "capacity": (capacity),
            "conditions": [
                (condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")),
                (condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure")),
                (condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available")),
                (condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.0",
                "kubeletVersion": SERVER,
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 13 (trixie)"
            }
        }
    })
}

/// Pod range of the n-th node; past 255 nodes the second number goes on.
pub fn pod_cidr(n: u32) -> String {
    format!("10.{}.{}.0/24", 244 + n / 256, n % 256)
}

fn quantity_milli(milli: i64) -> String {
    if milli % 1000 == 0 { (milli / 1000).to_string() } else { format!("{milli}m") }
}

/// The Service of the API server itself.
pub fn own_service() -> Value {
    value!({
        "metadata": {
            "labels": {"component": "apiserver", "provider": "kubernetes"},
            "name": "kubernetes", "namespace": "default"
        },
        "spec": {
            "clusterIP": "10.96.0.1",
            "clusterIPs": ["10.96.0.1"],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            "sessionAffinity": "None",
            "type": "ClusterIP"
        }
    })
}
