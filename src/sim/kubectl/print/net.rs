//! Rows of Services, of the addresses behind them, and of Ingresses.

use super::rows::{int, joined, labels, or_none};
use crate::api::Obj;
use crate::value::Value;

/// At most so many addresses, ports or hosts are shown.
const MOST: usize = 3;

/// `a,b,c + 2 more...`
fn limited(list: &[String]) -> String {
    if list.len() > MOST {
        format!("{} + {} more...", list[..MOST].join(","), list.len() - MOST)
    } else {
        list.join(",")
    }
}

/// `10.0.0.1:80`, `[fd00::1]:80`.
pub fn host_port(host: &str, port: i64) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The cells of a Service.
pub fn service(obj: &Obj, age: String) -> Vec<String> {
    let (spec, status) = (obj.spec(), obj.status());
    let ip = match spec["type"].str() {
        "ExternalName" => "<none>".into(),
        _ => or_none(spec["clusterIP"].str()),
    };
    vec![
        obj.name().to_string(),
        spec["type"].str().to_owned(),
        ip,
        external_ip(spec, status),
        service_ports(spec),
        age,
        labels(&spec["selector"]),
    ]
}

/// What a load balancer gave, sorted and each once.
fn balanced(status: &Value) -> String {
    let ingress = status["loadBalancer"]["ingress"].items().iter();
    let mut given: Vec<&str> = ingress
        .map(|i| if i["ip"].is_empty() { i["hostname"].str() } else { i["ip"].str() })
        .filter(|i| !i.is_empty())
        .collect();
    given.sort_unstable();
    given.dedup();
    given.join(",")
}

fn external_ip(spec: &Value, status: &Value) -> String {
    let own = joined(spec["externalIPs"].items().iter().map(Value::str));
    match spec["type"].str() {
        "LoadBalancer" => {
            let given = balanced(status);
            match (given.is_empty(), own.is_empty()) {
                (true, true) => "<pending>".into(),
                (true, false) => own,
                (false, true) => given,
                (false, false) => format!("{given},{own}"),
            }
        }
        "ExternalName" => spec["externalName"].str().to_owned(),
        _ => or_none(&own),
    }
}

fn service_ports(spec: &Value) -> String {
    let ports: Vec<String> = spec["ports"]
        .items()
        .iter()
        .map(|p| {
            let protocol = p["protocol"].as_str().unwrap_or("TCP");
            match p["nodePort"].int_or(0) {
                0 => format!("{}/{protocol}", p["port"].int_or(0)),
                node => format!("{}:{node}/{protocol}", p["port"].int_or(0)),
            }
        })
        .collect();
    or_none(&ports.join(","))
}

/// Ready addresses of an Endpoints object: `<none>` if it has no subsets, nothing at all if none
/// of its addresses is ready.
pub fn endpoints(subsets: &Value) -> String {
    if subsets.is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for s in subsets.items() {
        let ips = || s["addresses"].items().iter().map(|a| a["ip"].str());
        if s["ports"].is_empty() {
            all.extend(ips().map(str::to_owned));
        }
        for p in s["ports"].items() {
            all.extend(ips().map(|ip| host_port(ip, p["port"].int_or(0))));
        }
    }
    limited(&all)
}

/// The cells of an EndpointSlice.
pub fn slice(obj: &Obj, age: String) -> Vec<String> {
    let unset = |s: String| if s.is_empty() { "<unset>".to_owned() } else { s };
    let ports: Vec<String> = obj.value["ports"]
        .items()
        .iter()
        .map(|p| match (&p["port"], p["name"].as_str()) {
            (Value::Null, name) => name.unwrap_or("*").to_owned(),
            (port, _) => int(port),
        })
        .collect();
    let ips: Vec<String> = obj.value["endpoints"]
        .items()
        .iter()
        .flat_map(|e| e["addresses"].items())
        .map(|a| a.str().to_owned())
        .collect();
    let kind = obj.value["addressType"].str().to_owned();
    vec![obj.name().to_string(), kind, unset(limited(&ports)), unset(limited(&ips)), age]
}

/// The cells of an Ingress.
pub fn ingress(obj: &Obj, age: String) -> Vec<String> {
    let spec = obj.spec();
    let class = or_none(spec["ingressClassName"].str());
    let ports = if spec["tls"].is_empty() { "80" } else { "80, 443" };
    let address = balanced(obj.status());
    vec![obj.name().to_string(), class, hosts(spec["rules"].items()), address, ports.into(), age]
}

/// `a.com,b.com`; `*` only if no rule has a host. Once enough are shown, every further rule
/// counts, with a host or without.
fn hosts(rules: &[Value]) -> String {
    let mut shown: Vec<&str> = Vec::new();
    for r in rules {
        if shown.len() == MOST {
            return format!("{} + {} more...", shown.join(","), rules.len() - MOST);
        }
        let host = r["host"].str();
        if !host.is_empty() {
            shown.push(host);
        }
    }
    if shown.is_empty() { "*".to_owned() } else { shown.join(",") }
}
