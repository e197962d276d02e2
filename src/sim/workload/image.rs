//! Kinds of programs, told by image names, and the files that their images bring.

use crate::kubelet::images::base;
use crate::storage::fs::{Node, Tree};
use crate::value::Str;

/// What kind of program an image holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// nginx.
    Nginx,
    /// Apache httpd.
    Httpd,
    /// Answers HTTP with its own host name.
    Echo,
    /// MySQL, MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgres,
    /// Redis, Valkey.
    Redis,
    /// etcd.
    Etcd,
    /// ZooKeeper.
    ZooKeeper,
    /// MongoDB.
    Mongo,
    /// Cassandra.
    Cassandra,
    /// A small system with a shell: busybox, alpine, debian.
    Shell,
    /// Listens on nothing: pause.
    Silent,
    /// Anything else.
    Other,
}

impl Family {
    /// Ports that the program listens on if nothing else is said.
    pub fn ports(self) -> &'static [i64] {
        match self {
            Self::Nginx | Self::Httpd => &[80],
            Self::Echo => &[8080, 80, 9376],
            Self::Mysql => &[3306],
            Self::Postgres => &[5432],
            Self::Redis => &[6379],
            Self::Etcd => &[2379, 2380],
            Self::ZooKeeper => &[2181, 2888, 3888],
            Self::Mongo => &[27_017],
            Self::Cassandra => &[7000, 9042],
            Self::Shell | Self::Silent | Self::Other => &[],
        }
    }

    /// Does it answer HTTP?
    pub fn speaks_http(self) -> bool {
        matches!(self, Self::Nginx | Self::Httpd | Self::Echo | Self::Other)
    }

    /// Where a web server's documents lie.
    pub fn document_root(self) -> Option<&'static str> {
        match self {
            Self::Nginx => Some("/usr/share/nginx/html"),
            Self::Httpd => Some("/usr/local/apache2/htdocs"),
            _ => None,
        }
    }

    /// Where its data lies.
    pub fn data_directory(self) -> Option<&'static str> {
        match self {
            Self::Mysql => Some("/var/lib/mysql"),
            Self::Postgres => Some("/var/lib/postgresql/data"),
            Self::Redis => Some("/data"),
            Self::Mongo => Some("/data/db"),
            Self::Cassandra => Some("/var/lib/cassandra"),
            Self::ZooKeeper => Some("/data"),
            Self::Etcd => Some("/var/lib/etcd"),
            _ => self.document_root(),
        }
    }
}

/// Words in image names, the first that fits wins.
const WORDS: &[(&str, Family)] = &[
    ("nginx", Family::Nginx),
    ("httpd", Family::Httpd),
    ("apache", Family::Httpd),
    ("echo", Family::Echo),
    ("hostname", Family::Echo),
    ("whoami", Family::Echo),
    ("hello", Family::Echo),
    ("agnhost", Family::Echo),
    ("mysql", Family::Mysql),
    ("mariadb", Family::Mysql),
    ("percona", Family::Mysql),
    ("xtrabackup", Family::Other),
    ("postgres", Family::Postgres),
    ("spilo", Family::Postgres),
    ("redis", Family::Redis),
    ("valkey", Family::Redis),
    ("etcd", Family::Etcd),
    ("zookeeper", Family::ZooKeeper),
    ("k8szk", Family::ZooKeeper),
    ("mongo", Family::Mongo),
    ("cassandra", Family::Cassandra),
    ("pause", Family::Silent),
];

/// Images that are a system with a shell and nothing more.
const SHELLS: &[&str] = &[
    "busybox",
    "alpine",
    "debian",
    "ubuntu",
    "centos",
    "fedora",
    "bash",
    "curl",
    "dnsutils",
    "jessie-dnsutils",
    "netshoot",
    "toybox",
    "debian-base",
    "rockylinux",
    "almalinux",
];

