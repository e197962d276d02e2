//! Small commands: version, cluster-info.

use crate::kubectl::args::Args;
use crate::kubectl::io::{Io, Run};
use crate::world::World;

/// `kubectl version`.
pub fn version(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    io.line("Client Version: v1.36.4\nKustomize Version: v5.8.1");
    if !args.on("client") {
        io.line("Server Version: v1.36.4");
    }
    Run::Done(0)
}

/// `kubectl cluster-info`.
pub fn cluster_info(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    io.line("Kubernetes control plane is running at https://10.96.0.1:443\nCoreDNS is running at https://10.96.0.1:443/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy\n\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    Run::Done(0)
}
