//! Admission plugin `ServiceAccount`: every pod runs as an account of its namespace and gets a
//! volume with a token of it, unless it says otherwise.
//!
//! # Divergence from real Kubernetes
//! The account `default` of a namespace counts as present from the first moment, although its
//! controller makes it a little later.

use crate::api::Kind;
use crate::apiserver::error::Status;
use crate::rng::Stream;
use crate::value;
use crate::value::{Str, Value, decimal, text};
use crate::world::World;

const FALSE: Value = Value::Bool(false);
const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What controllers put into each namespace: the account `default`, and the cluster's certificate.
pub fn of_namespace(ns: &str) -> [(Kind, Value); 2] {
    let account = value!({"metadata": {"name": "default", "namespace": (text(ns))}});
    let explained = "Contains a CA bundle that can be used to verify the kube-apiserver when \
                     using internal endpoints such as the internal service IP or \
                     kubernetes.default.svc. No other usage is guaranteed across distributions of \
                     Kubernetes clusters.";
    let certificate = value!({
        "data": {"ca.crt": (Str::Lit(crate::storage::mounts::CERTIFICATE))},
        "metadata": {
            "annotations": {"kubernetes.io/description": explained},
            "name": "kube-root-ca.crt", "namespace": (text(ns))
        }
    });
    [(Kind::ServiceAccount, account), (Kind::ConfigMap, certificate)]
}

/// Fills the account's name and mounts its token in every container that has nothing there.
///
/// # Errors
/// 403 if the account does not exist.
pub(super) fn admit(w: &mut World, pod: &mut Value) -> Result<(), Status> {
    let ns = pod["metadata"]["namespace"].to_str();
    if pod["spec"]["serviceAccountName"].is_empty() {
        let spec = pod.entry("spec");
        spec.set("serviceAccountName", "default");
        spec.set("serviceAccount", "default");
    }
    let name = pod["spec"]["serviceAccountName"].to_str();
    let account = w.store.get(Kind::ServiceAccount, &ns, &name);
    if account.is_none() && name != "default" {
        let why = format!(
            "error looking up service account {ns}/{name}: serviceaccount \"{name}\" not found"
        );
        return Err(Status::forbidden(Kind::Pod, pod["metadata"]["name"].str(), &why));
    }
    let own = &pod["spec"]["automountServiceAccountToken"];
    let of_account = account.map(|a| &a.value["automountServiceAccountToken"]);
    let declined = if own.is_null() { of_account == Some(&FALSE) } else { *own == FALSE };
    if !declined {
        mount_token(w, pod, &ns);
    }
    Ok(())
}

fn mount_token(w: &mut World, pod: &mut Value, ns: &str) {
    // the counter makes a recreated pod's volume another one
    let pod_name = pod["metadata"]["name"].to_str();
    let serial = decimal(w.next_serial(Kind::ServiceAccount));
    let suffix = Stream::new(w.config.seed, &["token", ns, &pod_name, serial.as_str()]).suffix(5);
    let volume: Str = format!("kube-api-access-{suffix}").into();
    let spec = pod.entry("spec");
    let mut needed = false;
    for list in ["initContainers", "containers"] {
        for i in 0..spec[list].items().len() {
            let mounted =
                |c: &Value| c["volumeMounts"].items().iter().any(|m| m["mountPath"].str() == MOUNT);
            if mounted(&spec[list][i]) {
                continue;
            }
            needed = true;
            let Some(container) = spec.entry(list).list_mut().get_mut(i) else { continue };
            container
                .entry("volumeMounts")
                .list_mut()
                .push(value!({"mountPath": MOUNT, "name": (volume.clone()), "readOnly": true}));
        }
    }
    if !needed {
        return;
    }
    let volume = value!({"name": (volume), "projected": (&w.admission.token)});
    spec.entry("volumes").list_mut().push(volume);
}

