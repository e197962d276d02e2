//! The Go structs behind the API's types: which fields they have, in their order.
//! What Kubernetes hashes or prints as a whole depends on it.

/// A struct a line: its name, then its fields as `Name:type`, `Name:type=json` where the name
/// in YAML does not follow from the field's.
///
/// Types: `s` string, `b` bool, `i` int32, `l` int64, `m` map of strings, `R` resource list,
/// `Q` quantity, `P` number or text, `T` time, `~X` a string of type X, any other word a struct;
/// before them `*` for a pointer, `[` for a list, `<` for an embedded struct.
const STRUCTS: &str = include_str!("go_structs.txt");

/// A field of a struct.
pub struct Field {
    /// Its name in Go.
    pub name: &'static str,
    /// Its name in YAML.
    pub json: String,
    /// Its type, as written in the table.
    pub kind: &'static str,
}

/// The fields of a struct; none if it is not in the table.
pub fn fields(name: &str) -> impl Iterator<Item = Field> {
    let line = STRUCTS.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
    parsed(line.unwrap_or(""))
}

/// The fields of a line of the table, its name cut off.
pub fn parsed(line: &'static str) -> impl Iterator<Item = Field> {
    line.split_whitespace().map(|field| {
        let (field, json) = match field.split_once('=') {
            Some((field, json)) => (field, Some(json.to_owned())),
            None => (field, None),
        };
        let (name, kind) = field.split_once(':').unwrap_or((field, "s"));
        Field { name, json: json.unwrap_or_else(|| json_name(name)), kind }
    })
}

/// Types of the texts in structs that the table has not, by the type: a struct's name, a dot and
/// the name in YAML.
const NAMED: &str = "\
AddressType EndpointSlice.addressType
CompletionMode JobSpec.completionMode
ConcurrencyPolicy CronJobSpec.concurrencyPolicy
ContainerRestartPolicy EphemeralContainer.restartPolicy
DaemonSetUpdateStrategyType DaemonSetUpdateStrategy.type
DeploymentStrategyType DeploymentStrategy.type
FinalizerName NamespaceSpec.finalizers
IPFamily ServiceSpec.ipFamilies
IPFamilyPolicy ServiceSpec.ipFamilyPolicy
LimitType LimitRangeItem.type
PathType HTTPIngressPath.pathType
PersistentVolumeAccessMode PersistentVolumeSpec.accessModes
PersistentVolumeClaimRetentionPolicyType StatefulSetPersistentVolumeClaimRetentionPolicy.whenDeleted \
    StatefulSetPersistentVolumeClaimRetentionPolicy.whenScaled
PersistentVolumeMode PersistentVolumeSpec.volumeMode
PersistentVolumeReclaimPolicy PersistentVolumeSpec.persistentVolumeReclaimPolicy \
    StorageClass.reclaimPolicy
PodManagementPolicyType StatefulSetSpec.podManagementPolicy
PodReplacementPolicy JobSpec.podReplacementPolicy
PolicyType NetworkPolicySpec.policyTypes
PreemptionPolicy PriorityClass.preemptionPolicy
Protocol ServicePort.protocol EndpointPort.protocol NetworkPolicyPort.protocol
PullPolicy EphemeralContainer.imagePullPolicy
ResourceQuotaScope ResourceQuotaSpec.scopes ScopedResourceSelectorRequirement.scopeName
ScopeSelectorOperator ScopedResourceSelectorRequirement.operator
SecretType Secret.type
ServiceAffinity ServiceSpec.sessionAffinity
ServiceExternalTrafficPolicy ServiceSpec.externalTrafficPolicy
ServiceInternalTrafficPolicy ServiceSpec.internalTrafficPolicy
ServiceType ServiceSpec.type
StatefulSetUpdateStrategyType StatefulSetUpdateStrategy.type
TaintEffect Taint.effect
TerminationMessagePolicy EphemeralContainer.terminationMessagePolicy
UID OwnerReference.uid ObjectReference.uid
UnhealthyPodEvictionPolicyType PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy
VolumeBindingMode StorageClass.volumeBindingMode";

