//! Configurations meant to harm: each is refused with a diagnostic, in time, without a panic, a
//! signal or a byte of what isn't the configuration's to read.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::workspace::Workspace;

/// How long `validate` may take on anything.
const LIMIT: Duration = Duration::from_secs(30);
/// Enough for the machine that runs the tests, and little enough to notice a bomb.
const MEMORY_KIB: &str = "4000000";

const START: &str = "provider \"vault\" {\n  address = \"http://127.0.0.1:1\"\n}\n";

/// Runs `validate` under a limit of memory and time.
fn validate(workspace: &Workspace) -> (Option<i32>, String) {
    let inner = workspace.command(&["validate"]);
    let mut command = std::process::Command::new("/bin/sh");
    command
        .args([
            "-c",
            "ulimit -v \"$1\"; shift; exec \"$@\"",
            "sh",
            MEMORY_KIB,
        ])
        .arg(inner.get_program())
        .arg("validate")
        .current_dir(workspace.path())
        .env_clear()
        .env("NO_COLOR", "1")
        .env("HOME", workspace.path())
        .env("HOSTILE_SECRET", "c4n4ry-hostile")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let readers = [
        std::thread::spawn({
            let mut out = child.stdout.take().unwrap();
            move || read(&mut out)
        }),
        std::thread::spawn({
            let mut out = child.stderr.take().unwrap();
            move || read(&mut out)
        }),
    ];
    // Twice the limit: then it is ended, so that the test says so.
    while child.try_wait().unwrap().is_none() && started.elapsed() < LIMIT * 2 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = started.elapsed();
    let _ = child.kill();
    let status = child.wait().unwrap();
    let told: String = readers.map(|reader| reader.join().unwrap()).concat();
    let code = if took < LIMIT { status.code() } else { None };
    (code, told)
}

