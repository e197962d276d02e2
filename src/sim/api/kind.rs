//! The kinds of Kubernetes 1.36: every resource that a server of that version lists.

use crate::value::Str;

/// What is known of one kind.
#[derive(Debug)]
pub struct Info {
    /// Plural name, as in URLs: `statefulsets`.
    pub plural: &'static str,
    /// Short names: `sts`.
    pub short: &'static [&'static str],
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Version inside the group.
    pub version: &'static str,
    /// `apiVersion` as manifests write it: `apps/v1`.
    pub api_version: &'static str,
    /// Kind: `StatefulSet`.
    pub kind: &'static str,
    /// Does it live in a namespace?
    pub namespaced: bool,
}

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident = $plural:literal, [$($short:literal),*], $group:literal, $version:literal, $api:literal, $ns:literal; )*) => {
        /// A kind of object; also the index of its table in the store.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        pub enum Kind { $( $(#[$doc])* $name, )* }

        /// All kinds, in the order of [`Kind`].
        pub const ALL: &[Kind] = &[ $( Kind::$name, )* ];

        const INFOS: &[Info] = &[ $( Info {
            plural: $plural, short: &[$($short),*], group: $group, version: $version,
            api_version: $api, kind: stringify!($name), namespaced: $ns,
        }, )* ];
    };
}

