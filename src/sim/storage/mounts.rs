//! What lies behind a mount: a disk, a pod's own directory, or objects of the API.

use super::fs::{Node, Tree};
use crate::api::{Key, Kind, Obj, Object, quantity};
use crate::net::resolver;
use crate::value::{Str, Value, text};
use crate::world::World;

/// Where a mount leads.
pub(super) enum Volume {
    /// A disk, by its id.
    Disk(Str),
    /// Files that the API server knows; they cannot be written.
    Given(Tree),
    /// A container's own layer over its image's files.
    Over(Str, Tree),
}

/// A mount, as `df` and `mount` show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Where.
    pub path: Str,
    /// Name of the volume in the pod.
    pub volume: Str,
    /// The PersistentVolume, if it is one.
    pub pv: Option<Str>,
    /// Capacity of the PersistentVolume, as a quantity.
    pub size: Str,
    /// Can it not be written?
    pub read_only: bool,
    /// Bytes in its files.
    pub used: usize,
}

/// Name of the claim behind a volume of a pod, if it is one.
pub fn claim_name(pod: &Object, volume: &Value) -> Option<Str> {
    if !volume["ephemeral"].is_null() {
        return Some(format!("{}-{}", pod.name(), volume["name"].str()).into());
    }
    let name = volume["persistentVolumeClaim"]["claimName"].to_str();
    if name.is_empty() { None } else { Some(name) }
}

/// The PersistentVolume that a claim of that namespace is bound to.
pub fn volume_of_claim<'a>(w: &'a World, ns: &Str, claim: &Str) -> Option<&'a Obj> {
    let claim = Key::new(Kind::PersistentVolumeClaim, ns.clone(), claim.clone());
    let pv = w.store.by_key(&claim)?.spec()["volumeName"].to_str();
    w.store.by_key(&Key::new(Kind::PersistentVolume, "", pv))
}

/// Id of the disk behind a PersistentVolume, as a node sees it: what holds the bytes, so
/// that a volume made again for the same backing finds them.
pub fn disk_id(pv: &Object, node: &str) -> Str {
    let spec = pv.spec();
    if let Some(handle) = spec["csi"]["volumeHandle"].as_str() {
        return format!("csi/{}/{handle}", spec["csi"]["driver"].str()).into();
    }
    if let Some(path) = spec["hostPath"]["path"].as_str().or(spec["local"]["path"].as_str()) {
        return format!("host/{node}/{path}").into();
    }
    if let Some(path) = spec["nfs"]["path"].as_str() {
        return format!("nfs/{}/{path}", spec["nfs"]["server"].str()).into();
    }
    format!("pv/{}/{}", pv.name(), pv.uid()).into()
}

/// A volume of a pod.
pub(super) fn volume(w: &World, pod: &Obj, name: &str) -> Option<Volume> {
    let volume = pod.spec()["volumes"].items().iter().find(|v| v["name"].str() == name)?;
    let node = pod.spec()["nodeName"].str();
    if let Some(claim) = claim_name(pod, volume) {
        let pv = volume_of_claim(w, &pod.ns(), &claim)?;
        return Some(Volume::Disk(disk_id(pv, node)));
    }
    if !volume["emptyDir"].is_null() {
        return Some(Volume::Disk(format!("empty/{}/{name}", pod.uid()).into()));
    }
    if let Some(path) = volume["hostPath"]["path"].as_str() {
        return Some(Volume::Disk(format!("host/{node}/{path}").into()));
    }
    let mut tree = Tree::new();
    if volume["projected"].is_null() {
        source(w, pod, volume, &mut tree);
    } else {
        for part in volume["projected"]["sources"].items() {
            source(w, pod, part, &mut tree);
        }
    }
    Some(Volume::Given(tree))
}

