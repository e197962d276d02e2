//! `df` and `mount`: the volumes of a container.

use super::{Inside, Tools, spec};
use crate::api::quantity;
use crate::kubectl::io::Io;
use crate::storage::mounts::{self, Mount};
use crate::value::Value;
use crate::world::World;

/// KiB of a node's disk, and how many of them are used.
const NODE: (u64, u64) = (64 << 20, 8 << 20);

/// A file system: its device, KiB, KiB used, where it is, its type, whether it is read only.
struct Disk {
    device: String,
    size: u64,
    used: u64,
    path: String,
    kind: &'static str,
    read_only: bool,
}

fn all(w: &World, inside: &Inside) -> Vec<Disk> {
    let (size, used) = NODE;
    let disk = |device: String, path: &str, kind, read_only| Disk {
        device,
        size,
        used,
        path: path.to_owned(),
        kind,
        read_only,
    };
    let mut all = vec![disk("overlay".into(), "/", "overlay", false)];
    let Some(pod) = w.store.by_key(&inside.pod) else { return all };
    for m in mounts::of_container(w, pod, spec(pod, &inside.container)) {
        let Mount { path, volume, pv, size, used, read_only } = m;
        let volumes = pod.spec()["volumes"].items();
        let source = volumes.iter().find(|v| v["name"].str() == volume.as_str());
        let of = |key: &str| source.is_some_and(|v| !v[key].is_null());
        let memory = source.is_some_and(|v| v["emptyDir"]["medium"].str() == "Memory");
        let used = (used as u64).div_ceil(1024);
        if pv.is_some() {
            let size = quantity::of(&Value::from(&size)) / 1000 / 1024;
            let size = u64::try_from(size).unwrap_or(0);
            let device = format!("/dev/{volume}");
            all.push(Disk { size, used, ..disk(device, &path, "ext4", read_only) });
        } else if memory || of("secret") || of("projected") {
            let size = w.config.node_memory as u64 >> 10;
            all.push(Disk { size, used, ..disk("tmpfs".into(), &path, "tmpfs", read_only) });
        } else {
            // a directory of the node
            all.push(disk("/dev/sda1".into(), &path, "ext4", read_only));
        }
    }
    all
}

/// `64.0M`: with one digit after the point, GNU's only below ten and rounded up.
fn human(kib: u64, gnu: bool) -> String {
    let (mut tenths, mut unit) = (kib * 10, 0);
    if kib == 0 {
        return "0".to_owned();
    }
    while tenths >= 10_240 && unit < 3 {
        tenths = if gnu { tenths.div_ceil(1024) } else { (tenths + 512) / 1024 };
        unit += 1;
    }
    let letter = ["K", "M", "G", "T"][unit];
    if gnu && (tenths >= 100 || unit == 0) {
        format!("{}{letter}", tenths.div_ceil(10))
    } else {
        format!("{}.{}{letter}", tenths / 10, tenths % 10)
    }
}

/// `df [-h] [FILE…]`.
pub(super) fn df(w: &World, io: &mut Io, inside: &Inside, short: bool, files: &[&String]) -> i32 {
    let gnu = inside.tools() == Tools::Gnu;
    let disks = all(w, inside);
    let mut code = 0;
    let mut shown: Vec<&Disk> = disks.iter().filter(|_| files.is_empty()).collect();
    for f in files {
        let path = inside.path(f);
        if !crate::storage::fs::exists(w, &inside.pod, &inside.container, &path) && path != "/" {
            io.err(format!("df: {f}: No such file or directory"));
            code = 1;
            continue;
        }
        let holds = |d: &&Disk| {
            d.path == "/" || path == d.path || path.starts_with(&format!("{}/", d.path))
        };
        shown.extend(disks.iter().filter(holds).max_by_key(|d| d.path.len()));
    }
    if shown.is_empty() {
        return code;
    }
    let show = |kib: u64| if short { human(kib, gnu) } else { kib.to_string() };
    let heads = match (gnu, short) {
        (true, true) => ["Size", "Used", "Avail"],
        (false, true) => ["Size", "Used", "Available"],
        (_, false) => ["1K-blocks", "Used", "Available"],
    };
    let rows: Vec<[String; 3]> = shown
        .iter()
        .map(|d| [show(d.size), show(d.used), show(d.size.saturating_sub(d.used))])
        .collect();
    let least = if gnu { (14, 5) } else { (20, 9) };
    let first = shown.iter().map(|d| d.device.len()).max().unwrap_or(0).max(least.0);
    let wide: Vec<usize> = (0..3)
        .map(|i| {
            rows.iter().map(|r| r[i].len()).max().unwrap_or(0).max(heads[i].len()).max(least.1)
        })
        .collect();
    let mut line = |device: &str, cells: [&str; 3], part: &str, path: &str| {
        let [a, b, c] = cells;
        io.line(format!(
            "{device:<first$} {a:>0$} {b:>1$} {c:>2$} {part:>4} {path}",
            wide[0], wide[1], wide[2]
        ));
    };
    line("Filesystem", heads, "Use%", "Mounted on");
    for (d, [a, b, c]) in shown.iter().zip(&rows) {
        let part = format!("{}%", (d.used * 100).div_ceil(d.size.max(1)));
        line(&d.device, [a, b, c], &part, &d.path);
    }
    code
}

/// `mount`.
pub(super) fn mount(w: &World, io: &mut Io, inside: &Inside) {
    for d in all(w, inside) {
        let mode = if d.read_only { "ro" } else { "rw" };
        io.line(format!("{} on {} type {} ({mode},relatime)", d.device, d.path, d.kind));
    }
}
