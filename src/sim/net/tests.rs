use super::dns::{Answer, Rcode, Type, live};
use super::*;
use crate::api::time::SECOND;
use crate::apiserver::{DeleteOptions, WriteOptions};
use crate::config::{Config, Latency};

fn cluster(headless: bool) -> World {
    let mut w = World::new(Config { latency: Latency::Recording, ..Config::default() });
    let mut svc = value!({
        "metadata": {"name": "nginx", "namespace": "default"},
        "spec": {"ports": [{"name": "web", "port": 80}], "selector": {"app": "nginx"}}
    });
    if headless {
        svc.entry("spec").set("clusterIP", "None");
    }
    w.create(Kind::Service, svc, WriteOptions::default()).unwrap();
    let set = value!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "nginx"}},
            "serviceName": "nginx",
            "template": {
                "metadata": {"labels": {"app": "nginx"}},
                "spec": {"containers": [{
                    "image": "nginx:1", "name": "nginx", "ports": [{"containerPort": 80, "name": "web"}]
                }]}
            }
        }
    });
    w.create(Kind::StatefulSet, set, WriteOptions::default()).unwrap();
    w
}

const WEB_0: &str = "web-0.nginx.default.svc.cluster.local";

#[test]
fn a_name_outlives_its_address() {
    let mut w = cluster(true);
    assert_eq!(live(&w, WEB_0, Type::A).rcode, Rcode::NxDomain, "nothing is ready yet");
    assert!(w.settle(600 * SECOND));
    let before: Vec<Str> = live(&w, WEB_0, Type::A).addresses().cloned().collect();
    assert_eq!(before.len(), 1);
    let client = client(&mut w, "dns-test");
    assert!(w.settle(600 * SECOND));
    assert_eq!(lookup(&mut w, &client, "web-0.nginx").addresses, before);
    let web_0 = Key::new(Kind::Pod, "default", "web-0");
    w.delete(&web_0, &DeleteOptions::default()).unwrap();
    assert!(w.settle(600 * SECOND));
    let after: Vec<Str> = live(&w, WEB_0, Type::A).addresses().cloned().collect();
    assert_ne!(before, after, "a new pod has a new address");
    assert_eq!(request(&mut w, &client, &before[0], 80), Err(ConnectError::Timeout));
    assert_eq!(request(&mut w, &client, &after[0], 80), Ok(web_0));
    let uid = w.store.by_key(&client).unwrap().uid();
    assert_eq!(
        w.net.remembered(&uid),
        before.first(),
        "the client that keeps an address has the old one"
    );
}

#[test]
fn headless_and_cluster_ip_answer_differently() {
    let mut w = cluster(true);
    assert!(w.settle(600 * SECOND));
    let name = "nginx.default.svc.cluster.local";
    assert_eq!(live(&w, name, Type::A).records.len(), 2);
    let srv = live(&w, "_web._tcp.nginx.default.svc.cluster.local", Type::Srv);
    assert_eq!(srv.records.len(), 2);
    assert!(srv.records[0].data.starts_with("0 50 80 web-0.nginx.default"));
    let mut w = cluster(false);
    let vip = live(&w, name, Type::A);
    assert_eq!(vip.records.len(), 1, "a virtual address is there before any pod");
    let svc = w.store.get(Kind::Service, "default", "nginx").unwrap();
    assert_eq!(vip.records[0].data, svc.spec()["clusterIP"].to_str());
    assert!(w.settle(600 * SECOND));
    assert_eq!(live(&w, WEB_0, Type::A).records.len(), 1, "pods have names there too");
    assert_eq!(live(&w, WEB_0, Type::Aaaa).rcode, Rcode::NoError);
    assert!(live(&w, WEB_0, Type::Aaaa).records.is_empty());
}

#[test]
fn short_names_follow_the_search_list() {
    let mut w = cluster(true);
    let client = client(&mut w, "c");
    let pod = w.store.by_key(&client).unwrap().clone();
    let tried = resolver::candidates(&pod, "web-0.nginx");
    assert_eq!(tried[0], WEB_0);
    assert_eq!(tried.len(), 4);
    assert_eq!(resolver::candidates(&pod, "a.b.c.d.e.f")[0], "a.b.c.d.e.f");
    assert_eq!(resolver::candidates(&pod, "web-0.nginx.").len(), 1);
}

