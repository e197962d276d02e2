//! Links that contain a whole run: `#v1.` + base64url(deflate(JSON recording)). Everything is
//! in the fragment, so nothing is sent anywhere. Old links keep working.

use crate::base64;
use crate::recording::Recording;

/// Prefix of the fragment, with the version of the format.
pub const PREFIX: &str = "v1.";
/// Longest JSON text that a link may unfold to, bytes.
const LIMIT: usize = 4 << 20;

/// Why a link could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// It does not begin with `v1.`.
    Prefix,
    /// It has characters that base64url does not have.
    Base64,
    /// It does not unfold, or to too much.
    Deflate,
    /// It unfolds to something that is no recording.
    Recording(String),
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prefix => f.write_str("the link does not begin with #v1."),
            Self::Base64 => f.write_str("the link is damaged: it is not base64url"),
            Self::Deflate => f.write_str("the link is damaged or too large: it does not unfold"),
            Self::Recording(why) => write!(f, "the link holds no recording: {why}"),
        }
    }
}

impl std::error::Error for LinkError {}

/// The fragment of a link, without `#`.
pub fn encode(recording: &Recording) -> String {
    // the types of a recording always serialise
    let json = serde_json::to_string(recording).unwrap_or_default();
    let packed = miniz_oxide::deflate::compress_to_vec(json.as_bytes(), 9);
    format!("{PREFIX}{}", base64::encode_url(&packed))
}

/// Reads a link, a fragment with or without `#`, or a whole URL.
///
/// # Errors
/// What is wrong with it.
pub fn decode(link: &str) -> Result<Recording, LinkError> {
    let fragment = link.trim().rsplit('#').next().unwrap_or_default();
    let body = fragment.strip_prefix(PREFIX).ok_or(LinkError::Prefix)?;
    let packed = base64::decode_url(body).ok_or(LinkError::Base64)?;
    let json = miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, LIMIT)
        .map_err(|_| LinkError::Deflate)?;
    Recording::read(&json).map_err(LinkError::Recording)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{FORMAT, Input, Timed};

    fn sample() -> Recording {
        Recording {
            format: FORMAT,
            seed: 7,
            nodes: 3,
            latency: "realistic".into(),
            inputs: vec![
                Timed {
                    at: 0,
                    input: Input::File { name: "web.yaml".into(), text: "a: ü\n".into() },
                },
                Timed {
                    at: 5,
                    input: Input::Line { term: 1, text: "kubectl apply -f web.yaml".into() },
                },
            ],
            at: 9,
        }
    }

    #[test]
    fn what_goes_in_comes_out() {
        let link = encode(&sample());
        assert_eq!(decode(&link).unwrap(), sample());
        assert_eq!(decode(&format!("https://x.example/p#{link}")).unwrap(), sample());
    }

    /// A link given out by the first version: must be readable for ever.
    #[test]
    fn old_links_work() {
        let link = include_str!("../../tests/fixtures/permalink-v1.txt");
        assert_eq!(decode(link).unwrap(), sample());
    }

    #[test]
    fn damage_is_named() {
        assert_eq!(decode("#v2.abc"), Err(LinkError::Prefix));
        assert_eq!(decode("#v1.!!"), Err(LinkError::Base64));
        assert_eq!(decode("#v1.AAAA"), Err(LinkError::Deflate));
        for cut in 4..40 {
            let link = encode(&sample());
            assert!(decode(&link[..cut]).is_err());
        }
        let later = encode(&Recording { format: FORMAT + 1, ..sample() });
        assert!(matches!(decode(&later), Err(LinkError::Recording(why)) if why.contains("format")));
    }
}
