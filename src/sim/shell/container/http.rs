//! curl and wget.

use super::Inside;
use crate::api::Key;
use crate::api::time::SECOND;
use crate::config::Delay;
use crate::kubectl::io::{Io, Job, Run};
use crate::net::connect::{ConnectError, Entry, entry};
use crate::storage::fs;
use crate::value::{Str, text};
use crate::workload::{Request, Response, http};
use crate::world::World;

/// How long Linux tries to connect to an address that is silent.
const CONNECT: u64 = 130 * SECOND;

/// Starts `curl` (true) or `wget`.
pub fn fetch(w: &mut World, io: &mut Io, inside: &Inside, curl: bool, args: &[String]) -> Run {
    let mut job = Fetch {
        inside: inside.clone(),
        curl,
        url: String::new(),
        host: String::new(),
        port: 80,
        path: String::new(),
        head: false,
        spider: false,
        loud: false,
        silent: false,
        fails: false,
        verbose_errors: false,
        output: None,
        format: None,
        limit: None,
        step: Step::Start,
        deadline: u64::MAX,
    };
    let mut urls = Vec::new();
    let mut words = args.iter();
    while let Some(a) = words.next() {
        let seconds = |s: Option<&String>| {
            s.and_then(|s| s.parse::<f64>().ok()).map(|s| (s.max(0.0) * SECOND as f64) as u64)
        };
        match a.as_str() {
            "-m" | "--max-time" | "--connect-timeout" if curl => job.limit = seconds(words.next()),
            "-T" | "--timeout" if !curl => job.limit = seconds(words.next()),
            "-o" | "--output" if curl => job.output = words.next().cloned(),
            "-O" | "--output-document" if !curl => job.output = words.next().cloned(),
            "-w" | "--write-out" if curl => job.format = words.next().cloned(),
            "-H" | "-X" | "-d" | "-A" | "--retry" | "--header" | "-t" | "-u" => {
                words.next();
            }
            "--head" => job.head = true,
            "--spider" if !curl => job.spider = true,
            "--verbose" if curl => job.loud = true,
            "--quiet" if !curl => job.silent = true,
            "--show-error" if curl => job.verbose_errors = true,
            "--silent" => job.silent = true,
            "--fail" => job.fails = true,
            a if a.starts_with("--max-time=") || a.starts_with("--timeout=") => {
                job.limit = seconds(a.split_once('=').map(|(_, v)| v.to_owned()).as_ref());
            }
            a if a.starts_with("--") => {}
            a if a.len() > 1 && a.starts_with('-') => {
                let letters = &a[1..];
                job.silent |= letters.contains(if curl { 's' } else { 'q' });
                job.verbose_errors |= letters.contains('S');
                job.head |= curl && letters.contains('I');
                job.loud |= curl && letters.contains('v');
                job.fails |= curl && letters.contains('f');
                if !curl && let Some((_, rest)) = letters.split_once('O') {
                    job.output =
                        if rest.is_empty() { words.next().cloned() } else { Some(rest.to_owned()) };
                } else if !curl && let Some((_, rest)) = letters.split_once('T') {
                    let given = Some(rest.to_owned()).filter(|r| !r.is_empty());
                    job.limit = seconds(given.or_else(|| words.next().cloned()).as_ref());
                } else if curl && letters.ends_with(['o', 'm', 'w', 'H', 'X', 'd']) {
                    let value = words.next().cloned();
                    match letters.chars().last() {
                        Some('o') => job.output = value,
                        Some('m') => job.limit = seconds(value.as_ref()),
                        Some('w') => job.format = value,
                        _ => {}
                    }
                }
            }
            a => urls.push(a.to_owned()),
        }
    }
    let Some(url) = urls.pop().filter(|_| urls.is_empty()) else {
        let why = if urls.is_empty() { "no URL specified" } else { "not simulated: several URLs" };
        io.err(format!("{}: {why}", if curl { "curl" } else { "wget" }));
        return Run::Done(2);
    };
    let rest = url.strip_prefix("http://").unwrap_or(&url);
    if rest.contains("://") {
        io.err(format!("not simulated: {url}"));
        return Run::Done(1);
    }
    let (authority, path) = rest.find('/').map_or((rest, "/"), |i| rest.split_at(i));
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    host.clone_into(&mut job.host);
    job.port = port.parse().unwrap_or(80);
    path.clone_into(&mut job.path);
    job.url = url;
    if let Some(limit) = job.limit {
        job.deadline = w.now.saturating_add(limit);
    }
    Run::wait(job)
}

