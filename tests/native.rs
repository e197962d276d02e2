//! The stories on this machine; tests/web.rs plays them in a browser.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod stories;

#[test]
fn the_three_stories_have_their_fingerprint() {
    let found = format!("{:016x}", stories::play());
    if std::env::var("UPDATE_FINGERPRINT").is_ok() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/fingerprint.txt");
        std::fs::write(file, format!("{found}\n")).unwrap();
        return;
    }
    assert_eq!(
        found,
        stories::FINGERPRINT.trim(),
        "history changed: look why, then UPDATE_FINGERPRINT=1"
    );
}

#[test]
fn every_moment_can_be_gone_to() {
    stories::seek_is_replay();
}
