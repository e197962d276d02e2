//! The scene as text: for tests, and for readers who want a table.

use std::fmt::Write;

use crate::model::{Msg, Scene};

fn msg(m: &Msg) -> String {
    let args: Vec<String> = m.args.iter().map(|(k, v)| format!("{k}={v}")).collect();
    if args.is_empty() { m.key.to_string() } else { format!("{}({})", m.key, args.join(", ")) }
}

/// One line for everything on stage.
pub fn describe(scene: &Scene) -> String {
    let mut out = String::new();
    for g in &scene.groups {
        let _ = writeln!(
            out,
            "{} {} {}/{} {}",
            g.key.kind.info().kind,
            g.key.name,
            g.ready,
            g.replicas,
            g.policy
        );
        for s in &g.slots {
            let _ = write!(out, "  {}", s.name);
            match (&s.pod, &s.wait) {
                (Some(p), _) => {
                    let _ = write!(out, " {}", p.state.name());
                    for word in [&p.reason, &p.node, &p.ip] {
                        if !word.is_empty() {
                            let _ = write!(out, " {word}");
                        }
                    }
                    if p.outdated {
                        out.push_str(" outdated");
                    }
                }
                (None, Some(wait)) => {
                    let _ = write!(out, " ghost {}", msg(wait));
                }
                (None, None) => out.push_str(" empty"),
            }
            if !s.wanted {
                out.push_str(" unwanted");
            }
            for d in &s.disks {
                let _ = write!(out, " | {} {} {} {}", d.key.name, d.size, d.phase, d.plug.name());
            }
            out.push('\n');
        }
    }
    for b in &scene.boards {
        let _ =
            writeln!(out, "board {} {}", b.key.name, if b.headless { "headless" } else { "vip" });
        for r in &b.rows {
            let ips: Vec<&str> = r.ips.iter().map(podium_sim::Str::as_str).collect();
            let shown = if ips.is_empty() { "NXDOMAIN".to_owned() } else { ips.join(",") };
            let _ = writeln!(out, "  {} {shown}{}", r.name, if r.dim { " dim" } else { "" });
        }
    }
    for c in &scene.clients {
        let _ = writeln!(out, "client {} {} {:?}", c.pod.key.name, c.pod.state.name(), c.asked);
    }
    out
}