/// The kind of program in an image.
pub fn family(image: &str) -> Family {
    let name = base(image);
    if SHELLS.contains(&name) {
        return Family::Shell;
    }
    WORDS.iter().find(|(word, _)| name.contains(word)).map_or(Family::Other, |(_, f)| *f)
}

/// Programs that a family of images brings as files, without a leading slash: taken away, they
/// are not found any more.
fn programs(image: &str) -> &'static [&'static str] {
    match family(image) {
        Family::Nginx => &["usr/sbin/nginx"],
        // MariaDB has MySQL's names no more
        Family::Mysql if base(image) == "mariadb" && !image.contains(":10.") => {
            &["usr/bin/mariadb", "usr/bin/mariadb-admin", "usr/sbin/mariadbd"]
        }
        Family::Mysql => &["usr/bin/mysql", "usr/bin/mysqladmin", "usr/sbin/mysqld"],
        Family::Redis => &["usr/local/bin/redis-cli", "usr/local/bin/redis-server"],
        Family::Etcd => &["usr/local/bin/etcdctl", "usr/local/bin/etcd"],
        Family::ZooKeeper => &[
            "usr/bin/zkCli.sh",
            "usr/bin/zkServer.sh",
            "usr/bin/zookeeper-ready",
            "usr/bin/start-zookeeper",
        ],
        Family::Cassandra => &["usr/local/apache-cassandra/bin/nodetool", "ready-probe.sh"],
        _ if base(image).contains("xtrabackup") => &["usr/bin/mysql", "usr/bin/mysqladmin"],
        _ => &[],
    }
}

/// Where an image has a program; none if no image brings one of that name as a file.
pub fn program_file(image: &str, program: &str) -> Option<&'static str> {
    programs(image).iter().find(|p| p.rsplit('/').next() == Some(program)).copied()
}

/// The files of an image that a learner may look for.
pub fn image_files(image: &str) -> Tree {
    let mut tree = Tree::new();
    let mut file = |path: &'static str, content: &'static str| {
        tree.insert(Str::Lit(path), Node::File(Str::Lit(content)));
    };
    let family = family(image);
    match family {
        Family::Nginx => {
            file("usr/share/nginx/html/index.html", NGINX_PAGE);
            file("usr/share/nginx/html/50x.html", NGINX_ERROR_PAGE);
            file("etc/nginx/nginx.conf", NGINX_CONF);
        }
        Family::Httpd => {
            file(
                "usr/local/apache2/htdocs/index.html",
                "<html><body><h1>It works!</h1></body></html>\n",
            );
        }
        _ => {}
    }
    for path in programs(image) {
        file(path, "");
    }
    let system = match base(image) {
        "alpine" => "NAME=\"Alpine Linux\"\nID=alpine\n",
        "ubuntu" => "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n",
        "busybox" => "",
        _ => "NAME=\"Debian GNU/Linux\"\nID=debian\n",
    };
    if !system.is_empty() {
        file("etc/os-release", system);
    }
    if family != Family::Silent {
        let users = match base(image) {
            "busybox" => BUSYBOX_USERS,
            "alpine" => ALPINE_USERS,
            _ => DEBIAN_USERS,
        };
        file("etc/passwd", users);
    }
    if let Some(dir) = family.data_directory() {
        tree.entry(Str::Lit(&dir[1..])).or_insert(Node::Dir);
    }
    tree
}

const NGINX_PAGE: &str = "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n<p>The page that the image brings along.</p>\n</body>\n</html>\n";
const NGINX_ERROR_PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>Error</title></head>\n<body><h1>An error occurred.</h1></body>\n</html>\n";
const NGINX_CONF: &str = "events {}\nhttp {\n    server {\n        listen 80;\n        root /usr/share/nginx/html;\n    }\n}\n";

const BUSYBOX_USERS: &str = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\nsys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/spool/mail:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\noperator:x:37:37:Operator:/var:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n";
const ALPINE_USERS: &str = "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\ndaemon:x:2:2:daemon:/sbin:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n";
const DEBIAN_USERS: &str = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nsys:x:3:3:sys:/dev:/usr/sbin/nologin\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
