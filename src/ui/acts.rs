//! What the buttons do: the same as a command, which is shown in a terminal.

use podium_sim::api::{Key, Kind};
use podium_sim::recording::Input;

use crate::ui::session::Session;

/// Pod that asks for names when no client is on stage.
pub const CLIENT: &str = "client";

/// Something that a person can do with a button.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// A line in a free terminal.
    Line(String),
    /// A file of the editor, and `kubectl apply -f` of it.
    Apply(String, String),
    /// A client looks a name up.
    Lookup(String, String),
    /// A client dials the address that it remembers: client, address.
    Remembered(String, String),
    /// A node stops answering.
    NodeDown(String),
    /// A node comes back.
    NodeUp(String),
}

impl Act {
    /// Deletes an object without waiting for it to be gone.
    pub fn delete(key: &Key) -> Self {
        let wait = if key.kind == Kind::Pod { " --wait=false" } else { "" };
        Self::Line(format!("kubectl delete {} {}{}{wait}", noun(key), key.name, namespace(key)))
    }

    /// Wants another number of pods.
    pub fn scale(key: &Key, replicas: i64) -> Self {
        Self::Line(format!(
            "kubectl scale {} {}{} --replicas={}",
            noun(key),
            key.name,
            namespace(key),
            replicas.max(0)
        ))
    }

    /// Another image for all containers: a rolling update.
    pub fn image(key: &Key, image: &str) -> Self {
        Self::Line(format!(
            "kubectl set image {}/{}{} '*={image}'",
            noun(key),
            key.name,
            namespace(key)
        ))
    }

    /// The command that does the same.
    pub fn command(&self) -> String {
        match self {
            Self::Line(line) => line.clone(),
            Self::Apply(file, _) => format!("kubectl apply -f {file}"),
            Self::Lookup(client, name) => format!("kubectl exec {client} -- nslookup {name}"),
            Self::Remembered(client, ip) => {
                format!("kubectl exec {client} -- wget -qO- -T 2 http://{ip}/")
            }
            Self::NodeDown(node) => format!("# {node}: power off"),
            Self::NodeUp(node) => format!("# {node}: power on"),
        }
    }

    /// Does it.
    pub fn run(&self, session: &Session) {
        match self {
            Self::Line(line) => session.line(free_terminal(session), line.clone()),
            Self::Apply(file, text) => {
                session.files(|f| f.offer(file, text));
                session.line(free_terminal(session), self.command());
            }
            Self::Lookup(client, _) => {
                let term = free_terminal(session);
                let key = Key::new(Kind::Pod, "default", client.clone());
                let ready = session.with_world(|w| w.store.by_key(&key).map(|p| p.pod().ready));
                // lines typed while another one runs wait for it
                if ready.is_none() {
                    let image = "--image=busybox:1.28 --restart=Never -- sleep 86400";
                    session.line(term, format!("kubectl run {client} {image}"));
                }
                if ready != Some(true) {
                    session.line(term, format!("kubectl wait pod/{client} --for=condition=Ready"));
                }
                session.line(term, self.command());
            }
            Self::Remembered(..) => session.line(free_terminal(session), self.command()),
            Self::NodeDown(name) => session.input(Input::NodeDown { name: name.clone() }),
            Self::NodeUp(name) => session.input(Input::NodeUp { name: name.clone() }),
        }
    }
}

/// The first terminal in which nothing runs; the first one if all are busy.
fn free_terminal(session: &Session) -> u8 {
    session.with_world(|w| {
        (1..=super::session::TERMINALS)
            .find(|n| w.terminal(*n).is_none_or(|t| !t.running()))
            .unwrap_or(1)
    })
}

fn noun(key: &Key) -> &'static str {
    let info = key.kind.info();
    match key.kind {
        Kind::Pod => "pod",
        _ => info.short.first().copied().unwrap_or(info.plural),
    }
}

fn namespace(key: &Key) -> String {
    if key.ns.is_empty() || key.ns == "default" { String::new() } else { format!(" -n {}", key.ns) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_say_what_they_do() {
        let set = Key::new(Kind::StatefulSet, "default", "web");
        let pod = Key::new(Kind::Pod, "prod", "web-1");
        assert_eq!(Act::scale(&set, 5).command(), "kubectl scale sts web --replicas=5");
        assert_eq!(Act::delete(&pod).command(), "kubectl delete pod web-1 -n prod --wait=false");
    }
}