/// What is projected into the volume.
pub(super) fn token() -> Value {
    value!({
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
            {"downwardAPI": {"items": [
                {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}
            ]}}
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::WriteOptions;
    use crate::config::{Config, Latency};

    const LIMIT: u64 = 60_000_000;

    fn pod(name: &'static str) -> Value {
        value!({
            "metadata": {"name": name},
            "spec": {"containers": [{"image": "nginx", "name": "c"}]}
        })
    }

    fn create(w: &mut World, pod: Value) -> Result<crate::api::Obj, Status> {
        w.create(Kind::Pod, pod, WriteOptions::default())
    }

    fn mounts(pod: &Value) -> usize {
        pod["spec"]["containers"][0]["volumeMounts"].items().len()
    }

    #[test]
    fn every_pod_mounts_the_token_of_its_account() {
        let mut w = World::new(Config::default());
        let made = create(&mut w, pod("a")).expect("created");
        assert_eq!(made.spec()["serviceAccountName"].str(), "default");
        let volume = made.spec()["volumes"][0]["name"].to_str();
        assert!(volume.starts_with("kube-api-access-"), "{volume}");
        assert_eq!(made.spec()["containers"][0]["volumeMounts"][0]["name"].to_str(), volume);
        // another pod, another volume
        let other = create(&mut w, pod("b")).expect("created");
        assert_ne!(other.spec()["volumes"][0]["name"].to_str(), volume);
    }

    #[test]
    fn pods_and_accounts_may_decline_and_pods_may_bring_their_own() {
        let mut w = World::new(Config::default());
        let mut declines = pod("a");
        declines.entry("spec").set("automountServiceAccountToken", false);
        assert_eq!(mounts(&create(&mut w, declines).expect("created").value), 0);
        let shy = value!({
            "automountServiceAccountToken": false,
            "metadata": {"name": "shy", "namespace": "default"}
        });
        w.create(Kind::ServiceAccount, shy, WriteOptions::default()).expect("created");
        let mut of_shy = pod("b");
        of_shy.entry("spec").set("serviceAccountName", "shy");
        assert_eq!(mounts(&create(&mut w, of_shy.clone()).expect("created").value), 0);
        // the pod has the last word
        of_shy.entry("metadata").set("name", "c");
        of_shy.entry("spec").set("automountServiceAccountToken", true);
        assert_eq!(mounts(&create(&mut w, of_shy).expect("created").value), 1);
        let mut own = pod("d");
        own.path_mut("spec.volumes").list_mut().push(value!({"emptyDir": {}, "name": "v"}));
        own.entry("spec").entry("containers").list_mut()[0]
            .set("volumeMounts", [value!({"mountPath": MOUNT, "name": "v"})]);
        let made = create(&mut w, own).expect("created");
        assert_eq!((mounts(&made.value), made.spec()["volumes"].items().len()), (1, 1));
    }

    #[test]
    fn an_account_that_is_not_there_refuses_the_pod() {
        let mut w = World::new(Config::default());
        let mut p = pod("a");
        p.entry("spec").set("serviceAccountName", "app");
        let refused = create(&mut w, p).expect_err("refused");
        assert_eq!(
            refused.message.as_str(),
            "pods \"a\" is forbidden: error looking up service account default/app: serviceaccount \"app\" not found"
        );
    }

    #[test]
    fn a_new_namespace_gets_both_but_not_in_the_recorded_cluster() {
        for (latency, there) in [(Latency::Realistic, true), (Latency::Recording, false)] {
            let mut w = World::new(Config { latency, ..Config::default() });
            let ns = value!({"metadata": {"name": "x"}});
            w.create(Kind::Namespace, ns, WriteOptions::default()).expect("created");
            w.settle(LIMIT);
            for (kind, name) in
                [(Kind::ServiceAccount, "default"), (Kind::ConfigMap, "kube-root-ca.crt")]
            {
                assert_eq!(w.store.get(kind, "x", name).is_some(), there, "{name}");
            }
        }
    }
}