fn read(from: &mut dyn std::io::Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn check(what: &str, workspace: &Workspace, wrong: &mut Vec<String>) {
    let (code, told) = validate(workspace);
    let shown: String = told.chars().take(600).collect();
    let is_raw = told.chars().any(|c| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    if code != Some(1)
        || !told.contains("error")
        || told.contains("panicked")
        || told.contains("mistake in remit")
        || told.contains("root:x:0")
        || told.len() > 200_000
        || is_raw
    {
        wrong.push(format!(
            "{what}: {code:?}, {} bytes, raw: {is_raw}\n{shown}",
            told.len()
        ));
    }
}

fn refused(all: Vec<(&str, String)>) {
    let mut wrong = Vec::new();
    for (what, text) in all {
        let started = Instant::now();
        check(what, &Workspace::new(&text), &mut wrong);
        println!("{what}: {:?}", started.elapsed());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}

#[test]
fn nesting_and_length() {
    let million = 1_000_000;
    let mut all = Vec::new();
    for open in [
        "(",
        "[",
        "{ a = ",
        "\"${",
        "!",
        "-",
        "a ? b : ",
        "[for a in ",
        "a.",
        "a[0]",
        "f(",
        "<<E\n${",
        "1 + ",
        "a || ",
    ] {
        all.push((open, format!("locals {{\n  x = {}", open.repeat(million))));
    }
    all.push(("blocks", "a {\n".repeat(million)));
    all.push((
        "directives",
        format!("locals {{ x = \"{}\" }}", "%{if true}".repeat(million)),
    ));
    all.push(("closing", "}".repeat(million)));
    all.push(("comment", format!("/*{}", "/*".repeat(million))));
    all.push(("attributes", "x = 1\n".repeat(million / 4)));
    all.push((
        "an operator chain",
        format!("locals {{\n  x = 1{}\n}}\n", " + 1".repeat(million)),
    ));
    refused(all);
}

#[test]
fn expansion() {
    let mut laughs = String::from("locals {\n  l0 = [\"ha\", \"ha\"]\n");
    let mut texts = String::from("locals {\n  t0 = \"hahahahaha\"\n");
    for level in 1..60 {
        writeln!(laughs, "  l{level} = [local.l{0}, local.l{0}]", level - 1).unwrap();
        writeln!(
            texts,
            "  t{level} = \"${{local.t{0}}}${{local.t{0}}}\"",
            level - 1
        )
        .unwrap();
    }
    laughs.push_str("  end = jsonencode(local.l59)\n}\noutput \"o\" {\n  value = local.end\n}\n");
    texts.push_str("}\noutput \"o\" {\n  value = local.t59\n}\n");
    let mut chain = String::from("locals {\n  c0 = 1\n");
    for link in 1..100_000 {
        writeln!(chain, "  c{link} = local.c{} + 1", link - 1).unwrap();
    }
    chain.push_str("}\noutput \"o\" {\n  value = local.c99999\n}\n");
    let mut circle = String::from("locals {\n");
    for link in 0..5_000 {
        writeln!(circle, "  c{link} = local.c{}", (link + 1) % 5_000).unwrap();
    }
    circle.push_str("}\n");
    let out = |expression: &str| format!("output \"o\" {{\n  value = {expression}\n}}\n");
    let each = "[for a in range(1000000) : tostring(a)]";
    refused(vec![
        ("laughs", laughs),
        ("texts", texts),
        ("a chain", chain),
        ("a circle", circle),
        ("itself", "locals {\n  x = local.x\n}\n".into()),
        (
            "two",
            "locals {\n  x = local.y\n  y = [local.x]\n}\n".into(),
        ),
        ("range", out("range(1000000000)")),
        ("range backwards", out("range(0, -1000000000, -1)")),
        ("range of nothing", out("range(0, 10, 0)")),
        ("range of fractions", out("range(0, 1, 0.0000000001)")),
        ("format", out("format(\"%1000000000s\", \"a\")")),
        ("format precisely", out("format(\"%.1000000000f\", 1)")),
        (
            "loops",
            out("[for a in range(10000) : [for b in range(10000) : [for c in range(10000) : c]]]"),
        ),
        (
            "setproduct",
            out("setproduct(range(10000), range(10000), range(10000))"),
        ),
        (
            "replace",
            out("replace(join(\"\", range(100000)), \"/0*/\", join(\"\", range(100000)))"),
        ),
        ("a pattern", out("regex(\"(a{1000}){1000}{1000}\", \"a\")")),
        ("a power", out("pow(10, 1000000000)")),
        ("division", out("5 % 0 + 1 / 0")),
        (
            "many keys",
            format!(
                "{START}owner \"o\" {{\n  for_each = toset({each})\n  contact  = each.key\n}}\n"
            ),
        ),
    ]);
}

#[test]
fn names_and_references() {
    let owner = |label: &str| format!("{START}owner \"{label}\" {{\n  contact = \"a@b.c\"\n}}\n");
    let prefix = |prefix: &str| {
        format!("{START}remit {{\n  naming {{\n    prefix = \"{prefix}\"\n  }}\n}}\n")
    };
    let policy = |name: &str| {
        format!(
            "{START}resource \"vault_policy\" \"p\" {{\n  name   = \"{name}\"\n  policy = \"\"\n}}\n"
        )
    };
    let mut all = vec![
        ("a slash", owner("a/b")),
        ("up", owner("..")),
        ("a control", owner("a\\u0007b")),
        ("an escape", owner("a\\u001b[31mb")),
        ("bidi", owner("a\u{202e}b")),
        ("bidi escaped", owner("a\\u202eb")),
        ("nothing", owner("")),
        ("a prefix with a slash", prefix("a/../")),
        ("a prefix with an escape", prefix("\\u001b]0;x")),
        (
            "a policy with a slash up",
            policy("../../auth/token/create"),
        ),
        ("a policy with an escape", policy("a\\u001b[2Jb")),
        ("a policy with a line", policy("a\\nb")),
        ("a policy of ours by another case", policy("ROOT")),
        (
            "a file above",
            "output \"o\" {\n  value = file(\"../../etc/passwd\")\n}\n".into(),
        ),
        (
            "a file at the root",
            "output \"o\" {\n  value = file(\"/etc/passwd\")\n}\n".into(),
        ),
        (
            "a file by a device",
            "output \"o\" {\n  value = file(\"/dev/zero\")\n}\n".into(),
        ),
    ];
    let blocks = (0..100_000).fold(String::from(START), |mut text, number| {
        write!(text, "agent \"a{number}\" {{\n  owner = owner.none\n}}\n").unwrap();
        text
    });
    all.push(("many blocks", blocks));
    let misspelt = (0..20_000).fold(format!("{START}locals {{\n"), |mut text, number| {
        writeln!(text, "  a{number} = local.b{number}").unwrap();
        text
    });
    all.push(("many misspelt names", format!("{misspelt}}}\n")));
    refused(all);
}

/// Every command that takes a file is given a pipe whose other end never comes.
#[test]
fn a_pipe_in_place_of_a_file_is_refused_at_once() {
    let space = Workspace::new(START);
    let pipe = space.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, pipe, rustix::fs::Mode::RUSR).unwrap();
    let folder = space.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let inside = folder.join("x.remit.hcl");
    rustix::fs::mkfifoat(rustix::fs::CWD, inside, rustix::fs::Mode::RUSR).unwrap();
    for arguments in [
        &["fmt", "pipe"][..],
        &["fmt", "--check", "folder"],
        &["show", "pipe"],
        &["show", "--json", "pipe"],
        &["apply", "pipe"],
        &["validate", "--var-file", "pipe"],
    ] {
        let mut child = space
            .command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() && started.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("no plain file"), "{arguments:?}: {told}");
    }
}

#[test]
fn files() {
    let mut wrong = Vec::new();
    let make = || Workspace::new(START);

    let space = make();
    let file = std::fs::File::create(space.path().join("big.remit.hcl")).unwrap();
    file.set_len(20_000_000_000).unwrap();
    check("20 GB", &space, &mut wrong);

    let space = make();
    let pipe = std::process::Command::new("mkfifo")
        .arg(space.path().join("pipe.remit.hcl"))
        .status()
        .unwrap();
    assert!(pipe.success());
    check("a pipe", &space, &mut wrong);

    for target in [
        "/etc/passwd",
        "/dev/zero",
        "link.remit.hcl",
        "nowhere",
        "/proc/self/environ",
    ] {
        let space = make();
        std::os::unix::fs::symlink(target, space.path().join("link.remit.hcl")).unwrap();
        check(target, &space, &mut wrong);
        let space = make();
        std::os::unix::fs::symlink(target, space.path().join("data")).unwrap();
        space.write(
            "o.remit.hcl",
            "output \"o\" {\n  value = file(\"data\")\n}\n",
        );
        check(&format!("file() of a link to {target}"), &space, &mut wrong);
    }

    let space = make();
    std::fs::create_dir(space.path().join("folder.remit.hcl")).unwrap();
    check("a folder", &space, &mut wrong);

    let space = make();
    std::fs::write(space.path().join("bytes.remit.hcl"), b"x = \"\xff\xfe\"\n").unwrap();
    check("no UTF-8", &space, &mut wrong);

    let space = make();
    let name = std::ffi::OsStr::from_bytes(b"\xff\x1b[31m.remit.hcl");
    std::fs::write(space.path().join(name), b"").unwrap();
    check("a name that is no UTF-8", &space, &mut wrong);

    let space = make();
    space.write("\u{1b}[31mred\u{202e}.remit.hcl", "wrong\n");
    check("a name with an escape", &space, &mut wrong);

    let space = make();
    for number in 0..3_000 {
        space.write(&format!("f{number}.remit.hcl"), "");
    }
    check("many files", &space, &mut wrong);

    let space = make();
    space.write("a.remit.hcl", &"# x\n".repeat(1_900_000));
    for number in 0..12 {
        let copy = space.path().join(format!("b{number}.remit.hcl"));
        std::fs::hard_link(space.path().join("a.remit.hcl"), copy).unwrap();
    }
    check("much in all", &space, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}
