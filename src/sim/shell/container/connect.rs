//! `nc` and `ping`: does somebody answer?

use super::{Inside, Tools, later};
use crate::api::time::SECOND;
use crate::config::Delay;
use crate::kubectl::io::{Io, Job, Run};
use crate::net::connect::{ConnectError, connect};
use crate::value::{Str, text};
use crate::world::World;

/// Is it an IPv4 address?
fn is_address(host: &str) -> bool {
    host.split('.').count() == 4 && host.split('.').all(|p| p.parse::<u8>().is_ok())
}

/// `nc -z [-v] [-w SECONDS] HOST PORT`.
pub(super) fn netcat(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let (mut asks, mut loud, mut limit) = (false, false, 130 * SECOND);
    let mut plain = Vec::new();
    let mut words = args.iter();
    while let Some(a) = words.next() {
        match a.strip_prefix('-') {
            Some("w") => {
                let seconds = words.next().and_then(|s| s.parse::<u64>().ok()).unwrap_or(1);
                limit = seconds.saturating_mul(SECOND);
            }
            Some(letters) if letters.starts_with('w') => {
                limit = letters[1..].parse::<u64>().unwrap_or(1).saturating_mul(SECOND);
            }
            Some(letters) => {
                asks |= letters.contains('z');
                loud |= letters.contains('v');
            }
            None => plain.push(a.as_str()),
        }
    }
    let (host, port) = match plain.as_slice() {
        [host, port] => (*host, port.parse::<i64>().ok()),
        _ => ("", None),
    };
    let (true, Some(port)) = (asks, port) else {
        io.err("nc: not simulated: anything but nc -z HOST PORT");
        return Run::Done(1);
    };
    let mut out = Io::new(io.term);
    let ip = match host {
        "localhost" => Some(Str::Lit("127.0.0.1")),
        _ if is_address(host) => Some(text(host)),
        _ => crate::net::lookup(w, &inside.pod, host).addresses.first().cloned(),
    };
    let Some(ip) = ip else {
        out.err(format!("nc: bad address '{host}'"));
        let after = w.delay(Delay::Dns, &[&inside.pod.name, &w.log.len().to_string()]);
        return later(w, io, after, &mut out, 1);
    };
    let result = crate::net::request(w, &inside.pod, &ip, port);
    let mut after = w.delay(Delay::Connect, &[&inside.pod.name, &w.log.len().to_string()]);
    let code = match result {
        Ok(_) => {
            if loud {
                out.err(format!("{host} ({ip}:{port}) open"));
            }
            0
        }
        Err(why) => {
            let text = match why {
                ConnectError::Refused => "Connection refused",
                ConnectError::Timeout => {
                    after = limit.min(130 * SECOND);
                    if limit < 130 * SECOND { "timed out" } else { "Connection timed out" }
                }
            };
            out.err(format!("nc: {host} ({ip}:{port}): {text}"));
            1
        }
    };
    later(w, io, after, &mut out, code)
}

/// `ping [-c N] HOST`: a pod that runs answers; virtual addresses do not.
pub(super) fn ping(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let gnu = inside.tools() == Tools::Gnu;
    let mut count = None;
    let mut name = None;
    let mut words = args.iter();
    while let Some(a) = words.next() {
        match a.as_str() {
            "-c" => count = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(1).max(1)),
            "-W" | "-w" | "-i" | "-s" => {
                words.next();
            }
            a if a.starts_with("-c") => count = a[2..].parse::<u64>().ok().map(|n| n.max(1)),
            a if a.starts_with('-') => {}
            a => name = Some(a.to_owned()),
        }
    }
    let Some(name) = name else {
        io.err("ping: usage error: Destination address required");
        return Run::Done(if gnu { 2 } else { 1 });
    };
    let (mut ip, mut found) = (text(&name), text(&name));
    if !is_address(&name) {
        let answer = crate::net::lookup(w, &inside.pod, &name);
        let Some(first) = answer.addresses.first().cloned() else {
            if gnu {
                io.err(format!("ping: {name}: Name or service not known"));
                return Run::Done(2);
            }
            io.err(format!("ping: bad address '{name}'"));
            return Run::Done(1);
        };
        ip = first;
        found = answer.found.unwrap_or(found);
    }
    if gnu {
        io.line(format!("PING {found} ({ip}) 56(84) bytes of data."));
    } else {
        io.line(format!("PING {name} ({ip}): 56 data bytes"));
    }
    let due = w.now + w.delay(Delay::Connect, &[&inside.pod.name, &w.log.len().to_string()]);
    w.wake_terminal(io.term, due - w.now, false);
    Run::wait(Ping { inside: inside.clone(), name, found, ip, count, sent: 0, got: 0, due })
}

/// A ping that goes on.
#[derive(Clone)]
struct Ping {
    inside: Inside,
    name: String,
    /// The absolute name.
    found: Str,
    ip: Str,
    /// How many are sent; none: until `^C`.
    count: Option<u64>,
    sent: u64,
    got: u64,
    due: u64,
}

impl Ping {
    fn sum(&self, io: &mut Io) -> i32 {
        let Self { name, found, sent, got, .. } = self;
        let loss = if *sent == 0 { 0 } else { 100 * (sent - got) / sent };
        if self.inside.tools() == Tools::Gnu {
            let ms = sent.saturating_sub(1) * 1001;
            io.line(format!(
                "\n--- {found} ping statistics ---\n{sent} packets transmitted, {got} received, {loss}% packet loss, time {ms}ms"
            ));
            if *got > 0 {
                io.line("rtt min/avg/max/mdev = 0.100/0.120/0.150/0.010 ms");
            }
        } else {
            io.line(format!(
                "\n--- {name} ping statistics ---\n{sent} packets transmitted, {got} packets received, {loss}% packet loss"
            ));
            if *got > 0 {
                io.line("round-trip min/avg/max = 0.100/0.120/0.150 ms");
            }
        }
        i32::from(*got == 0)
    }
}

impl Job for Ping {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        if w.now < self.due {
            return None;
        }
        if self.count == Some(self.sent) {
            return Some(self.sum(io));
        }
        // a closed port answers as well as an open one: somebody is there
        let there =
            !matches!(connect(w, &self.inside.pod, &self.ip, 1), Err(ConnectError::Timeout));
        let Self { found, ip, sent, .. } = &*self;
        let ms = 100 + sent * 7 % 50;
        if there && self.inside.tools() == Tools::Gnu {
            let from = if found == ip { ip.to_string() } else { format!("{found} ({ip})") };
            io.line(format!("64 bytes from {from}: icmp_seq={} ttl=62 time=0.{ms} ms", sent + 1));
        } else if there {
            io.line(format!("64 bytes from {ip}: seq={sent} ttl=62 time=0.{ms} ms"));
        }
        self.got += u64::from(there);
        self.sent += 1;
        if there && self.count == Some(self.sent) {
            return Some(self.sum(io));
        }
        self.due = w.now + SECOND;
        w.wake_terminal(io.term, SECOND, self.count.is_none());
        None
    }

    fn interrupt(&mut self, _w: &mut World, io: &mut Io) {
        self.sum(io);
    }
}
