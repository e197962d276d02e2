//! Commands as a learner types them, against a small cluster.

use crate::api::time::SECOND;
use crate::config::{Config, Latency};
use crate::rng::Stream;
use crate::world::World;

const WEB: &str = "apiVersion: v1
kind: Service
metadata:
  name: nginx
spec:
  ports: [{port: 80, name: web}]
  clusterIP: None
  selector: {app: nginx}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  serviceName: nginx
  replicas: 2
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers:
      - name: nginx
        image: registry.k8s.io/nginx-slim:0.24
        ports: [{containerPort: 80, name: web}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
";

fn world() -> World {
    let mut w = World::new(Config { latency: Latency::Recording, ..Config::default() });
    w.put_file("web.yaml", WEB);
    w
}

/// Types a line and goes on until it has ended; gives what it showed and its status.
fn run(w: &mut World, line: &str) -> (String, i32) {
    let before = w.terminal(1).map_or(0, |t| t.out.len());
    w.type_line(1, line);
    let until = w.now + 900 * SECOND;
    while w.terminal(1).is_some_and(|t| t.running() && !t.reads()) {
        match w.queue.next_at() {
            Some(at) if at <= until => w.step(),
            _ => {
                w.interrupt(1);
                break;
            }
        };
    }
    let t = w.terminal(1).unwrap();
    (t.text_since(before), t.last_exit)
}

fn says(w: &mut World, line: &str, want: &str) {
    let (got, code) = run(w, line);
    assert_eq!(got, want, "{line}");
    assert_eq!(code, 0, "{line}");
}

fn fails(w: &mut World, line: &str, want: &str) {
    let (got, code) = run(w, line);
    assert_eq!(got, want, "{line}");
    assert_ne!(code, 0, "{line}");
}

fn ready() -> World {
    let mut w = world();
    says(
        &mut w,
        "kubectl apply -f web.yaml",
        "service/nginx created\nstatefulset.apps/web created\n",
    );
    assert!(w.settle(600 * SECOND));
    w
}

#[test]
fn apply_again_and_changed() {
    let mut w = ready();
    // the templates of claims differ from the file by their defaults, as in the recordings
    says(
        &mut w,
        "kubectl apply -f web.yaml",
        "service/nginx unchanged\nstatefulset.apps/web configured\n",
    );
    w.put_file("svc.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: nginx, labels: {a: b}}\nspec: {clusterIP: None, ports: [{port: 80, name: web}], selector: {app: nginx}}\n");
    says(&mut w, "kubectl apply -f svc.yaml", "service/nginx configured\n");
    says(&mut w, "kubectl get svc nginx -o jsonpath='{.metadata.labels.a}'", "b");
    says(
        &mut w,
        "kubectl apply -f svc.yaml --dry-run=server",
        "service/nginx unchanged (server dry run)\n",
    );
    says(&mut w, "kubectl create ns x --dry-run=client", "namespace/x created (dry run)\n");
    fails(&mut w, "kubectl get ns x", "Error from server (NotFound): namespaces \"x\" not found\n");
    fails(&mut w, "kubectl apply -f nope.yaml", "error: the path \"nope.yaml\" does not exist\n");
    says(
        &mut w,
        "cat web.yaml | kubectl apply -f - --dry-run=client",
        "service/nginx configured (dry run)\nstatefulset.apps/web configured (dry run)\n",
    );
}

#[test]
fn scale_needs_its_flag_and_checks() {
    let mut w = ready();
    says(&mut w, "kubectl scale sts web --replicas=3", "statefulset.apps/web scaled\n");
    fails(
        &mut w,
        "kubectl scale sts/web --replicas=2 --current-replicas=7",
        "error: Expected replicas to be 7, was 3\n",
    );
    fails(
        &mut w,
        "kubectl scale sts nope --replicas=1",
        "Error from server (NotFound): statefulsets.apps \"nope\" not found\n",
    );
}

#[test]
fn patches_of_three_kinds() {
    let mut w = ready();
    says(
        &mut w,
        "kubectl patch sts web -p '{\"spec\":{\"replicas\":3}}'",
        "statefulset.apps/web patched\n",
    );
    says(
        &mut w,
        "kubectl patch sts web --type=json -p='[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":3}]'",
        "statefulset.apps/web patched (no change)\n",
    );
    says(
        &mut w,
        "kubectl patch svc nginx --type merge -p 'metadata: {labels: {x: z}}'",
        "service/nginx patched\n",
    );
    fails(
        &mut w,
        "kubectl patch sts web -p '{\"spec\":'",
        "Error from server (BadRequest): unexpected end of JSON input\n",
    );
}