#[derive(Clone)]
enum Step {
    Start,
    /// The name's address comes at this time.
    Named(u64, Option<Str>),
    /// The connection's outcome comes at this time.
    Connected(u64, Str, Result<Key, ConnectError>),
}

#[derive(Clone)]
struct Fetch {
    inside: Inside,
    curl: bool,
    url: String,
    host: String,
    port: i64,
    path: String,
    head: bool,
    /// `wget --spider`: is it there?
    spider: bool,
    /// `curl -v`.
    loud: bool,
    silent: bool,
    fails: bool,
    verbose_errors: bool,
    output: Option<String>,
    format: Option<String>,
    limit: Option<u64>,
    step: Step,
    deadline: u64,
}

/// The lines in front of an answer.
fn headers(status: &str, response: &Response) -> Vec<String> {
    let server = if response.server.is_empty() { "nginx" } else { response.server };
    vec![
        status.to_owned(),
        format!("Server: {server}"),
        format!("Content-Type: {}", response.content_type),
        format!("Content-Length: {}", response.body.len()),
        "Connection: keep-alive".to_owned(),
    ]
}

impl Fetch {
    fn fail(&self, io: &mut Io, curl: &str, wget: &str, code: i32) -> i32 {
        if self.curl {
            if let Some(format) = &self.format
                && code != 22
            {
                let t = format.replace("%{http_code}", "000").replace("%{remote_ip}", "");
                io.print(crate::shell::commands::unescape(&t));
            }
            if !self.silent || self.verbose_errors {
                io.err(format!("curl: ({code}) {curl}"));
            }
            return code;
        }
        io.err(format!("wget: {wget}"));
        1
    }

    fn answer(&self, w: &mut World, io: &mut Io, ip: &str, server: &Key) -> i32 {
        let client = if ip.starts_with("127.") {
            Str::Lit("127.0.0.1")
        } else {
            w.store.by_key(&self.inside.pod).map(|p| p.pod().ip.clone()).unwrap_or_default()
        };
        let request = Request {
            pod: server,
            port: self.target_port(w, ip, server),
            path: &self.path,
            client: &client,
            agent: if self.curl { "curl/8.9.1" } else { "Wget" },
        };
        let Some(response) = http(w, &request) else {
            return self.fail(io, "Empty reply from server", "error getting response", 52);
        };
        let status = format!("HTTP/1.1 {} {}", response.status, response.reason());
        if self.curl {
            if self.loud {
                self.conversation(io, ip, &status, &response);
            }
            if self.fails && response.status >= 400 {
                let text = format!("The requested URL returned error: {}", response.status);
                return self.fail(io, &text, "", 22);
            }
            let mut body = response.body.to_string();
            if self.head {
                let mut lines = headers(&status, &response);
                lines.push(String::new());
                body = lines.iter().map(|l| format!("{l}\r\n")).collect();
            }
            match self.output.as_deref() {
                None | Some("-") => io.print(body),
                Some("/dev/null") => {}
                Some(file) => {
                    let path = self.inside.path(file);
                    if let Err(e) =
                        fs::write(w, &self.inside.pod, &self.inside.container, &path, &body)
                    {
                        return self.fail(io, &format!("Failure writing output: {e}"), "", 23);
                    }
                }
            }
            if let Some(format) = &self.format {
                let t = format
                    .replace("%{http_code}", &response.status.to_string())
                    .replace("%{remote_ip}", ip);
                io.print(crate::shell::commands::unescape(&t));
            }
            return 0;
        }
        if response.status >= 400 {
            return self.fail(io, "", &format!("server returned error: {status}"), 1);
        }
        if self.spider {
            if !self.silent {
                io.err("remote file exists");
            }
            return 0;
        }
        let file = match self.output.as_deref() {
            Some("-") => {
                if !self.silent {
                    io.err("writing to stdout");
                }
                io.print(&response.body);
                if !self.silent {
                    io.err("written to stdout");
                }
                return 0;
            }
            Some("/dev/null") => return 0,
            Some(file) => file.to_owned(),
            None => match self.path.rsplit('/').next() {
                Some(name) if !name.is_empty() => name.to_owned(),
                _ => "index.html".to_owned(),
            },
        };
        if !self.silent {
            io.err(format!("saving to '{file}'\n'{file}' saved"));
        }
        let path = self.inside.path(&file);
        match fs::write(w, &self.inside.pod, &self.inside.container, &path, &response.body) {
            Ok(()) => 0,
            Err(e) => self.fail(io, "", &format!("can't open '{file}': {e}"), 1),
        }
    }

