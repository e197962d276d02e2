//! Manifests and what the server says of them, word for word.

use crate::api::Kind;
use crate::manifest::{defaults, parse};
use crate::schema;
use crate::value::Value;

fn read(text: &str) -> (Kind, Value) {
    let mut value = parse::parse(text).remove(0).unwrap().value;
    let kind = Kind::from_gvk(value["apiVersion"].str(), value["kind"].str()).unwrap();
    assert!(schema::check(kind, &value).is_empty(), "{:?}", schema::check(kind, &value));
    schema::prune(kind, &mut value);
    value.entry("metadata").set("namespace", "default");
    defaults::apply(kind, &mut value);
    (kind, value)
}

fn lines(causes: Vec<crate::apiserver::error::Cause>) -> Vec<String> {
    causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect()
}

fn said(text: &str) -> Vec<String> {
    let (kind, value) = read(text);
    lines(super::create(kind, &value))
}

/// A StatefulSet with more lines in its spec and in its pods' (indented by 2 and 6).
fn set(spec: &str, pod: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec:
  serviceName: web
  selector: {{matchLabels: {{app: web}}}}
{spec}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
{pod}
      containers:
      - name: web
        image: nginx
"
    )
}

/// A StatefulSet whose container has one more line.
fn container(line: &str) -> String {
    format!("{}        {line}\n", set("", ""))
}

fn one(text: &str, want: &str) {
    assert_eq!(said(text), [want], "{text}");
}