#[test]
fn labels_and_annotations() {
    let mut w = ready();
    says(&mut w, "kubectl label pod web-0 tier=front", "pod/web-0 labeled\n");
    says(&mut w, "kubectl label pod web-0 tier=front", "pod/web-0 not labeled\n");
    fails(
        &mut w,
        "kubectl label pod web-0 tier=back",
        "error: 'tier' already has a value (front), and --overwrite is false\n",
    );
    says(&mut w, "kubectl label pod web-0 tier- other=x", "pod/web-0 modified\n");
    says(
        &mut w,
        "kubectl label pod web-0 tier-",
        "label \"tier\" not found.\npod/web-0 not labeled\n",
    );
    says(&mut w, "kubectl annotate pods --all a=b", "pod/web-0 annotated\npod/web-1 annotated\n");
    fails(
        &mut w,
        "kubectl annotate pod web-0 a=c",
        "error: --overwrite is false but found the following declared annotation(s): 'a' already has a value (b)\n",
    );
    says(&mut w, "kubectl taint nodes worker-1 k=v:NoSchedule", "node/worker-1 tainted\n");
    says(&mut w, "kubectl taint nodes worker-1 k-", "node/worker-1 untainted\n");
    fails(&mut w, "kubectl taint nodes worker-1 k-", "error: taint \"k\" not found\n");
}

#[test]
fn deletion_waits_for_the_old_object() {
    let mut w = ready();
    let old = w.store.get(crate::api::Kind::Pod, "default", "web-0").unwrap().uid();
    says(&mut w, "kubectl delete pod web-0", "pod \"web-0\" deleted from default namespace\n");
    let new = w.store.get(crate::api::Kind::Pod, "default", "web-0").map(|p| p.uid());
    assert_ne!(new, Some(old));
    fails(
        &mut w,
        "kubectl delete pod",
        "error: resource(s) were provided, but no name was specified\n",
    );
    says(&mut w, "kubectl delete pods -l app=other", "No resources found\n");
    says(&mut w, "kubectl delete pod x --ignore-not-found", "");
}

#[test]
fn roll_out_and_back() {
    let mut w = ready();
    says(
        &mut w,
        "kubectl set image sts/web nginx=registry.k8s.io/nginx-slim:0.25",
        "statefulset.apps/web image updated\n",
    );
    says(&mut w, "kubectl set image sts/web nginx=registry.k8s.io/nginx-slim:0.25", "");
    let (out, code) = run(&mut w, "kubectl rollout status sts/web");
    assert!(
        out.ends_with("partitioned roll out complete: 2 new pods have been updated...\n"),
        "{out}"
    );
    assert_eq!(code, 0);
    says(
        &mut w,
        "kubectl rollout history sts/web",
        "statefulset.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n",
    );
    fails(
        &mut w,
        "kubectl rollout pause sts/web",
        "error: statefulsets.apps \"web\" pausing is not supported\n",
    );
    let (out, _) = run(&mut w, "kubectl rollout undo sts/web");
    assert!(out.ends_with("statefulset.apps/web rolled back\n"), "{out}");
    fails(
        &mut w,
        "kubectl set image sts/web nope=x",
        "error: unable to find container named \"nope\"\n",
    );
}

#[test]
fn waiting() {
    let mut w = ready();
    says(
        &mut w,
        "kubectl wait --for=condition=Ready pod/web-0 --timeout=5s",
        "pod/web-0 condition met\n",
    );
    says(
        &mut w,
        "kubectl wait --for=jsonpath='{.status.readyReplicas}'=2 sts/web",
        "statefulset.apps/web condition met\n",
    );
    let before = w.now;
    fails(
        &mut w,
        "kubectl wait --for=delete pod/web-0 --timeout=1s",
        "error: timed out waiting for the condition on pods/web-0\n",
    );
    assert!(w.now >= before + SECOND);
    fails(
        &mut w,
        "kubectl wait --for=condition=Ready pod -l a=b",
        "error: no matching resources found\n",
    );
}

