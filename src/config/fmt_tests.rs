//! Layouts that someone looked at, and properties of all of them.

use proptest::prelude::*;
use regex::Regex;

use super::*;

fn formatted(text: &str) -> String {
    format(text, FileId(0)).unwrap_or_else(|found| panic!("{text}\n{found:?}"))
}

const MESSY: &str = r#"

remit{
required_version=">= 0.1"
   state "local"{ path=".remit" }  # here


}
# about the agent
agent   "a"   {

  owner=owner.payments# who
    purpose   =   "x  y"     // what for
  /* inline */ x /* y */=1+2*-3   /* z */
  long_attribute_name = [1,2 , 3,]
  nested = [
  "a",    # first
      "bbbbbb",  # second
  { a=1,b : 2 }
      ,
  ]
  after = f ( x , y... )
  text = <<-EOT
     keep   this ${ x+1 }
  EOT
  last = !  a  &&b||c ? - 1:d [ 0 ] . e . * . f



  o = {
    "k"=1
    longer : 2
    (x)=3
    kkkk = { }
  }
  l = [ # why
   for k , v in  x:v if v!=null ]
  m={for k,v in (x):k=>v...}
  called = call(([{
    a=1
  }]))
  math = (
  a
  - b
  *- c
  )
  grant "vault" {
    path="x"
      capabilities=["read"]
	/* a comment
  of lines */
  }

}

"#;

const TIDY: &str = r#"remit {
  required_version = ">= 0.1"
  state "local" { path = ".remit" } # here
}
# about the agent
agent "a" {
  owner   = owner.payments # who
  purpose = "x  y"         // what for
  /* inline */ x /* y */ = 1 + 2 * -3 /* z */
  long_attribute_name = [1, 2, 3,]
  nested = [
    "a",      # first
    "bbbbbb", # second
    { a = 1, b: 2 }
    ,
  ]
  after = f(x, y...)
  text = <<-EOT
     keep   this ${ x+1 }
  EOT
  last = !a && b || c ? -1 : d[0].e.*.f

  o = {
    "k" = 1
    longer: 2
    (x)  = 3
    kkkk = {}
  }
  l = [ # why
    for k, v in x : v if v != null]
  m = { for k, v in (x) : k => v... }
  called = call(([{
    a = 1
  }]))
  math = (
    a
    - b
    * -c
  )
  grant "vault" {
    path         = "x"
    capabilities = ["read"]
    /* a comment
  of lines */
  }
}
"#;

#[test]
fn a_messy_file_becomes_tidy() {
    assert_eq!(formatted(MESSY), TIDY);
    assert_eq!(formatted(TIDY), TIDY);
}

#[test]
fn small_things() {
    for (text, expected) in [
        ("", ""),
        ("\n\n", ""),
        ("# only\n\n\n# comments", "# only\n\n# comments\n"),
        ("a=1\r\nb=2  \r\n", "a = 1\nb = 2\n"),
        ("\u{feff}a=1", "a = 1\n"),
        (
            "a=1 .x\nb=x.0.1\nc=x.0 .1",
            "a = 1 .x\nb = x.0.1\nc = x.0 .1\n",
        ),
        ("a=-(-1)- -b", "a = -(-1) - -b\n"),
        ("a=!!b", "a = !!b\n"),
        ("a=b?c:{d:e}", "a = b ? c : { d: e }\n"),
        ("a={d:b?c:e}", "a = { d: b ? c : e }\n"),
        ("a=[b?c:d]", "a = [b ? c : d]\n"),
        ("a=x[*].y -1", "a = x[*].y - 1\n"),
        ("a=x.*-1", "a = x.* - 1\n"),
        ("a {}\nb{ }\n", "a {}\nb {}\n"),
        ("a \"x\" y{b=1}\n", "a \"x\" y { b = 1 }\n"),
        (
            "short=1\n\nmuch_longer=2\n",
            "short = 1\n\nmuch_longer = 2\n",
        ),
        ("a = <<E\r\nx\r\nE\r\nb=1\r\n", "a = <<E\r\nx\r\nE\nb = 1\n"),
        ("a=1#x\n# y\nlong=2 #z\n", "a = 1 #x\n# y\nlong = 2 #z\n"),
        ("a={ # c\nb=1 }\n", "a = { # c\n  b = 1 }\n"),
    ] {
        assert_eq!(formatted(text), expected, "{text:?}");
        assert_eq!(formatted(expected), expected, "{text:?}");
    }
}

#[test]
fn what_does_not_parse_is_refused() {
    let found = format("a = [1\n", FileId(7)).unwrap_err();
    assert_eq!(found[0].span.unwrap().file, FileId(7));
}

