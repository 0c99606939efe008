//! Environment files and variables in arguments.

use foobar_initscripts::execute::{Expanded, expand, matches, parse_environment};

/// Text of a file, and what is in it as `NAME=value`.
const FILES: &[(&str, &[&str])] = &[
    ("", &[]),
    ("A=b\nC=d", &["A=b", "C=d"]),
    ("  A = b  \t\n", &["A=b"]),
    ("# A=b\n; C=d\n\nE=f", &["E=f"]),
    ("A=\nB", &["A="]),
    ("A='it is # \"so\" $X\\'\n", &["A=it is # \"so\" $X\\"]),
    ("A=\"a\\\"b\\\\c\\$d\\`e\\nf\"", &["A=a\"b\\c$d`e\\nf"]),
    ("A=\"two\nlines\"", &["A=two\nlines"]),
    ("A=\"joined \\\nline\"", &["A=joined line"]),
    ("A=b \\\n c", &["A=b  c"]),
    ("A=b\\ \n", &["A=b "]),
    ("A=a b c", &["A=a b c"]),
    ("A=\"b\" 'c'", &["A=bc"]),
    ("A=it's", &["A=it's"]),
    ("A=$(id) `id` $B ${C}", &["A=$(id) `id` $B ${C}"]),
    ("A=1\nA=2", &["A=1", "A=2"]),
    ("# comment \\\nA=b", &["A=b"]),
    ("A=b\r\nC=d\r\n", &["A=b", "C=d"]),
    ("A=b#c", &["A=b#c"]),
    ("A==b", &["A==b"]),
];

#[test]
fn files_are_parsed_and_not_sourced() {
    for (text, wanted) in FILES {
        let (variables, _) = parse_environment(text.as_bytes());
        let found: Vec<String> = variables.iter().map(ToString::to_string).collect();
        assert_eq!(found, *wanted, "{text:?}");
    }
}

#[test]
fn what_does_not_count_is_told_with_its_line() {
    let text = b"A=1\nexport B=2\nC\n1D=3\nE=\xff\nF=\0\n\nG=\"x\ny";
    let (variables, ignored) = parse_environment(text);
    let found: Vec<String> = variables.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["A=1"]);
    let told: Vec<(usize, &str)> = ignored.iter().map(|it| (it.line, it.why.as_str())).collect();
    assert_eq!(
        told,
        [
            (2, "'export B' is no name of a variable"),
            (3, "it has no '='"),
            (4, "'1D' is no name of a variable"),
            (5, "its value is not UTF-8"),
            (6, "its value has a NUL character"),
            (8, "its quote is not closed"),
        ]
    );
}

fn expanded(words: &[&str]) -> Expanded {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    expand(&words, |name| match name {
        "ONE" => Some("one"),
        "TWO" => Some(" a  'b c' d\\ e \"\" "),
        "EMPTY" => Some(""),
        _ => None,
    })
}

#[test]
fn variables_are_replaced_as_systemd_does() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["$ONE"], &["one"]),
        (&["${ONE}"], &["one"]),
        (&["x${ONE}y${ONE}"], &["xoneyone"]),
        (&["$TWO", "z"], &["a", "b c", "d e", "", "z"]),
        (&["${TWO}"], &[" a  'b c' d\\ e \"\" "]),
        (&["$EMPTY"], &[]),
        (&["${EMPTY}"], &[""]),
        (&["$NONE", "${NONE}x"], &["x"]),
        (&["x$ONE", "$ONE-x"], &["x$ONE", "$ONE-x"]),
        (&["$$ONE", "$${ONE}", "$$", "$"], &["$ONE", "${ONE}", "$", "$"]),
        (&["$(id)", "`id`", "${", "${}", "${a b}", "$1"], &["$(id)", "`id`", "${", "${}", "${a b}", "$1"]),
        (&["", "ü$"], &["", "ü$"]),
    ];
    for (words, wanted) in cases {
        assert_eq!(expanded(words).arguments, *wanted, "{words:?}");
    }
    assert_eq!(expanded(&["$NONE", "${ALSO}", "$ONE"]).unset, ["NONE", "ALSO"]);
}

#[test]
fn patterns_match_as_fnmatch_does() {
    let cases = [
        ("*", "", true),
        ("a*c", "abbc", true),
        ("a*c", "abbd", false),
        ("?b", "ab", true),
        ("?", "", false),
        ("[a-c]x", "bx", true),
        ("[!a-c]x", "bx", false),
        ("[]]x", "]x", true),
        ("[ab", "[ab", true),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("*a*b*c*", "xxaxxbxxcxx", true),
        ("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ("web-*", "web-1", true),
    ];
    for (pattern, name, wanted) in cases {
        assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
    }
}