#[test]
fn inside_containers() {
    let mut w = ready();
    says(
        &mut w,
        "for i in 0 1; do kubectl exec \"web-$i\" -- sh -c 'echo \"$(hostname)\" > /usr/share/nginx/html/index.html'; done",
        "",
    );
    says(&mut w, "kubectl exec web-1 -- curl -s http://localhost/", "web-1\n");
    says(&mut w, "kubectl exec web-0 -- curl -s web-1.nginx", "web-1\n");
    let (_, code) = run(&mut w, "kubectl delete pod web-1");
    assert_eq!(code, 0);
    assert!(w.settle(600 * SECOND));
    says(&mut w, "kubectl exec web-1 -- cat /usr/share/nginx/html/index.html", "web-1\n");
    fails(&mut w, "kubectl exec web-0 -- sh -c 'exit 3'", "command terminated with exit code 3\n");
}

#[test]
fn an_interactive_session_reads_typed_lines() {
    let mut w = ready();
    let (out, _) = run(&mut w, "kubectl run -it --rm --image=busybox:1.28 t --restart=Never");
    assert!(out.ends_with("/ # "), "{out}");
    let (out, _) = run(&mut w, "nslookup web-0.nginx");
    assert!(out.contains("web-0.nginx.default.svc.cluster.local"), "{out}");
    // a clone is a snapshot: both go on by themselves
    let mut other = w.clone();
    assert_eq!(run(&mut other, "exit").0, "pod \"t\" deleted from default namespace\n");
    assert!(w.terminal(1).unwrap().running());
    assert_eq!(run(&mut w, "exit 0").0, "pod \"t\" deleted from default namespace\n");
}

#[test]
fn terminals_run_side_by_side() {
    let mut w = world();
    w.type_line(2, "kubectl wait --for=create pod/web-0 --timeout=60s; echo done");
    let _ = run(&mut w, "kubectl apply -f web.yaml");
    assert!(w.settle(600 * SECOND));
    let t = w.terminal(2).unwrap();
    assert_eq!(t.text_since(0), "pod/web-0 condition met\ndone\n");
    w.type_line(3, "sleep 1000");
    w.interrupt(3);
    assert_eq!(w.terminal(3).unwrap().last_exit, 130);
}