/// The tree without its places.
fn tree(text: &str) -> String {
    let parsed = crate::config::parse(text, FileId(0)).unwrap();
    let places = Regex::new(r"Span \{[^}]*\}").unwrap();
    places
        .replace_all(
            &std::format!("{:?} {:?}", parsed.attributes, parsed.blocks),
            "_",
        )
        .into_owned()
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    let once = match format(text, FileId(0)) {
        Ok(once) => once,
        Err(found) => {
            let internal = found.iter().any(|one| one.summary.contains("layout"));
            prop_assert!(!internal, "{text:?}");
            return Ok(());
        }
    };
    let again = format(&once, FileId(0));
    prop_assert_eq!(again.as_ref(), Ok(&once), "from {:?}", text);
    prop_assert_eq!(tree(text), tree(&once), "from {:?}", text);
    Ok(())
}

/// White space on one line.
fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", " ", "  ", "\t", " /* c */ "])
}

/// White space that may hold a line ending, inside of brackets.
fn wide() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\r\n",
        " # c\n",
        "\n\n\n",
        "/* c\n d */",
    ])
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "2.5e3",
        "true",
        "null",
        "x",
        "a.b",
        "a[0]",
        "a.0.1",
        "a[*].b",
        "a.*.b",
        "\"\"",
        "\"a  ${ b  }\"",
        "\"%{ if x ~} y %{ endif }\"",
        "f()",
        "\"$${a}\"",
        "<<E\n a ${ b }\nE\n",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||",
        ]);
        prop_oneof![
            (inner.clone(), space(), operator, space(), inner.clone())
                .prop_map(|(a, s, o, t, b)| std::format!("{a}{s}{o}{t}{b}")),
            (inner.clone(), space(), space()).prop_map(|(a, s, t)| std::format!("-{s}{t}{a}")),
            (inner.clone(), space()).prop_map(|(a, s)| std::format!("!{s}{a}")),
            (inner.clone(), wide(), wide()).prop_map(|(a, s, t)| std::format!("({s}{a}{t})")),
            (
                inner.clone(),
                space(),
                inner.clone(),
                space(),
                inner.clone()
            )
                .prop_map(|(a, s, b, t, c)| std::format!("{a}{s}?{t}{b}{s}:{t}{c}")),
            (prop::collection::vec((inner.clone(), wide(), wide()), 0..4)).prop_map(|all| {
                let items = all.iter().map(|(a, s, t)| std::format!("{s}{a}{t}"));
                std::format!("[{}]", items.collect::<Vec<_>>().join(","))
            }),
            (prop::collection::vec((inner.clone(), wide()), 0..4)).prop_map(|all| {
                let items = all.iter().map(|(a, s)| std::format!("{s}{a}"));
                std::format!("f({})", items.collect::<Vec<_>>().join(","))
            }),
            (prop::collection::vec((inner.clone(), space(), prop::bool::ANY), 0..4)).prop_map(
                |all| {
                    let items = all.iter().enumerate().map(|(index, (a, s, colon))| {
                        std::format!("{s}k{index}{s}{}{s}{a}", if *colon { ":" } else { "=" })
                    });
                    std::format!("{{{}}}", items.collect::<Vec<_>>().join(",\n"))
                }
            ),
            (inner.clone(), wide(), inner.clone(), inner.clone())
                .prop_map(|(a, s, b, c)| std::format!("[{s}for x, y in {a}{s}:{b} if {c}]")),
            (inner.clone(), wide(), inner.clone(), inner)
                .prop_map(|(a, s, b, c)| std::format!("{{for x in {a}{s}:{b}=>{c}...{s}}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn layouts_keep_the_tree_and_are_final(
        expressions in prop::collection::vec((expression(), space(), space()), 1..5),
        comments in prop::collection::vec(prop::sample::select(vec!["", " # c", "// c ", "\n\n", "\n# c\n"]), 5),
    ) {
        let attributes: Vec<String> = expressions
            .iter()
            .zip(&comments)
            .enumerate()
            .map(|(index, ((value, s, t), comment))| {
                std::format!("{s}{}{index}{s}={t}{value}{comment}\n", "a".repeat(index + 1))
            })
            .collect();
        let text = attributes.concat();
        holds(&text)?;
        holds(&std::format!("b  \"l\"{{\n{text}}}\n"))?;
    }

    #[test]
    fn any_text_is_laid_out_or_refused(
        text in "(a|b|=| |\n|\\{|\\}|\\(|\\)|\\[|\\]|1|\\.|,|:|\\?|-|\"|\\$\\{|#|/\\*|\\*/|<<E\n|E\n|for|in|!){0,25}",
    ) {
        holds(&text)?;
    }
}