#[test]
fn cluster_ips_are_checked() {
    let mut w = cluster(false);
    let svc = |ip: &'static str| value!({"metadata": {"name": "x"}, "spec": {"clusterIP": ip, "ports": [{"port": 80}]}});
    let error = w.create(Kind::Service, svc("1.2.3.4"), WriteOptions::default()).unwrap_err();
    assert_eq!(
        &*error.message,
        "Service \"x\" is invalid: spec.clusterIPs: Invalid value: [\"1.2.3.4\"]: failed to allocate IP 1.2.3.4: the provided IP (1.2.3.4) is not in the valid range. The range of valid IPs is 10.96.0.0/16"
    );
    assert!(w.create(Kind::Service, svc("10.96.0.10"), WriteOptions::default()).is_err());
    assert!(w.create(Kind::Service, svc("10.96.7.7"), WriteOptions::default()).is_ok());
}

/// CoreDNS' cache (clusters made before kubeadm 1.32): old answers, with less and less to live.
#[test]
fn a_cache_keeps_answers_for_their_time() {
    let mut w = cluster(true);
    w.config = Rc::new(Config { dns_cache: 30, ..(*w.config).clone() });
    assert_eq!(dns::query(&mut w, WEB_0, Type::A).rcode, Rcode::NxDomain);
    let asked = w.now;
    w.run_until(asked + 20 * SECOND);
    assert_eq!(live(&w, WEB_0, Type::A).rcode, Rcode::NoError, "it is ready meanwhile");
    let cached = dns::query(&mut w, WEB_0, Type::A);
    assert_eq!((cached.rcode, cached.authoritative), (Rcode::NxDomain, false));
    w.run_until(asked + 30 * SECOND);
    let fresh = dns::query(&mut w, WEB_0, Type::A);
    assert_eq!((fresh.records.len(), fresh.records[0].ttl, fresh.authoritative), (1, 30, true));
    w.run_until(w.now + 12 * SECOND);
    assert_eq!(dns::query(&mut w, WEB_0, Type::A).records[0].ttl, 18);
    let name = "nginx.default.svc.cluster.local";
    let orders: Vec<Answer> = (0..8).map(|_| dns::query(&mut w, name, Type::A)).collect();
    assert!(orders.iter().any(|a| a.records != orders[0].records), "cached answers turn too");
}

#[test]
fn an_alias_leads_to_its_addresses() {
    let mut w = cluster(true);
    let svc = value!({"metadata": {"name": "db"}, "spec": {
        "externalName": "nginx.default.svc.cluster.local", "type": "ExternalName"
    }});
    w.create(Kind::Service, svc, WriteOptions::default()).unwrap();
    assert!(w.settle(600 * SECOND));
    for _ in 0..8 {
        let answer = dns::query(&mut w, "db.default.svc.cluster.local", Type::A);
        let types: Vec<Type> = answer.records.iter().map(|r| r.rtype).collect();
        assert_eq!(types, [Type::Cname, Type::A, Type::A]);
    }
}

#[test]
fn a_headless_service_without_ports_has_no_srv() {
    let mut w = cluster(true);
    let svc = value!({"metadata": {"name": "bare"}, "spec": {
        "clusterIP": "None", "selector": {"app": "nginx"}
    }});
    w.create(Kind::Service, svc, WriteOptions::default()).unwrap();
    assert!(w.settle(600 * SECOND));
    let bare = "bare.default.svc.cluster.local";
    assert_eq!(live(&w, bare, Type::A).records.len(), 2);
    assert_eq!(live(&w, bare, Type::Srv).rcode, Rcode::NoError);
    assert!(live(&w, bare, Type::Srv).records.is_empty());
    let named = "_web._tcp.nginx.default.svc.cluster.local";
    assert_eq!(live(&w, named, Type::A).records.len(), 2);
}
