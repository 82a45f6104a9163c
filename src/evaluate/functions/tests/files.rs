//! Files, in a directory made for the test.

use serde_json::json;

use super::{Context, Value, read_file, run, run_in};

#[test]
fn files() {
    use std::os::unix::fs::symlink;

    let around = tempfile::tempdir().unwrap();
    let root = &around.path().join("root");
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    std::fs::write(around.path().join("secret"), "secret").unwrap();
    std::fs::write(root.join("abc"), "abc").unwrap();
    std::fs::write(root.join("a/x.json"), "{}").unwrap();
    std::fs::write(root.join("a/b/y.json"), "{}").unwrap();
    std::fs::write(root.join("binary"), [0xff, 0xfe]).unwrap();
    std::fs::write(root.join("large"), vec![b'a'; 4 * 1024 * 1024 + 1]).unwrap();
    symlink("../secret", root.join("out")).unwrap();
    symlink("../abc", root.join("a/link.json")).unwrap();
    symlink("..", root.join("a/up.json")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let json_files = ["a/b/y.json", "a/link.json", "a/x.json"];
    for (name, arguments, wanted) in [
        ("file", json!(["abc"]), json!("abc")),
        ("file", json!(["./a/../abc"]), json!("abc")),
        ("filebase64", json!(["binary"]), json!("//4=")),
        (
            "filesha256",
            json!(["abc"]),
            run("sha256", &json!(["abc"])).unwrap().to_json(),
        ),
        (
            "filesha512",
            json!(["abc"]),
            run("sha512", &json!(["abc"])).unwrap().to_json(),
        ),
        (
            "filebase64sha256",
            json!(["abc"]),
            run("base64sha256", &json!(["abc"])).unwrap().to_json(),
        ),
        (
            "filebase64sha512",
            json!(["abc"]),
            run("base64sha512", &json!(["abc"])).unwrap().to_json(),
        ),
        ("fileexists", json!(["abc"]), json!(true)),
        ("fileexists", json!(["nothing"]), json!(false)),
        (
            "fileset",
            json!([".", "**/*.json"]),
            json!({ "$set": json_files }),
        ),
        (
            "fileset",
            json!(["a", "*.json"]),
            json!({ "$set": ["link.json", "x.json"] }),
        ),
        (
            "fileset",
            json!(["./a/b", "*"]),
            json!({ "$set": ["y.json"] }),
        ),
        ("fileset", json!(["nothing", "*"]), json!({ "$set": [] })),
        ("basename", json!(["a/b.json"]), json!("b.json")),
        ("basename", json!(["a/"]), json!("a")),
        ("dirname", json!(["a/b/c.json"]), json!("a/b")),
        ("dirname", json!(["c.json"]), json!(".")),
        ("dirname", json!(["/c"]), json!("/")),
    ] {
        let wanted = Value::from_json(&wanted).unwrap();
        assert_eq!(
            run_in(root, name, &arguments),
            Ok(wanted),
            "{name}{arguments}"
        );
    }
    for (name, path, part) in [
        ("file", "nothing", "there is no file \"nothing\""),
        ("file", "../secret", "leads out"),
        ("file", "out", "leads out"),
        ("file", "/etc/passwd", "leads out"),
        ("file", "a", "is a directory"),
        ("file", "", "is a directory"),
        ("file", "pipe", "is a pipe"),
        ("file", "binary", "no UTF-8"),
        ("file", "large", "larger than"),
        ("file", "a\0b", "can't be opened"),
        ("fileexists", "out", "leads out"),
        ("fileexists", "pipe", "is a pipe"),
        ("filesha256", "../secret", "leads out"),
    ] {
        let error = run_in(root, name, &json!([path])).unwrap_err();
        assert_eq!(error.argument, Some(0), "{path}");
        assert!(error.message.contains(part), "{name} {path}: {error:?}");
    }
    for (path, pattern, part) in [
        ("..", "*", "leads out"),
        (".", "../*", "leads up"),
        (".", "o*", "leads out"),
        ("abc", "*", "is no directory"),
        (".", "[", "never closed"),
    ] {
        let error = run_in(root, "fileset", &json!([path, pattern])).unwrap_err();
        assert!(error.message.contains(part), "{path} {pattern}: {error:?}");
    }
    let text = read_file(&Context { root }, "abc");
    assert_eq!(text.as_deref(), Ok("abc"));
}
