//! What the parser reads.

use super::*;

#[test]
fn open_and_wrong() {
    for t in
        ["echo 'a", "for i in 1 2; do echo", "a &&", "cat <<EOF\nx", "if true; then", "$(", "a |"]
    {
        assert!(matches!(parse(t), Err(Problem::Open(_))), "{t}: {:?}", parse(t));
    }
    for (t, token) in
        [("done", "done"), ("a ;; b", ";;"), ("| a", "|"), ("a )", ")"), ("for 1 in", "1")]
    {
        assert_eq!(parse(t), Err(Problem::Unexpected(token.to_owned())), "{t}");
    }
    for t in [
        "",
        "# x",
        "a; b",
        "! a | b",
        "a # c",
        "{ a; }",
        "(a; b)",
        "a\n\nb\n",
        "cat <<EOF\nx\nEOF\n",
    ] {
        assert!(parse(t).is_ok(), "{t}: {:?}", parse(t));
    }
}