/// Whatever is typed: no panic, and the same again.
#[test]
fn any_line_is_survived() {
    const WORDS: &[&str] = &[
        "kubectl",
        "get",
        "pods",
        "apply",
        "-f",
        "web.yaml",
        "delete",
        "sts",
        "web",
        "sts/web",
        "svc",
        "scale",
        "--replicas=3",
        "--replicas",
        "-1",
        "patch",
        "-p",
        "'{\"spec\":{}}'",
        "{",
        "}",
        "label",
        "a=b",
        "a-",
        "--all",
        "-l",
        "app in (a,b)",
        "'app=nginx'",
        "rollout",
        "status",
        "history",
        "undo",
        "restart",
        "set",
        "image",
        "nginx=x",
        "exec",
        "web-0",
        "--",
        "sh",
        "-c",
        "'echo $(hostname) > x'",
        "run",
        "t",
        "--image=busybox",
        "-it",
        "--rm",
        "nslookup",
        "wait",
        "--for=delete",
        "--timeout=1s",
        "drain",
        "worker-1",
        "--force",
        "cordon",
        "taint",
        "k=v:NoExecute",
        "create",
        "deployment",
        "logs",
        "|",
        "grep",
        "head",
        "-n",
        "1",
        "jq",
        ".items[]|.x",
        "awk",
        "'{print $1}'",
        "sed",
        "s/a/b/",
        "xargs",
        "for",
        "i",
        "in",
        "do",
        "done",
        ";",
        "&&",
        "||",
        "while",
        "true",
        "if",
        "then",
        "fi",
        "$(",
        ")",
        "$((1+",
        "))",
        "\"",
        "'",
        "<<EOF",
        "EOF",
        ">",
        ">>",
        "/dev/null",
        "2>&1",
        "$x",
        "${x:-y}",
        "-o",
        "yaml",
        "json",
        "jsonpath={.items[*].metadata.name}",
        "custom-columns=A:.x",
        "wide",
        "-w",
        "expose",
        "--port=80",
        "config",
        "set-context",
        "--current",
        "--namespace=é",
        "explain",
        "describe",
        "events",
        "--type=json",
        "'[{\"op\":\"remove\",\"path\":\"/spec/replicas\"}]'",
        "cat",
        "\\",
        "\n",
        "é",
        "--dry-run=client",
        "-n",
        "kube-system",
        "auth",
        "can-i",
        "replace",
        "annotate",
        "sleep",
        "read",
        "exit",
        "break",
        "[",
        "]",
        "=",
        "!",
        "`",
        "tail",
        "sort",
        "-k2",
        "uniq",
        "cut",
        "-d:",
        "-f1",
        "tr",
        "a-z",
        "A-Z",
        "wc",
        "-l",
        "seq",
        "5",
        "printf",
        "%s%d%%",
        "date",
        "+%s",
        "test",
        "-z",
    ];
    let base = ready();
    for seed in 0..400_u64 {
        let mut r = Stream::new(seed, &["lines"]);
        let mut w = base.clone();
        let mut twin = base.clone();
        for _ in 0..3 {
            let n = r.range(1, 9);
            let mut line =
                if r.next().is_multiple_of(2) { String::from("kubectl") } else { String::new() };
            for _ in 0..n {
                line.push(' ');
                line.push_str(WORDS[(r.next() % WORDS.len() as u64) as usize]);
            }
            let a = run(&mut w, &line);
            let b = run(&mut twin, &line);
            assert_eq!(a, b, "{line}");
            w.interrupt(1);
            twin.interrupt(1);
        }
    }
}

/// Long and deep lines do not exhaust the stack.
#[test]
fn long_lines_are_survived() {
    let base = world();
    let n = 20_000;
    for (head, part, tail) in [
        ("", "true && ", "true"),
        ("", "! ", "true"),
        ("", "( ", ""),
        ("", "if ", ""),
        ("echo ", "$(", ""),
        ("echo ", "$((", ""),
        ("echo ", "${a:-", "}"),
        ("echo $((", "(", "))"),
        ("echo $((", "-", "1))"),
        ("echo x | grep ", "a*", ""),
        ("echo x | grep -E '", "(", "'"),
        ("echo aaaaaaaaaaaaaaaaaaaaaaaaaaaa | grep -E '", "(a*)*", "b'"),
        ("echo 1 | jq '", ".a", "'"),
        ("echo 1 | jq '", "[", "'"),
        ("echo 1 | jq '", "-", "1'"),
        ("echo 1 | awk '{print ", "(", "}'"),
        ("echo 1 | awk '{print ", "!", "1}'"),
        ("kubectl get pods -l '", "a,", "a'"),
        ("kubectl get pods -o jsonpath='", "{range ", "}'"),
        ("kubectl patch sts web -p '", "{\"a\":", "1'"),
        ("kubectl patch sts web --type json -p '", "[", "'"),
        ("true", " | true", ""),
        ("", "\n", "true"),
    ] {
        let mut w = base.clone();
        run(&mut w, &format!("{head}{}{tail}", part.repeat(n)));
    }
}

#[test]
fn lines_wait_for_the_one_before_and_are_read_by_what_reads() {
    let mut w = world();
    for line in [
        "kubectl apply -f web.yaml",
        "kubectl run -it shell --image=busybox:1.28 --restart=Never --rm",
        "hostname",
        "exit",
        "echo done",
    ] {
        w.type_line(1, line);
    }
    assert!(w.settle(900 * SECOND));
    let t = w.terminal(1).unwrap();
    assert!(!t.running());
    let shown = t.text_since(0);
    assert!(shown.ends_with("pod \"shell\" deleted from default namespace\ndone\n"), "{shown}");
    assert!(shown.contains("\n/ # shell\n"), "{shown}");
    let read: Vec<&str> = t.entered.iter().filter(|e| e.read).map(|e| e.text.as_str()).collect();
    assert_eq!(read, ["hostname", "exit"]);
}