    /// What `curl -v` tells.
    fn conversation(&self, io: &mut Io, ip: &str, status: &str, response: &Response) {
        let (host, port) = (&self.host, self.port);
        if host != ip {
            io.err(format!("* Host {host}:{port} was resolved.\n* IPv6: (none)\n* IPv4: {ip}"));
        }
        io.err(format!("*   Trying {ip}:{port}...\n* Connected to {host} ({ip}) port {port}"));
        let verb = if self.head { "HEAD" } else { "GET" };
        io.err(format!(
            "> {verb} {} HTTP/1.1\n> Host: {}\n> User-Agent: curl/8.9.1\n> Accept: */*\n>",
            self.path,
            self.authority()
        ));
        for line in headers(status, response) {
            io.err(format!("< {line}"));
        }
        io.err("<");
    }

    fn authority(&self) -> String {
        if self.port == 80 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// The port of the pod: a Service's virtual address has ports of its own.
    fn target_port(&self, w: &World, ip: &str, server: &Key) -> i64 {
        let Entry::Service(_, wanted) = entry(w, ip, self.port) else { return self.port };
        let Some(pod) = w.store.by_key(server) else { return self.port };
        let own = wanted["port"].int_or(self.port);
        crate::workload::port_number(pod, None, &wanted["targetPort"]).unwrap_or(own)
    }
}

impl Job for Fetch {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        loop {
            match self.step.clone() {
                Step::Start => {
                    let local = matches!(self.host.as_str(), "localhost" | "127.0.0.1");
                    let number = self.host.split('.').count() == 4
                        && self.host.split('.').all(|p| p.parse::<u8>().is_ok());
                    let (after, ip) = if local {
                        (0, Some(Str::Lit("127.0.0.1")))
                    } else if number {
                        (0, Some(text(&self.host)))
                    } else {
                        let found = crate::net::lookup(w, &self.inside.pod, &self.host);
                        let label = w.log.len().to_string();
                        let after = w.delay(Delay::Dns, &[&self.inside.pod.name, &label]);
                        (after, found.addresses.first().cloned())
                    };
                    if after > 0 {
                        w.wake_terminal(io.term, after, false);
                    }
                    self.step = Step::Named(w.now + after, ip);
                }
                Step::Named(due, _) if w.now < due => return None,
                Step::Named(_, None) => {
                    let host = &self.host;
                    return Some(self.fail(
                        io,
                        &format!("Could not resolve host: {host}"),
                        &format!("bad address '{}'", self.authority()),
                        6,
                    ));
                }
                Step::Named(_, Some(ip)) => {
                    if !self.curl && !self.silent {
                        io.err(format!("Connecting to {} ({ip}:{})", self.authority(), self.port));
                    }
                    let result = crate::net::request(w, &self.inside.pod, &ip, self.port);
                    let label = w.log.len().to_string();
                    let mut due = w.now + w.delay(Delay::Connect, &[&self.inside.pod.name, &label]);
                    if result == Err(ConnectError::Timeout) {
                        due = (w.now + CONNECT).min(self.deadline);
                    }
                    w.wake_terminal(io.term, due - w.now.min(due), false);
                    self.step = Step::Connected(due, ip, result);
                }
                Step::Connected(due, ..) if w.now < due => return None,
                Step::Connected(_, ip, Ok(server)) => {
                    return Some(self.answer(w, io, &ip, &server));
                }
                Step::Connected(_, ip, Err(ConnectError::Refused)) => {
                    return Some(self.fail(
                        io,
                        &format!(
                            "Failed to connect to {} port {} after 0 ms: Couldn't connect to server",
                            self.host, self.port
                        ),
                        &format!("can't connect to remote host ({ip}): Connection refused"),
                        7,
                    ));
                }
                Step::Connected(_, ip, Err(ConnectError::Timeout)) => {
                    let limited = self.limit.is_some() && w.now >= self.deadline;
                    let ms = self.limit.filter(|_| limited).unwrap_or(CONNECT) / 1000;
                    return Some(self.fail(
                        io,
                        &if limited {
                            format!("Connection timed out after {ms} milliseconds")
                        } else {
                            format!(
                                "Failed to connect to {} port {} after {ms} ms: Couldn't connect to server",
                                self.host, self.port
                            )
                        },
                        &if limited {
                            "download timed out".to_owned()
                        } else {
                            format!("can't connect to remote host ({ip}): Connection timed out")
                        },
                        28,
                    ));
                }
            }
        }
    }
}
