//! What truth is: configuration and timed inputs. Everything else is replayed from them.

use serde::{Deserialize, Serialize};

use crate::config::{Config, Latency};

/// Number of the recording format; old formats stay readable.
pub const FORMAT: u32 = 1;

/// Something that a person does to the cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// A line typed into a terminal.
    Line {
        /// Terminal number, from 1.
        term: u8,
        /// What was typed.
        text: String,
    },
    /// ^C in a terminal.
    Interrupt {
        /// Terminal number.
        term: u8,
    },
    /// A file in the learner's folder gets this text.
    File {
        /// `web.yaml`.
        name: String,
        /// Its text.
        text: String,
    },
    /// A file is taken out of the learner's folder.
    Remove {
        /// `web.yaml`.
        name: String,
    },
    /// The editor that `kubectl edit` opened is closed.
    Edit {
        /// Terminal number.
        term: u8,
        /// The file's text, if it was saved.
        text: Option<String>,
    },
    /// A node stops answering.
    NodeDown {
        /// `worker-2`.
        name: String,
    },
    /// A node comes back.
    NodeUp {
        /// `worker-2`.
        name: String,
    },
    /// A client pod looks a name up (the pod is made if it is not there).
    Lookup {
        /// Pod in the default namespace.
        client: String,
        /// Name as an application would write it.
        name: String,
    },
    /// A client pod connects to the address that it remembers from its first lookup.
    Remembered {
        /// Pod in the default namespace.
        client: String,
    },
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line { term, text } => write!(f, "terminal {term}: $ {text}"),
            Self::Interrupt { term } => write!(f, "terminal {term}: ^C"),
            Self::File { name, text } => {
                write!(f, "file {name}:")?;
                text.lines().try_for_each(|line| write!(f, "\n    {line}"))
            }
            Self::Remove { name } => write!(f, "file {name} is removed"),
            Self::Edit { term, text } => {
                write!(f, "terminal {term}: the editor is closed")?;
                text.iter().flat_map(|t| t.lines()).try_for_each(|l| write!(f, "\n    {l}"))
            }
            Self::NodeDown { name } => write!(f, "node {name} goes down"),
            Self::NodeUp { name } => write!(f, "node {name} comes back"),
            Self::Lookup { client, name } => write!(f, "{client} looks {name} up"),
            Self::Remembered { client } => write!(f, "{client} uses the address that it remembers"),
        }
    }
}

/// An input and its time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Timed {
    /// Microseconds of simulated time.
    pub at: u64,
    /// What was done.
    pub input: Input,
}

/// A whole run, ready to be stored, shared and replayed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// [`FORMAT`].
    pub format: u32,
    /// Seed of the cluster.
    pub seed: u64,
    /// Number of nodes.
    pub nodes: u32,
    /// `realistic`, `recording` or `instant`.
    pub latency: String,
    /// Inputs in order.
    pub inputs: Vec<Timed>,
    /// Where the cursor stands, microseconds.
    #[serde(default)]
    pub at: u64,
}

impl Recording {
    /// Reads the JSON text of a recording.
    ///
    /// # Errors
    /// What is wrong with it; one of a later format could mean something else.
    pub fn read(json: &[u8]) -> Result<Self, String> {
        let recording: Self = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        match recording.format {
            1..=FORMAT => Ok(recording),
            other => Err(format!("its format is {other}, this version knows {FORMAT}")),
        }
    }

    /// The configuration that it was made with.
    pub fn config(&self) -> Config {
        Config {
            seed: self.seed,
            // a shared link must not be able to ask for a cluster that stalls the page
            nodes: self.nodes.clamp(1, 1000),
            latency: Latency::from_name(&self.latency).unwrap_or_default(),
            ..Config::default()
        }
    }
}