#[test]
fn many_lines_at_once() {
    let mut w = world();
    for _ in 0..5000 {
        w.type_line(1, "sleep 0.001");
    }
    w.type_line(1, "echo end");
    w.settle(900 * SECOND);
    assert_eq!(w.terminal(1).unwrap().text_since(0), "end\n");
}

#[test]
fn end_of_input_and_interrupt() {
    let mut w = world();
    // ^D at the prompt does nothing here, and ends what reads
    w.type_line(1, crate::kubectl::END_OF_INPUT);
    assert!(w.terminal(1).is_none_or(|t| t.entered.is_empty()));
    w.type_line(1, "cat > note.txt");
    w.type_line(1, "hello");
    assert!(w.terminal(1).unwrap().reads());
    w.type_line(1, crate::kubectl::END_OF_INPUT);
    says(&mut w, "cat note.txt", "hello\n");
    let entered = w.terminal(1).unwrap().entered.len();
    w.interrupt(1);
    assert_eq!(w.terminal(1).unwrap().entered.len(), entered, "nothing ran");
    w.type_line(1, "sleep 100");
    w.type_line(1, "echo never");
    w.interrupt(1);
    let t = w.terminal(1).unwrap();
    assert_eq!(t.entered.last().unwrap().text, "^C");
    assert!(!t.running() && t.last_exit == 130);
}

#[test]
fn the_folder() {
    let mut w = world();
    says(&mut w, "ls", "web.yaml\n");
    says(&mut w, "echo a > b.txt; cp b.txt c.txt; mv b.txt d.txt; ls", "c.txt\nd.txt\nweb.yaml\n");
    says(&mut w, "sed -i s/a/b/ d.txt; cat d.txt", "b\n");
    assert_eq!(w.terminals.by_shell.get("d.txt"), Some(&true));
    assert_eq!(w.terminals.by_shell.get("b.txt"), Some(&false));
    let gone = "ls: cannot access 'c.txt': No such file or directory\n";
    assert_eq!(run(&mut w, "rm c.txt; ls c.txt"), (gone.to_owned(), 2));
    w.put_file("c.txt", "x");
    assert_eq!(w.terminals.by_shell.get("c.txt"), None);
    let gone = "mv: cannot stat 'nothing': No such file or directory\n";
    assert_eq!(run(&mut w, "mv nothing x"), (gone.to_owned(), 1));
}

#[test]
fn tutorial_addresses_have_texts_of_their_own() {
    let mut w = world();
    // a file of that name in the folder is another one
    w.put_file("web.yaml", "nonsense");
    for (url, want) in [
        (
            "https://k8s.io/examples/application/web/web.yaml",
            "service/nginx created\nstatefulset.apps/web created\n",
        ),
        (
            "https://kubernetes.io/examples/application/web/web-parallel.yaml",
            "service/nginx unchanged\n",
        ),
        (
            "https://raw.githubusercontent.com/kubernetes/website/main/content/en/examples/application/mysql/mysql-services.yaml",
            "service/mysql created\nservice/mysql-read created\n",
        ),
        (
            "https://k8s.io/examples/application/zookeeper/zookeeper.yaml",
            "service/zk-hs created\nservice/zk-cs created\npoddisruptionbudget.policy/zk-pdb created\nstatefulset.apps/zk created\n",
        ),
        (
            "https://k8s.io/examples/application/cassandra/cassandra-statefulset.yaml",
            "statefulset.apps/cassandra created\nstorageclass.storage.k8s.io/fast created\n",
        ),
    ] {
        let (got, _) = run(&mut w, &format!("kubectl apply -f {url}"));
        assert!(got.starts_with(want), "{url}: {got}");
    }
    let replicas = "kubectl get sts web -o jsonpath='{.spec.replicas}'";
    says(&mut w, replicas, "2");
    let (got, code) = run(&mut w, "kubectl apply -f https://example.com/x.yaml");
    assert!(got.contains("not simulated: reading \"https://example.com/x.yaml\""), "{got}");
    assert_eq!(code, 1);
}

