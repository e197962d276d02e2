//! Manifests of the official tutorials that learners apply by address: our own texts, which
//! behave like them (tests/tutorials). Nothing is fetched.

macro_rules! examples {
    ($($folder:literal: $($name:literal)*;)*) => {
        /// Path below `examples/application`, and the text.
        const EXAMPLES: &[(&str, &str)] = &[$($((
            concat!($folder, "/", $name, ".yaml"),
            include_str!(concat!("../../../static/examples/tutorial/", $name, ".yaml")),
        )),*),*];
    };
}

examples! {
    "web": "web" "web-parallel";
    "mysql": "mysql-configmap" "mysql-services" "mysql-statefulset";
    "cassandra": "cassandra-service" "cassandra-statefulset";
    "zookeeper": "zookeeper";
}

/// Sites that have the examples, and the folder there.
const SITES: &[&str] = &[
    "k8s.io/",
    "kubernetes.io/",
    "www.kubernetes.io/",
    "raw.githubusercontent.com/kubernetes/website/",
    "github.com/kubernetes/website/",
];

/// The text at an address (without `https://`) of the documentation's examples, in any language
/// and of any version.
pub fn at(address: &str) -> Option<&'static str> {
    let rest = SITES.iter().find_map(|s| address.strip_prefix(s))?;
    let path = rest.strip_prefix("examples/").or_else(|| Some(rest.split_once("/examples/")?.1))?;
    let path = path.strip_prefix("application/")?;
    EXAMPLES.iter().find(|(p, _)| *p == path).map(|(_, text)| *text)
}

/// The addresses as the tutorials write them.
pub fn addresses() -> impl Iterator<Item = String> {
    EXAMPLES.iter().map(|(path, _)| format!("https://k8s.io/examples/application/{path}"))
}
