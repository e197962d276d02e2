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
use crate::value::{Str, Value, text};
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
    let serial = w.next_serial(Kind::ServiceAccount).to_string();
    let suffix = Stream::new(w.config.seed, &["token", ns, &pod_name, &serial]).suffix(5);
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
    spec.entry("volumes").list_mut().push(value!({
        "name": (volume),
        "projected": {
            "defaultMode": 420,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
                {"downwardAPI": {"items": [
                    {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}
                ]}}
            ]
        }
    }));
}
