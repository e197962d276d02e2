//! What kind of cluster is simulated: size, addresses, speeds.

use crate::api::time::{MS, SECOND};
use crate::rng::Stream;
use crate::value::Str;

/// Provisioners that learners' manifests name most; the first is the simulated cluster's own.
const PROVISIONERS: [&str; 13] = [
    "disk.sim.example",
    "rancher.io/local-path",
    "k8s.io/minikube-hostpath",
    "docker.io/hostpath",
    "hostpath.csi.k8s.io",
    "pd.csi.storage.gke.io",
    "ebs.csi.aws.com",
    "disk.csi.azure.com",
    "file.csi.azure.com",
    "cinder.csi.openstack.org",
    "csi.vsphere.vmware.com",
    "driver.longhorn.io",
    "k8s-sigs.io/nfs-subdir-external-provisioner",
];

/// How long things take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Latency {
    /// Typical durations of a small real cluster, varied by the seed.
    #[default]
    Realistic,
    /// The constant durations of the recorded clusters in tests/golden.
    Recording,
    /// None at all.
    Instant,
}

impl Latency {
    /// `realistic`, `recording`, `instant`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Realistic => "realistic",
            Self::Recording => "recording",
            Self::Instant => "instant",
        }
    }

    /// The latency of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Realistic, Self::Recording, Self::Instant].into_iter().find(|l| l.name() == name)
    }
}

/// What a duration is for; the numbers are in [`Config::delay`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delay {
    /// A request of kubectl, there and back.
    Kubectl,
    /// A controller notices a change and acts.
    Controller,
    /// The scheduler notices and binds a pod.
    Schedule,
    /// Pod bound until the kubelet reports `ContainerCreating`.
    KubeletSync,
    /// `ContainerCreating` until sandbox and network are there.
    Sandbox,
    /// Pulling an image that is not on the node.
    Pull,
    /// Image there until the container runs.
    Start,
    /// A failing pull until its error.
    PullError,
    /// A container that stops when asked.
    Stop,
    /// Containers stopped until the pod object is removed.
    Cleanup,
    /// The provisioner makes a volume.
    Provision,
    /// The provisioner removes a volume.
    Unprovision,
    /// A kubelet notices that a volume has grown, and lets its file system grow.
    GrowFileSystem,
    /// A volume is attached to a node.
    Attach,
    /// A volume is detached from a node.
    Detach,
    /// A DNS question and its answer.
    Dns,
    /// A connection and its answer.
    Connect,
}

impl Delay {
    /// Its name, the label of its random stream.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 17] = [
            "Kubectl",
            "Controller",
            "Schedule",
            "KubeletSync",
            "Sandbox",
            "Pull",
            "Start",
            "PullError",
            "Stop",
            "Cleanup",
            "Provision",
            "Unprovision",
            "GrowFileSystem",
            "Attach",
            "Detach",
            "Dns",
            "Connect",
        ];
        NAMES[self as usize]
    }
}

/// Configuration of a simulated cluster. Same configuration, seed and inputs: same bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Seed of all random streams.
    pub seed: u64,
    /// Number of worker nodes.
    pub nodes: u32,
    /// Durations.
    pub latency: Latency,
    /// `node-monitor-grace-period`, microseconds.
    pub node_grace: u64,
    /// Seconds that pods tolerate an unreachable or not-ready node by default.
    pub toleration_seconds: i64,
    /// Does CoreDNS cache cluster names (clusters made before kubeadm 1.32)? TTL in seconds, 0: no.
    pub dns_cache: u32,
    /// Do volumes have to be attached to nodes (CSI with `attachRequired`)?
    pub attach: bool,
    /// Allocatable CPU of a node, in thousandths.
    pub node_cpu: i64,
    /// Allocatable memory of a node, in bytes.
    pub node_memory: i64,
    /// Largest number of pods on a node.
    pub node_pods: i64,
    /// External provisioners that run beside the cluster; a class with another one waits for ever.
    pub provisioners: Vec<Str>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            nodes: 3,
            latency: Latency::Realistic,
            node_grace: 50 * SECOND,
            toleration_seconds: 300,
            dns_cache: 0,
            attach: true,
            node_cpu: 8_000,
            node_memory: 32 << 30,
            node_pods: 110,
            provisioners: PROVISIONERS.iter().map(|p| Str::Lit(p)).collect(),
        }
    }
}

impl Config {
    /// How long `what` takes, in microseconds; drawn from `stream` where it varies.
    /// Ranges follow behaviour/pod-lifecycle.md section 10.
    pub fn delay(&self, what: Delay, stream: &mut Stream) -> u64 {
        match self.latency {
            Latency::Instant => 0,
            Latency::Recording => match what {
                Delay::Kubectl => 40 * MS,
                Delay::Controller | Delay::Schedule => 4 * MS,
                Delay::KubeletSync => 20 * MS,
                Delay::Start | Delay::PullError | Delay::Stop => 300 * MS,
                Delay::Provision | Delay::GrowFileSystem => 150 * MS,
                Delay::Unprovision => 100 * MS,
                Delay::Dns | Delay::Connect => MS,
                Delay::Sandbox | Delay::Pull | Delay::Cleanup | Delay::Attach | Delay::Detach => 0,
            },
            Latency::Realistic => {
                let (low, high) = match what {
                    Delay::Kubectl => (40, 90),
                    Delay::Controller => (10, 50),
                    Delay::Schedule => (5, 50),
                    Delay::KubeletSync => (100, 500),
                    Delay::Sandbox => (300, 1000),
                    Delay::Pull => (1000, 4000),
                    Delay::Start => (50, 200),
                    Delay::PullError => (800, 1500),
                    Delay::Stop => (300, 1200),
                    Delay::Cleanup => (50, 300),
                    Delay::Provision => (500, 2500),
                    Delay::Unprovision => (200, 1000),
                    // with the pod's next regular sync
                    Delay::GrowFileSystem => (5_000, 60_000),
                    Delay::Attach => (700, 2500),
                    Delay::Detach => (500, 2000),
                    Delay::Dns => (150, 300),
                    Delay::Connect => (150, 300),
                };
                stream.range(low * MS, high * MS)
            }
        }
    }
}