#[test]
fn sets() {
    assert_eq!(said(&set("", "")), Vec::<String>::new());
    for (line, want) in [
        ("replicas: -1", "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (
            "podManagementPolicy: Any",
            "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'",
        ),
        (
            "updateStrategy: {type: Any}",
            "spec.updateStrategy: Invalid value: {\"Type\":\"Any\",\"RollingUpdate\":null}: must be 'RollingUpdate' or 'OnDelete'",
        ),
        (
            "updateStrategy: {rollingUpdate: {partition: -1}}",
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "ordinals: {start: -1}",
            "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "persistentVolumeClaimRetentionPolicy: {whenScaled: Keep}",
            "spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: \"Keep\": supported values: \"Retain\", \"Delete\"",
        ),
        (
            "volumeClaimTemplates: [{metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0}}}}]",
            "spec.volumeClaimTemplates[0].spec.resources[storage]: Invalid value: \"0\": must be greater than zero",
        ),
    ] {
        one(&set(&format!("  {line}"), ""), want);
    }
    for (line, want) in [
        (
            "restartPolicy: Never",
            "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
        ),
        (
            "terminationGracePeriodSeconds: 5\n      activeDeadlineSeconds: 5",
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported",
        ),
        (
            "hostAliases: [{ip: 1.2.3}]",
            "spec.template.spec.hostAliases[0].ip: Invalid value: \"1.2.3\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
        (
            "tolerations: [{key: a, operator: Exists, value: b}]",
            "spec.template.spec.tolerations[0].operator: Invalid value: {\"Key\":\"a\",\"Operator\":\"Exists\",\"Value\":\"b\",\"Effect\":\"\",\"TolerationSeconds\":null}: value must be empty when `operator` is 'Exists'",
        ),
        (
            "tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 3}]",
            "spec.template.spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
        (
            "topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]",
            "spec.template.spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
        ),
        (
            "dnsPolicy: None",
            "spec.template.spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            "volumes: [{name: a, configMap: {}}]",
            "spec.template.spec.volumes[0].configMap.name: Required value",
        ),
        (
            "volumes: [{name: a, emptyDir: {}, hostPath: {path: /x}}]",
            "spec.template.spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
        ),
        (
            "volumes: [{name: a}, {name: a}]",
            "spec.template.spec.volumes[1].name: Duplicate value: \"a\"",
        ),
        (
            "initContainers: [{name: web, image: x}]",
            "spec.template.spec.initContainers[0].name: Duplicate value: \"web\"",
        ),
        (
            "initContainers: [{name: a, image: x, readinessProbe: {exec: {command: [x]}}}]",
            "spec.template.spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ),
    ] {
        one(&set("", &format!("      {line}")), want);
    }
}

#[test]
fn containers() {
    let at = "spec.template.spec.containers[0]";
    for (line, want) in [
        (
            "ports: [{containerPort: 70000}]",
            "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            "ports: [{name: a, containerPort: 1}, {name: a, containerPort: 2}]",
            "ports[1].name: Duplicate value: \"a\"",
        ),
        (
            "ports: [{name: abcdefghijklmnop, containerPort: 1}]",
            "ports[0].name: Invalid value: \"abcdefghijklmnop\": must be no more than 15 characters",
        ),
        (
            "env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
            "env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
        ),
        (
            "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.uuid}}}]",
            "env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.uuid\": error converting fieldPath: field label not supported: metadata.uuid",
        ),
        (
            "volumeMounts: [{name: gone, mountPath: /x}]",
            "volumeMounts[0].name: Not found: \"gone\"",
        ),
        (
            "resources: {requests: {cpu: 2}, limits: {cpu: 1}}",
            "resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1",
        ),
        (
            "resources: {limits: {memory: -1}}",
            "resources.limits[memory]: Invalid value: \"-1\": must be greater than or equal to 0",
        ),
        ("livenessProbe: {}", "livenessProbe: Required value: must specify a handler type"),
        (
            "livenessProbe: {exec: {command: [x]}, successThreshold: 2}",
            "livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            "readinessProbe: {tcpSocket: {port: 1}, terminationGracePeriodSeconds: 3}",
            "readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes",
        ),
        (
            "lifecycle: {preStop: {}}",
            "lifecycle.preStop: Required value: must specify a handler type",
        ),
        (
            "imagePullPolicy: Sometimes",
            "imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
        ),
        (
            "securityContext: {runAsUser: -1}",
            "securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, inclusive",
        ),
    ] {
        one(&container(line), &format!("{at}.{want}"));
    }
}

#[test]
fn several_errors_keep_their_order() {
    let text = set("  replicas: -1\n  minReadySeconds: -1", "      dnsPolicy: Mine");
    assert_eq!(
        said(&text),
        [
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
            "spec.template.spec.dnsPolicy: Unsupported value: \"Mine\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\"",
        ]
    );
}

fn service(spec: &str) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{{spec}}}\n")
}

#[test]
fn services() {
    for (spec, want) in [
        ("type: ClusterIP", "spec.ports: Required value"),
        (
            "type: Any, ports: [{port: 80}]",
            "spec.type: Unsupported value: \"Any\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"",
        ),
        ("ports: [{port: 80}, {port: 81, name: a}]", "spec.ports[0].name: Required value"),
        (
            "ports: [{port: 80, name: a}, {port: 80, name: b}]",
            "spec.ports[1]: Duplicate value: {\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\"TargetPort\":0,\"NodePort\":0}",
        ),
        (
            "ports: [{port: 80, nodePort: 30000}]",
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ),
        (
            "ports: [{port: 80}], type: NodePort, clusterIP: None",
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
        ),
        ("type: ExternalName", "spec.externalName: Required value"),
        (
            "ports: [{port: 0, targetPort: 80}]",
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            "ports: [{port: 80}], sessionAffinity: Always",
            "spec.sessionAffinity: Unsupported value: \"Always\": supported values: \"ClientIP\", \"None\"",
        ),
    ] {
        one(&service(spec), want);
    }
    assert!(said(&service("clusterIP: None")).is_empty(), "a headless one needs no ports");
}

#[test]
fn what_cannot_change() {
    let changed = |old: &str, new: &str| {
        let (kind, old) = read(old);
        let (_, new) = read(new);
        lines(super::update(kind, &new, &old))
    };
    assert_eq!(
        changed(&set("", ""), &set("  podManagementPolicy: Parallel", "")),
        [
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        ]
    );
    assert!(changed(&set("", ""), &set("  replicas: 3\n  minReadySeconds: 5", "")).is_empty());
    let map = |line: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\nimmutable: true\n{line}\n")
    };
    assert_eq!(
        changed(&map("data: {a: b}"), &map("data: {a: c}")),
        ["data: Forbidden: field is immutable when `immutable` is set"]
    );
}

#[test]
fn warnings() {
    let warned = |text: &str| {
        let (kind, value) = read(text);
        super::warnings(kind, &value, None)
    };
    assert_eq!(
        warned(&container("env: [{name: A, value: x}, {name: A, value: z}]")),
        [
            "spec.template.spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply"
        ]
    );
    assert_eq!(
        warned(&container("ports: [{containerPort: 80, name: a}, {containerPort: 80, name: b}]")),
        [
            "spec.template.spec.containers[0].ports[1]: duplicate port definition with spec.template.spec.containers[0].ports[0]"
        ]
    );
    assert_eq!(
        warned(&set("", "      nodeSelector: {beta.kubernetes.io/os: linux}")),
        [
            "spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead"
        ]
    );
    assert!(warned(&set("", "")).is_empty());
}