#[test]
fn edit_in_the_page() {
    let mut w = world();
    says(
        &mut w,
        "kubectl apply -f web.yaml",
        "service/nginx created\nstatefulset.apps/web created\n",
    );
    let open = |w: &mut World| {
        w.type_line(1, "kubectl edit sts web");
        w.run_until(w.now + SECOND);
        w.terminals.edits.get(&1).unwrap().text.to_string()
    };
    let shown = |w: &World, from: usize| w.terminal(1).unwrap().text_since(from);
    let text = open(&mut w);
    assert!(text.starts_with("# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant failures.\n#\napiVersion: apps/v1\n"), "{text}");
    let out = w.terminal(1).unwrap().out.len();
    w.close_editor(1, None);
    assert_eq!(shown(&w, out), "Edit cancelled, no changes made.\n");
    assert!(w.terminals.edits.is_empty() && !w.terminal(1).unwrap().running());

    // a change
    let text = open(&mut w);
    let out = w.terminal(1).unwrap().out.len();
    w.close_editor(1, Some(&text.replace("replicas: 2", "replicas: 3")));
    assert_eq!(shown(&w, out), "statefulset.apps/web edited\n");
    says(&mut w, "kubectl get sts web -o jsonpath='{.spec.replicas}'", "3");

    // what the server refuses comes back with its reasons; the same again gives up
    let text = open(&mut w);
    let out = w.terminal(1).unwrap().out.len();
    let bad = text.replace("serviceName: nginx", "serviceName: other");
    w.close_editor(1, Some(&bad));
    assert_eq!(shown(&w, out), "error: statefulsets.apps \"web\" is invalid\n");
    let again = w.terminals.edits.get(&1).unwrap().text.to_string();
    assert!(again.contains("# reopened with the relevant failures.\n#\n# statefulsets.apps \"web\" was not valid:\n# * spec: Forbidden: updates to statefulset spec for fields other than "), "{again}");
    assert!(again.contains("\n#\napiVersion: apps/v1\n") && again.contains("serviceName: other"));
    let out = w.terminal(1).unwrap().out.len();
    w.close_editor(1, None);
    let kept = shown(&w, out);
    assert!(
        kept.starts_with("A copy of your changes has been stored to \"/tmp/kubectl-edit-"),
        "{kept}"
    );
    assert!(kept.ends_with("\"\nerror: Edit cancelled, no valid changes were saved.\n"), "{kept}");
    assert_eq!(w.terminal(1).unwrap().last_exit, 1);

    // a text that is no YAML, an empty one, ^C
    let text = open(&mut w);
    w.close_editor(1, Some(&text.replace("kind: StatefulSet", "kind: [")));
    let again = w.terminals.edits.get(&1).unwrap().text.to_string();
    assert!(again.contains("# The edited file had a syntax error: error parsing edited-file: error converting YAML to JSON: yaml: "), "{again}");
    let out = w.terminal(1).unwrap().out.len();
    w.close_editor(1, Some(" \n# nothing\n"));
    assert_eq!(shown(&w, out), "Edit cancelled, saved file was empty.\n");
    open(&mut w);
    w.interrupt(1);
    assert!(w.terminals.edits.is_empty());
}

#[test]
fn edit_with_a_program() {
    let mut w = world();
    w.terminals.editor = false;
    says(
        &mut w,
        "kubectl apply -f web.yaml",
        "service/nginx created\nstatefulset.apps/web created\n",
    );
    says(
        &mut w,
        "KUBE_EDITOR='sed -i s/replicas:.2/replicas:\\ 4/' kubectl edit sts web",
        "statefulset.apps/web edited\n",
    );
    says(&mut w, "kubectl get sts web -o jsonpath='{.spec.replicas}'", "4");
    says(&mut w, "EDITOR=true kubectl edit sts web", "Edit cancelled, no changes made.\n");
    let (got, code) = run(&mut w, "kubectl edit sts web");
    assert!(got.contains("not simulated: an editor") && code == 1, "{got}");
    let (got, _) = run(
        &mut w,
        "KUBE_EDITOR='sed -i s/serviceName:.nginx/serviceName:\\ x/' kubectl edit sts web",
    );
    assert!(
        got.starts_with("error: statefulsets.apps \"web\" is invalid\nA copy of your changes"),
        "{got}"
    );
}
