//! Claims, volumes and classes.

use std::fmt::Write as _;

use super::*;

/// The phase; while something keeps the object from going, for how long already.
fn phase(w: &World, obj: &Obj) -> String {
    if !obj.terminating() {
        return obj.status()["phase"].str().to_owned();
    }
    let due = parse(obj.meta()["deletionTimestamp"].str()).unwrap_or(w.now);
    format!("Terminating (lasts {})", human(w.now.saturating_sub(due)))
}

pub(super) fn claim(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    line(out, "StorageClass", &rows::class_of(obj));
    line(out, "Status", &phase(w, obj));
    line(out, "Volume", spec["volumeName"].str());
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    finalizers(out, obj);
    let bound = !spec["volumeName"].is_empty();
    let capacity = status["capacity"]["storage"].as_str().unwrap_or("0");
    line(out, "Capacity", if bound { capacity } else { "" });
    line(
        out,
        "Access Modes",
        if bound { rows::modes(&status["accessModes"]) } else { String::new() }.as_str(),
    );
    line(out, "VolumeMode", spec["volumeMode"].str());
    let (ns, name) = (obj.ns(), obj.name());
    let users: Vec<String> = w
        .store
        .list(Kind::Pod, &ns)
        .filter(|p| {
            p.spec()["volumes"]
                .items()
                .iter()
                .any(|v| v["persistentVolumeClaim"]["claimName"].str() == name.as_str())
        })
        .map(|p| p.name().to_string())
        .collect();
    list(out, "", "Used By", &users);
    if !status["conditions"].is_empty() {
        out.push_str("Conditions:\n  Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n  ----\t------\t-----------------\t------------------\t------\t-------\n");
        for c in status["conditions"].items() {
            let _ = writeln!(
                out,
                "  {} \t{} \t{}\t{}\t{}\t{}",
                c["type"].str(),
                c["status"].str(),
                time(&c["lastProbeTime"]),
                time(&c["lastTransitionTime"]),
                c["reason"].str(),
                c["message"].str()
            );
        }
    }
}

pub(super) fn volume(w: &World, out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    line(out, "Name", &obj.name());
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    finalizers(out, obj);
    line(out, "StorageClass", &rows::class_of(obj));
    line(out, "Status", &phase(w, obj));
    let r = &spec["claimRef"];
    let claim = if r.is_null() {
        String::new()
    } else {
        format!("{}/{}", r["namespace"].str(), r["name"].str())
    };
    line(out, "Claim", &claim);
    line(out, "Reclaim Policy", spec["persistentVolumeReclaimPolicy"].str());
    line(out, "Access Modes", &rows::modes(&spec["accessModes"]));
    line(out, "VolumeMode", spec["volumeMode"].str());
    line(out, "Capacity", spec["capacity"]["storage"].str());
    let terms = spec["nodeAffinity"]["required"]["nodeSelectorTerms"].items();
    if terms.is_empty() {
        line(out, "Node Affinity", "<none>");
    } else {
        out.push_str("Node Affinity:\t\n  Required Terms:\t\n");
        for (i, t) in terms.iter().enumerate() {
            let expressions = t["matchExpressions"].items().iter();
            let texts: Vec<String> =
                expressions.map(|e| expression(e, e["operator"].str())).collect();
            list(out, "    ", &format!("Term {i}"), &texts);
        }
    }
    line(out, "Message", status["message"].str());
    out.push_str("Source:\n");
    if !spec["hostPath"].is_null() {
        line(out, "    Type", "HostPath (bare host directory volume)");
        line(out, "    Path", spec["hostPath"]["path"].str());
        line(out, "    HostPathType", spec["hostPath"]["type"].str());
    } else if !spec["csi"].is_null() {
        let c = &spec["csi"];
        line(out, "    Type", "CSI (a Container Storage Interface (CSI) volume source)");
        line(out, "    Driver", c["driver"].str());
        line(out, "    FSType", c["fsType"].str());
        line(out, "    VolumeHandle", c["volumeHandle"].str());
        line(out, "    ReadOnly", &c["readOnly"].is_true().to_string());
        list(out, "    ", "VolumeAttributes", &pairs(&c["volumeAttributes"], "="));
    } else if !spec["local"].is_null() {
        line(
            out,
            "    Type",
            "LocalVolume (a persistent volume backed by local storage on a node)",
        );
        line(out, "    Path", spec["local"]["path"].str());
    } else if !spec["nfs"].is_null() {
        line(out, "    Type", "NFS (an NFS mount that lasts the lifetime of a pod)");
        line(out, "    Server", spec["nfs"]["server"].str());
        line(out, "    Path", spec["nfs"]["path"].str());
        line(out, "    ReadOnly", &spec["nfs"]["readOnly"].is_true().to_string());
    } else {
        out.push_str("    <unknown>\n");
    }
}

pub(super) fn class(out: &mut String, obj: &Obj) {
    let v = &obj.value;
    let default = obj.annotation("storageclass.kubernetes.io/is-default-class") == Some("true");
    line(out, "Name", &obj.name());
    line(out, "IsDefaultClass", if default { "Yes" } else { "No" });
    let notes: Vec<String> = pairs(&obj.meta()["annotations"], "=");
    line(
        out,
        "Annotations",
        if notes.is_empty() { "<none>".to_owned() } else { notes.join(",") }.as_str(),
    );
    line(out, "Provisioner", v["provisioner"].str());
    line(out, "Parameters", &rows::labels(&v["parameters"]));
    let expansion = match v["allowVolumeExpansion"].as_bool() {
        None => "<unset>",
        Some(true) => "True",
        Some(false) => "False",
    };
    line(out, "AllowVolumeExpansion", expansion);
    let options = v["mountOptions"].items();
    out.push_str(if options.is_empty() { "MountOptions:\t<none>\n" } else { "MountOptions:\n" });
    for option in options {
        let _ = writeln!(out, "  {}", option.str());
    }
    line(out, "ReclaimPolicy", v["reclaimPolicy"].str());
    line(out, "VolumeBindingMode", v["volumeBindingMode"].str());
    if v.has("allowedTopologies") {
        out.push_str("AllowedTopologies:\t\n");
        for (i, t) in v["allowedTopologies"].items().iter().enumerate() {
            let expressions = t["matchLabelExpressions"].items().iter();
            let texts: Vec<String> = expressions.map(|e| expression(e, "in")).collect();
            list(out, "  ", &format!("Term {i}"), &texts);
        }
    }
}

/// `kubernetes.io/hostname in [node-1]`.
fn expression(e: &Value, operator: &str) -> String {
    let values: Vec<&str> = e["values"].items().iter().map(Value::str).collect();
    let values =
        if values.is_empty() { String::new() } else { format!(" [{}]", values.join(", ")) };
    format!("{} {}{values}", e["key"].str(), operator.to_lowercase())
}
