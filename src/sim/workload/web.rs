//! Web servers: they serve the files of their document root, wherever it is mounted from.

use super::{Family, family, listener};
use crate::api::Key;
use crate::api::time::{SECOND, rfc3339};
use crate::storage::fs;
use crate::value::{Str, Value};
use crate::world::World;

/// An HTTP request that has reached a pod.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The pod.
    pub pod: &'a Key,
    /// The port.
    pub port: i64,
    /// Path with query: `/`.
    pub path: &'a str,
    /// Address of the client, for the access log.
    pub client: &'a str,
    /// `curl/8.9.1`, for the access log.
    pub agent: &'a str,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// 200, 403, 404.
    pub status: u16,
    /// `Server` header; empty for none.
    pub server: &'static str,
    /// `Content-Type` header.
    pub content_type: &'static str,
    /// The body.
    pub body: Str,
}

impl Response {
    /// `OK`, `Forbidden`, `Not Found`.
    pub fn reason(&self) -> &'static str {
        match self.status {
            200 => "OK",
            301 => "Moved Permanently",
            403 => "Forbidden",
            404 => "Not Found",
            _ => "Internal Server Error",
        }
    }
}

/// Asks a pod over HTTP; the server's access log gets a line. `None`: nobody listens there,
/// the connection is refused.
pub fn http(w: &mut World, request: &Request<'_>) -> Option<Response> {
    let listener = listener(w, request.pod, request.port)?;
    let response = answer(w, request.pod, &listener.container, request.path);
    if matches!(listener.family, Family::Nginx | Family::Httpd) {
        let line = format!(
            "{} - - [{}] \"GET {} HTTP/1.1\" {} {} \"-\" \"{}\" \"-\"",
            request.client,
            clf(w.now),
            request.path,
            response.status,
            response.body.len(),
            request.agent
        );
        super::log(w, request.pod, &listener.container, line);
    }
    Some(response)
}

/// What the first web server of a pod answers, without a trace in its log.
pub fn http_get(w: &World, pod: &Key, path: &str) -> Option<Response> {
    let object = w.store.by_key(pod)?;
    let uid = object.uid();
    let run = w.kubelet.pod(&uid)?;
    let serving = object.spec()["containers"].items().iter().find(|c| {
        family(c["image"].str()).speaks_http()
            && run.index(c["name"].str()).is_some_and(|i| run.containers[i].running())
    })?;
    Some(answer(w, pod, serving["name"].str(), path))
}

/// What a container's web server makes of a path.
pub(crate) fn answer(w: &World, pod: &Key, container: &str, path: &str) -> Response {
    let object = w.store.by_key(pod);
    let spec = object
        .and_then(|o| o.spec()["containers"].items().iter().find(|c| c["name"].str() == container));
    let image = spec.map(|c| c["image"].to_str()).unwrap_or_default();
    let family = family(&image);
    let Some(root) = family.document_root() else {
        if spec.is_some_and(breaks) && path == "/healthz" {
            let age = object.and_then(|o| age(w, &o.uid(), container)).unwrap_or(0);
            let (status, body) = if age > 10 * SECOND {
                (500, format!("error: {}.{:06}", age / SECOND, age % SECOND))
            } else {
                (200, "ok".to_owned())
            };
            return Response { status, server: "", content_type: "text/plain", body: body.into() };
        }
        let body = match family {
            Family::Echo => format!("{}\n", pod.name),
            _ => format!("{} of {}\n", container, pod.name),
        };
        return Response { status: 200, server: "", content_type: "text/plain", body: body.into() };
    };
    let server = if family == Family::Nginx { nginx_version(&image) } else { "Apache" };
    let path = path.split(['?', '#']).next().unwrap_or("/");
    let full = format!("{root}/{}", fs::components(path).join("/"));
    let fail = |status: u16| {
        let r = Response { status, server, content_type: "text/html", body: Str::default() };
        let title = format!("{status} {}", r.reason());
        let body = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
        );
        Response { body: body.into(), ..r }
    };
    let ok = |body: Str, content_type| Response { status: 200, server, content_type, body };
    if fs::is_dir(w, pod, container, &full) {
        if !path.ends_with('/') {
            return fail(301);
        }
        return match fs::read(w, pod, container, &format!("{full}/index.html")) {
            Ok(body) => ok(body, "text/html"),
            // a directory without an index must not be listed
            Err(_) => fail(403),
        };
    }
    match fs::read(w, pod, container, &full) {
        Ok(body) => {
            let html = matches!(full.rsplit('.').next(), Some("html" | "htm"));
            ok(body, if html { "text/html" } else { "text/plain" })
        }
        Err(_) => fail(404),
    }
}

/// Is it agnhost's example of a program that breaks after ten seconds?
pub fn breaks(container: &Value) -> bool {
    container["args"][0].str() == "liveness" && container["image"].str().contains("agnhost")
}

/// How long a container has been running.
fn age(w: &World, pod: &str, container: &str) -> Option<u64> {
    let run = w.kubelet.pod(pod)?;
    match run.containers.get(run.index(container)?)?.phase {
        crate::kubelet::run::Phase::Running(since) => Some(w.now - since),
        _ => None,
    }
}

fn nginx_version(image: &str) -> &'static str {
    match image.rsplit(':').next().unwrap_or("") {
        t if image.contains("nginx-slim") && t.starts_with("0.8") => "nginx/1.11.1",
        t if image.contains("nginx-slim") && t.starts_with("0.2") => "nginx/1.21.4",
        _ => "nginx",
    }
}

/// `05/Jan/2026:09:00:03 +0000`, the time of access logs.
fn clf(at: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let t = rfc3339(at / SECOND * SECOND);
    let month = t.get(5..7).and_then(|m| m.parse::<usize>().ok()).unwrap_or(1);
    format!(
        "{}/{}/{}:{} +0000",
        t.get(8..10).unwrap_or(""),
        MONTHS[(month - 1) % 12],
        t.get(0..4).unwrap_or(""),
        t.get(11..19).unwrap_or("")
    )
}