/// Files of a ConfigMap, Secret, downward API or token source.
fn source(w: &World, pod: &Obj, v: &Value, tree: &mut Tree) {
    let config = &v["configMap"];
    if !config.is_null() {
        let name = config["name"].str();
        let object = w.store.get(Kind::ConfigMap, &pod.ns(), name);
        let data = object.map(|o| o.value["data"].clone()).unwrap_or_default();
        let root_ca = name == "kube-root-ca.crt" && object.is_none();
        pick(
            &config["items"],
            tree,
            |key| match data[key].as_str() {
                Some(s) => Some(text(s)),
                None if root_ca && key == "ca.crt" => Some(Str::Lit(CERTIFICATE)),
                None => None,
            },
            data.as_map().map(|m| m.keys().cloned().collect()).unwrap_or_default(),
        );
    }
    let secret = &v["secret"];
    if !secret.is_null() {
        let name = secret["secretName"].as_str().or(secret["name"].as_str()).unwrap_or("");
        let object = w.store.get(Kind::Secret, &pod.ns(), name);
        let data = object.map(|o| o.value.clone()).unwrap_or_default();
        let keys = data["data"].pairs().chain(data["stringData"].pairs());
        let keys: Vec<Str> = keys.map(|(k, _)| k.clone()).collect();
        pick(&secret["items"], tree, |key| secret_value(&data, key), keys);
    }
    for item in v["downwardAPI"]["items"].items() {
        let from = &item["resourceFieldRef"];
        let file = if from.is_null() {
            field(w, pod, item["fieldRef"]["fieldPath"].str())
        } else {
            resource(w, pod, &Value::Null, from)
        };
        tree.insert(item["path"].to_str(), Node::File(file));
    }
    if let Some(path) = v["serviceAccountToken"]["path"].as_str() {
        tree.insert(text(path), Node::File(Str::Lit("podium-token\n")));
    }
}

/// The simulated cluster's certificate.
pub const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nsimulated\n-----END CERTIFICATE-----\n";

/// The value of a key of a Secret, decoded.
pub fn secret_value(secret: &Value, key: &str) -> Option<Str> {
    if let Some(plain) = secret["stringData"][key].as_str() {
        return Some(text(plain));
    }
    let encoded = secret["data"][key].as_str()?;
    Some(String::from_utf8_lossy(&crate::base64::decode(encoded)?).into_owned().into())
}

fn pick(items: &Value, tree: &mut Tree, get: impl Fn(&str) -> Option<Str>, all: Vec<Str>) {
    if items.is_empty() {
        for key in all {
            if let Some(content) = get(&key) {
                tree.insert(key, Node::File(content));
            }
        }
        return;
    }
    for item in items.items() {
        if let Some(content) = get(item["key"].str()) {
            tree.insert(item["path"].to_str(), Node::File(content));
        }
    }
}

/// A field that the downward API offers: `metadata.name`, `metadata.labels['app']`.
pub fn field(w: &World, pod: &Object, path: &str) -> Str {
    if let Some((map, key)) = path.split_once("['") {
        let key = key.trim_end_matches("']");
        return pod.value.at(map)[key].to_str();
    }
    // the kubelet knows addresses before they are in the status
    if let Some(run) = w.kubelet.pod(&pod.uid()) {
        match path {
            "status.podIP" | "status.podIPs" => return run.ip.clone(),
            "status.hostIP" | "status.hostIPs" => return run.host_ip.clone(),
            _ => {}
        }
    }
    match pod.value.at(path) {
        map @ Value::Map(_) => {
            let lines: Vec<String> =
                map.pairs().map(|(k, v)| format!("{k}={:?}", v.str())).collect();
            lines.join("\n").into()
        }
        value => value.to_str(),
    }
}

/// A request or limit of a pod's container, as the downward API gives it: without a limit, what
/// the node has to give.
pub fn resource(w: &World, pod: &Object, own: &Value, from: &Value) -> Str {
    let all = pod.spec()["containers"].items().iter().chain(pod.spec()["initContainers"].items());
    let named = from["containerName"].str();
    let container = all.clone().find(|c| !named.is_empty() && c["name"].str() == named);
    let container = container.unwrap_or(own);
    let kind = from["resource"].str();
    let mut n = amount(container, from);
    if n == 0
        && let Some(name) = kind.strip_prefix("limits.")
        && let Some(node) = w.store.get(Kind::Node, "", pod.spec()["nodeName"].str())
        && matches!(name, "cpu" | "memory" | "ephemeral-storage")
    {
        let free = node.status()["allocatable"].clone();
        n = amount(&crate::value!({"resources": {"limits": free}}), from);
    }
    n.to_string().into()
}