kinds! {
    /// `apiregistration.k8s.io/v1`.
    APIService = "apiservices", [], "apiregistration.k8s.io", "v1", "apiregistration.k8s.io/v1", false;
    /// `v1`.
    Binding = "bindings", [], "", "v1", "v1", true;
    /// `certificates.k8s.io/v1`.
    CertificateSigningRequest = "certificatesigningrequests", ["csr"], "certificates.k8s.io", "v1", "certificates.k8s.io/v1", false;
    /// `rbac.authorization.k8s.io/v1`.
    ClusterRoleBinding = "clusterrolebindings", [], "rbac.authorization.k8s.io", "v1", "rbac.authorization.k8s.io/v1", false;
    /// `rbac.authorization.k8s.io/v1`.
    ClusterRole = "clusterroles", [], "rbac.authorization.k8s.io", "v1", "rbac.authorization.k8s.io/v1", false;
    /// `v1`.
    ComponentStatus = "componentstatuses", ["cs"], "", "v1", "v1", false;
    /// `v1`.
    ConfigMap = "configmaps", ["cm"], "", "v1", "v1", true;
    /// `apps/v1`.
    ControllerRevision = "controllerrevisions", [], "apps", "v1", "apps/v1", true;
    /// `batch/v1`.
    CronJob = "cronjobs", ["cj"], "batch", "v1", "batch/v1", true;
    /// `storage.k8s.io/v1`.
    CSIDriver = "csidrivers", [], "storage.k8s.io", "v1", "storage.k8s.io/v1", false;
    /// `storage.k8s.io/v1`.
    CSINode = "csinodes", [], "storage.k8s.io", "v1", "storage.k8s.io/v1", false;
    /// `storage.k8s.io/v1`.
    CSIStorageCapacity = "csistoragecapacities", [], "storage.k8s.io", "v1", "storage.k8s.io/v1", true;
    /// `apiextensions.k8s.io/v1`.
    CustomResourceDefinition = "customresourcedefinitions", ["crd", "crds"], "apiextensions.k8s.io", "v1", "apiextensions.k8s.io/v1", false;
    /// `apps/v1`.
    DaemonSet = "daemonsets", ["ds"], "apps", "v1", "apps/v1", true;
    /// `apps/v1`.
    Deployment = "deployments", ["deploy"], "apps", "v1", "apps/v1", true;
    /// `resource.k8s.io/v1`.
    DeviceClass = "deviceclasses", [], "resource.k8s.io", "v1", "resource.k8s.io/v1", false;
    /// `v1`.
    Endpoints = "endpoints", ["ep"], "", "v1", "v1", true;
    /// `discovery.k8s.io/v1`.
    EndpointSlice = "endpointslices", [], "discovery.k8s.io", "v1", "discovery.k8s.io/v1", true;
    /// `v1`.
    Event = "events", ["ev"], "", "v1", "v1", true;
    /// `flowcontrol.apiserver.k8s.io/v1`.
    FlowSchema = "flowschemas", [], "flowcontrol.apiserver.k8s.io", "v1", "flowcontrol.apiserver.k8s.io/v1", false;
    /// `autoscaling/v2`.
    HorizontalPodAutoscaler = "horizontalpodautoscalers", ["hpa"], "autoscaling", "v2", "autoscaling/v2", true;
    /// `networking.k8s.io/v1`.
    IngressClass = "ingressclasses", [], "networking.k8s.io", "v1", "networking.k8s.io/v1", false;
    /// `networking.k8s.io/v1`.
    Ingress = "ingresses", ["ing"], "networking.k8s.io", "v1", "networking.k8s.io/v1", true;
    /// `networking.k8s.io/v1`.
    IPAddress = "ipaddresses", ["ip"], "networking.k8s.io", "v1", "networking.k8s.io/v1", false;
    /// `batch/v1`.
    Job = "jobs", [], "batch", "v1", "batch/v1", true;
    /// `coordination.k8s.io/v1`.
    Lease = "leases", [], "coordination.k8s.io", "v1", "coordination.k8s.io/v1", true;
    /// `v1`.
    LimitRange = "limitranges", ["limits"], "", "v1", "v1", true;
    /// `authorization.k8s.io/v1`.
    LocalSubjectAccessReview = "localsubjectaccessreviews", [], "authorization.k8s.io", "v1", "authorization.k8s.io/v1", true;
    /// `admissionregistration.k8s.io/v1`.
    MutatingAdmissionPolicy = "mutatingadmissionpolicies", [], "admissionregistration.k8s.io", "v1", "admissionregistration.k8s.io/v1", false;
    /// `admissionregistration.k8s.io/v1`.
    MutatingAdmissionPolicyBinding = "mutatingadmissionpolicybindings", [], "admissionregistration.k8s.io", "v1", "admissionregistration.k8s.io/v1", false;
    /// `admissionregistration.k8s.io/v1`.
    MutatingWebhookConfiguration = "mutatingwebhookconfigurations", [], "admissionregistration.k8s.io", "v1", "admissionregistration.k8s.io/v1", false;
    /// `v1`.
    Namespace = "namespaces", ["ns"], "", "v1", "v1", false;
    /// `networking.k8s.io/v1`.
    NetworkPolicy = "networkpolicies", ["netpol"], "networking.k8s.io", "v1", "networking.k8s.io/v1", true;
    /// `v1`.
    Node = "nodes", ["no"], "", "v1", "v1", false;
    /// `v1`.
    PersistentVolumeClaim = "persistentvolumeclaims", ["pvc"], "", "v1", "v1", true;
    /// `v1`.
    PersistentVolume = "persistentvolumes", ["pv"], "", "v1", "v1", false;
    /// `policy/v1`.
    PodDisruptionBudget = "poddisruptionbudgets", ["pdb"], "policy", "v1", "policy/v1", true;
    /// `v1`.
    Pod = "pods", ["po"], "", "v1", "v1", true;
    /// `v1`.
    PodTemplate = "podtemplates", [], "", "v1", "v1", true;
    /// `scheduling.k8s.io/v1`.
    PriorityClass = "priorityclasses", ["pc"], "scheduling.k8s.io", "v1", "scheduling.k8s.io/v1", false;
    /// `flowcontrol.apiserver.k8s.io/v1`.
    PriorityLevelConfiguration = "prioritylevelconfigurations", [], "flowcontrol.apiserver.k8s.io", "v1", "flowcontrol.apiserver.k8s.io/v1", false;
    /// `apps/v1`.
    ReplicaSet = "replicasets", ["rs"], "apps", "v1", "apps/v1", true;
    /// `v1`.
    ReplicationController = "replicationcontrollers", ["rc"], "", "v1", "v1", true;
    /// `resource.k8s.io/v1`.
    ResourceClaim = "resourceclaims", [], "resource.k8s.io", "v1", "resource.k8s.io/v1", true;
    /// `resource.k8s.io/v1`.
    ResourceClaimTemplate = "resourceclaimtemplates", [], "resource.k8s.io", "v1", "resource.k8s.io/v1", true;
    /// `v1`.
    ResourceQuota = "resourcequotas", ["quota"], "", "v1", "v1", true;
    /// `resource.k8s.io/v1`.
    ResourceSlice = "resourceslices", [], "resource.k8s.io", "v1", "resource.k8s.io/v1", false;
    /// `rbac.authorization.k8s.io/v1`.
    RoleBinding = "rolebindings", [], "rbac.authorization.k8s.io", "v1", "rbac.authorization.k8s.io/v1", true;
    /// `rbac.authorization.k8s.io/v1`.
    Role = "roles", [], "rbac.authorization.k8s.io", "v1", "rbac.authorization.k8s.io/v1", true;
    /// `node.k8s.io/v1`.
    RuntimeClass = "runtimeclasses", [], "node.k8s.io", "v1", "node.k8s.io/v1", false;
    /// `v1`.
    Secret = "secrets", [], "", "v1", "v1", true;
    /// `authorization.k8s.io/v1`.
    SelfSubjectAccessReview = "selfsubjectaccessreviews", [], "authorization.k8s.io", "v1", "authorization.k8s.io/v1", false;
    /// `authentication.k8s.io/v1`.
    SelfSubjectReview = "selfsubjectreviews", [], "authentication.k8s.io", "v1", "authentication.k8s.io/v1", false;
    /// `authorization.k8s.io/v1`.
    SelfSubjectRulesReview = "selfsubjectrulesreviews", [], "authorization.k8s.io", "v1", "authorization.k8s.io/v1", false;
    /// `v1`.
    ServiceAccount = "serviceaccounts", ["sa"], "", "v1", "v1", true;
    /// `networking.k8s.io/v1`.
    ServiceCIDR = "servicecidrs", [], "networking.k8s.io", "v1", "networking.k8s.io/v1", false;
    /// `v1`.
    Service = "services", ["svc"], "", "v1", "v1", true;
    /// `apps/v1`.
    StatefulSet = "statefulsets", ["sts"], "apps", "v1", "apps/v1", true;
    /// `storage.k8s.io/v1`.
    StorageClass = "storageclasses", ["sc"], "storage.k8s.io", "v1", "storage.k8s.io/v1", false;
    /// `authorization.k8s.io/v1`.
    SubjectAccessReview = "subjectaccessreviews", [], "authorization.k8s.io", "v1", "authorization.k8s.io/v1", false;
    /// `authentication.k8s.io/v1`.
    TokenReview = "tokenreviews", [], "authentication.k8s.io", "v1", "authentication.k8s.io/v1", false;
    /// `admissionregistration.k8s.io/v1`.
    ValidatingAdmissionPolicy = "validatingadmissionpolicies", [], "admissionregistration.k8s.io", "v1", "admissionregistration.k8s.io/v1", false;
    /// `admissionregistration.k8s.io/v1`.
    ValidatingAdmissionPolicyBinding = "validatingadmissionpolicybindings", [], "admissionregistration.k8s.io", "v1", "admissionregistration.k8s.io/v1", false;
    /// `admissionregistration.k8s.io/v1`.
    ValidatingWebhookConfiguration = "validatingwebhookconfigurations", [], "admissionregistration.k8s.io", "v1", "admissionregistration.k8s.io/v1", false;
    /// `storage.k8s.io/v1`.
    VolumeAttachment = "volumeattachments", [], "storage.k8s.io", "v1", "storage.k8s.io/v1", false;
    /// `storage.k8s.io/v1`.
    VolumeAttributesClass = "volumeattributesclasses", ["vac"], "storage.k8s.io", "v1", "storage.k8s.io/v1", false;
}