/// The order of fields in structs that the table has not, by their names in YAML. Where nothing
/// is said, it is the alphabet's, and what an object is goes first.
const ORDER: &str = "\
ClusterRole kind apiVersion metadata rules aggregationRule
ClusterRoleBinding kind apiVersion metadata subjects roleRef
CronJobSpec schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate \
    successfulJobsHistoryLimit failedJobsHistoryLimit
CrossVersionObjectReference kind name apiVersion
DeploymentSpec replicas selector template strategy minReadySeconds revisionHistoryLimit paused \
    progressDeadlineSeconds
DeploymentStrategy type rollingUpdate
HTTPIngressPath path pathType backend
HorizontalPodAutoscalerSpec scaleTargetRef minReplicas maxReplicas metrics
HorizontalPodAutoscalerStatus desiredReplicas currentMetrics
IngressSpec ingressClassName defaultBackend tls rules
JobSpec parallelism completions activeDeadlineSeconds backoffLimit selector manualSelector \
    template ttlSecondsAfterFinished completionMode suspend podReplacementPolicy
MetricSpec type
MetricTarget type value averageValue averageUtilization
PodDisruptionBudgetSpec minAvailable selector maxUnavailable
PodDisruptionBudgetStatus disruptionsAllowed
PodStatus phase conditions
PolicyRule verbs
PriorityClass kind apiVersion metadata value globalDefault description preemptionPolicy
RoleBinding kind apiVersion metadata subjects roleRef
RoleRef apiGroup kind name
RollingUpdateDeployment maxUnavailable maxSurge
ServicePort name protocol appProtocol port targetPort nodePort
ServiceSpec ports selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP \
    loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort \
    publishNotReadyAddresses sessionAffinityConfig ipFamilies ipFamilyPolicy \
    allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy";

/// Where a field of a struct stands among the others.
pub fn place(owner: &str, json: &str) -> usize {
    let last = usize::MAX;
    let listed = ORDER.lines().find_map(|l| l.strip_prefix(owner)?.strip_prefix(' '));
    if let Some(line) = listed {
        return line.split_whitespace().position(|f| f == json).unwrap_or(last);
    }
    fields(owner)
        .position(|f| f.json == json)
        .or_else(|| ["kind", "apiVersion", "metadata"].into_iter().position(|f| f == json))
        .unwrap_or(last)
}

/// The type that Go gives to a text of a struct, or to each of a list of them, if it is not
/// simply a text.
pub fn named(owner: &str, json: &str) -> Option<&'static str> {
    let known = fields(owner).find(|f| f.json == json).and_then(|f| f.kind.split_once('~'));
    let other = |line: &'static str| {
        let (name, places) = line.split_once(' ')?;
        let here = |p: &str| p.split_once('.') == Some((owner, json));
        places.split_whitespace().any(here).then_some(name)
    };
    known.map(|(_, name)| name).or_else(|| NAMED.lines().find_map(other))
}

/// `DNSPolicy` is `dnsPolicy`, `TTY` is `tty`: all leading capitals but the one that begins the
/// next word become small.
fn json_name(go: &str) -> String {
    let capitals = go.bytes().take_while(u8::is_ascii_uppercase).count();
    let small = if capitals == go.len() { capitals } else { capitals.saturating_sub(1).max(1) };
    let (head, tail) = go.split_at(small);
    head.to_ascii_lowercase() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_types_are_of_fields_that_there_are() {
        for (name, places) in NAMED.lines().filter_map(|l| l.split_once(' ')) {
            for place in places.split_whitespace() {
                let (owner, field) = place.split_once('.').unwrap_or_default();
                let table = crate::schema::fields(owner).unwrap_or_default();
                assert!(table.iter().any(|f| f.name == field), "{place}");
                assert_eq!(named(owner, field), Some(name));
            }
        }
        assert_eq!(named("Container", "imagePullPolicy"), Some("PullPolicy"));
        assert_eq!(named("Capabilities", "add"), Some("Capability"));
        assert_eq!(named("Container", "image"), None);
    }

    #[test]
    fn names_in_yaml() {
        for (go, json) in [
            ("DNSPolicy", "dnsPolicy"),
            ("TTY", "tty"),
            ("Name", "name"),
            ("SELinuxOptions", "seLinuxOptions"),
            ("HostIPC", "hostIPC"),
            ("OS", "os"),
        ] {
            assert_eq!(json_name(go), json);
        }
    }
}