/// A container's resource in units of the divisor, rounded up.
pub fn amount(c: &Value, field: &Value) -> i128 {
    let milli = |v: &Value| quantity::milli(v.str()).unwrap_or(0);
    let (list, name) = field["resource"].str().split_once('.').unwrap_or_default();
    let divisor = match milli(&field["divisor"]) {
        0 => 1000,
        n => n,
    };
    let n = milli(&c["resources"][list][name]);
    n.div_euclid(divisor) + i128::from(n.rem_euclid(divisor) > 0)
}

/// `subPath`, or `subPathExpr` with the container's variables in it.
pub(super) fn sub_path(w: &World, pod: &Obj, container: &Value, mount: &Value) -> String {
    let expr = mount["subPathExpr"].str();
    if expr.is_empty() {
        return mount["subPath"].str().to_owned();
    }
    let mut out = expr.to_owned();
    for var in container["env"].items() {
        let pattern = format!("$({})", var["name"].str());
        if out.contains(&pattern) {
            let path = var["valueFrom"]["fieldRef"]["fieldPath"].str();
            let value = if path.is_empty() { var["value"].to_str() } else { field(w, pod, path) };
            out = out.replace(&pattern, &value);
        }
    }
    out
}

/// A container's root: its image's files under what it wrote itself.
pub(super) fn root(w: &World, pod: &Obj, container: &Value) -> Volume {
    let uid = pod.uid();
    let name = container["name"].str();
    let life =
        w.kubelet.pod(&uid).and_then(|r| r.index(name).map(|i| r.containers[i].life)).unwrap_or(0);
    let mut tree = crate::workload::image_files(container["image"].str());
    let host = resolver::hostname(pod);
    tree.insert("etc/hostname".into(), Node::File(format!("{host}\n").into()));
    tree.insert("etc/hosts".into(), Node::File(resolver::hosts_file(pod).into()));
    tree.insert("etc/resolv.conf".into(), Node::File(resolver::resolv_conf(pod).into()));
    let message = container["terminationMessagePath"].str().trim_start_matches('/');
    if !message.is_empty() {
        tree.insert(text(message), Node::File(Str::default()));
    }
    for dir in
        ["bin", "dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "tmp", "usr", "var"]
    {
        tree.entry(dir.into()).or_insert(Node::Dir);
    }
    Volume::Over(format!("root/{uid}/{name}/{life}").into(), tree)
}

/// The mounts of a container, in the order of its spec.
pub fn of_container(w: &World, pod: &Obj, container: &Value) -> Vec<Mount> {
    let node = pod.spec()["nodeName"].str();
    let volumes = pod.spec()["volumes"].items();
    container["volumeMounts"]
        .items()
        .iter()
        .map(|m| {
            let name = m["name"].to_str();
            let volume = volumes.iter().find(|v| v["name"] == m["name"]);
            let pv = volume
                .and_then(|v| claim_name(pod, v))
                .and_then(|claim| volume_of_claim(w, &pod.ns(), &claim));
            let used =
                pv.map_or(0, |pv| w.storage.disks.get(&disk_id(pv, node)).map_or(0, |t| used(t)));
            Mount {
                path: m["mountPath"].to_str(),
                volume: name,
                pv: pv.map(|pv| pv.name()),
                size: pv.map_or_else(Str::default, |pv| pv.spec()["capacity"]["storage"].to_str()),
                read_only: m["readOnly"].is_true(),
                used,
            }
        })
        .collect()
}

fn used(tree: &Tree) -> usize {
    tree.values().map(|n| if let Node::File(s) = n { s.len() } else { 0 }).sum()
}

/// The files of a PersistentVolume, path and contents, sorted: for showing the disk.
pub fn contents(w: &World, pv: &Object) -> Vec<(Str, Str)> {
    let files = |id: &Str| -> Vec<(Str, Str)> {
        let tree = w.storage.disks.get(id).into_iter().flat_map(|t| t.iter());
        tree.filter_map(|(p, n)| match n {
            Node::File(s) => Some((p.clone(), s.clone())),
            _ => None,
        })
        .collect()
    };
    if pv.spec()["hostPath"].is_null() && pv.spec()["local"].is_null() {
        return files(&disk_id(pv, ""));
    }
    // a path of a node: the node where there is something
    let nodes = w.store.all(Kind::Node).map(|n| files(&disk_id(pv, &n.name())));
    nodes.into_iter().find(|f| !f.is_empty()).unwrap_or_default()
}