impl Kind {
    /// The table entry of this kind.
    pub fn info(self) -> &'static Info {
        &INFOS[self as usize]
    }

    /// The kind that a manifest's `apiVersion` and `kind` name.
    pub fn from_gvk(api_version: &str, kind: &str) -> Option<Self> {
        let api_version = if api_version == "events.k8s.io/v1" { "v1" } else { api_version };
        ALL.iter().copied().find(|k| k.info().kind == kind && k.info().api_version == api_version)
    }

    /// The kind that an owner reference names (only the group matters, not its version).
    pub fn from_owner(api_version: &str, kind: &str) -> Option<Self> {
        let group = api_version.rsplit_once('/').map_or("", |(g, _)| g);
        ALL.iter().copied().find(|k| k.info().kind == kind && k.info().group == group)
    }

    /// The kind that a learner's word means: plural, singular, short name, Kind, or
    /// `resource.group` / `resource.version.group`.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let (name, group) =
            word.split_once('.').map_or((word.as_str(), None), |(n, g)| (n, Some(g)));
        ALL.iter().copied().find(|k| {
            let i = k.info();
            let named =
                i.plural == name || i.short.contains(&name) || i.kind.eq_ignore_ascii_case(name);
            let grouped = group.is_none_or(|g| {
                g == i.group
                    || g.strip_prefix(i.version).and_then(|r| r.strip_prefix('.')) == Some(i.group)
                    || (i.kind == "Event" && g == "events.k8s.io")
            });
            named && grouped
        })
    }

    /// `statefulsets.apps`, `pods`: how the API server names the resource in messages.
    pub fn resource(self) -> Str {
        let i = self.info();
        if i.group.is_empty() {
            i.plural.into()
        } else {
            format!("{}.{}", i.plural, i.group).into()
        }
    }

    /// `statefulset.apps`, `pod`: how kubectl names the resource in messages.
    pub fn printed(self) -> Str {
        let i = self.info();
        let kind = i.kind.to_ascii_lowercase();
        if i.group.is_empty() { kind.into() } else { format!("{kind}.{}", i.group).into() }
    }

    /// Does the simulator act on objects of this kind, or are they only stored?
    pub fn simulated(self) -> bool {
        matches!(
            self,
            Self::Pod
                | Self::StatefulSet
                | Self::Deployment
                | Self::ReplicaSet
                | Self::Service
                | Self::Endpoints
                | Self::EndpointSlice
                | Self::PersistentVolume
                | Self::PersistentVolumeClaim
                | Self::StorageClass
                | Self::VolumeAttachment
                | Self::PodDisruptionBudget
                | Self::ControllerRevision
                | Self::Node
                | Self::Namespace
                | Self::ResourceQuota
                | Self::LimitRange
                | Self::Event
        )
    }
}
