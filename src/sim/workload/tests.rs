use super::*;
use crate::api::Kind;
use crate::api::time::SECOND;
use crate::apiserver::{DeleteOptions, WriteOptions};
use crate::config::{Config, Latency};
use crate::storage::fs;
use crate::value;

fn shell(script: &'static str) -> Process {
    process(&value!({"image": "busybox:1.36", "command": ["sh", "-c", script]}))
}

#[test]
fn processes() {
    assert_eq!(
        shell("while true; do date; sleep 1; done"),
        Process { ends: None, term: Term::Ignores }
    );
    assert_eq!(shell("sleep 3600").term, Term::Ignores);
    assert_eq!(shell("sleep 5; exit 3").ends, Some((5 * SECOND, 3)));
    assert_eq!(shell("trap 'exit 0' TERM; while true; do sleep 1; done").term, Term::Obeys(0));
    assert_eq!(shell("echo hello && sleep infinity").ends, None);
    assert_eq!(process(&value!({"image": "nginx"})), Process { ends: None, term: Term::Obeys(0) });
    assert_eq!(process(&value!({"image": "busybox"})).ends, Some((0, 0)));
    assert_eq!(hook_time(&value!({"exec": {"command": ["sh", "-c", "sleep 10"]}})), 10 * SECOND);
}

#[test]
fn a_web_server_serves_its_disk() {
    let mut w =
        World::new(Config { latency: Latency::Instant, attach: false, ..Config::default() });
    let opts = WriteOptions { trusted: true, dry_run: false };
    let pod = value!({
        "metadata": {"name": "web-0"},
        "spec": {
            "nodeName": "worker-1",
            "containers": [{"name": "nginx", "image": "nginx",
                "volumeMounts": [{"name": "www", "mountPath": "/usr/share/nginx/html"}]}],
            "volumes": [{"name": "www", "emptyDir": {}}]
        }
    });
    let key = w.create(Kind::Pod, pod, opts).map_or_else(|e| unreachable!("{e}"), |p| p.key());
    assert!(w.settle(60 * SECOND));
    let get =
        |w: &World, path: &str| http_get(w, &key, path).map(|r| (r.status, r.body.to_string()));
    assert_eq!(get(&w, "/").map(|r| r.0), Some(403), "an empty disk hides the image's page");
    assert_eq!(
        fs::write(&mut w, &key, "nginx", "/usr/share/nginx/html/index.html", "hello\n"),
        Ok(())
    );
    assert_eq!(get(&w, "/"), Some((200, "hello\n".to_owned())));
    assert_eq!(get(&w, "/x").map(|r| r.0), Some(404));
    let names = |w: &World, path: &str| {
        fs::list(w, &key, "", path).map(|l| l.into_iter().map(|e| e.name).collect::<Vec<_>>())
    };
    assert_eq!(names(&w, "/usr/share/nginx/html"), Ok(vec!["index.html".to_owned()]));
    assert_eq!(names(&w, "/usr/share"), Ok(vec!["nginx".to_owned()]));
    assert_eq!(fs::write(&mut w, &key, "nginx", "/nowhere/x", "1"), Err(fs::FsError::NotFound));
    assert_eq!(
        fs::remove(&mut w, &key, "nginx", "/usr/share/nginx/html", true),
        Err(fs::FsError::Busy)
    );
    assert_eq!(names(&w, "/usr/share/nginx/html"), Ok(vec![]));
    assert!(listener(&w, &key, 80).is_some() && listener(&w, &key, 8080).is_none());
    let _ = w.delete(&key, &DeleteOptions::default());
    assert!(w.settle(60 * SECOND));
    assert!(w.storage.disks.is_empty());
}
