//! The header parser's quirks, one by one, and what is written is read again.

use foobar_initscripts::lsb::{Header, Trouble, parse, render};
use foobar_initscripts::name::Runlevels;

use crate::random::Random;

fn read(lines: &str) -> (Header, Vec<(u32, String)>) {
    let text = format!("#!/bin/sh\n### BEGIN INIT INFO\n{lines}### END INIT INFO\n# Provides: later\n");
    let (header, found) = parse(text.as_bytes());
    let shown = found.into_iter().filter(|d| !matches!(d.trouble, Trouble::Missing(_)));
    (header, shown.map(|d| (d.line, d.trouble.to_string())).collect())
}

#[test]
fn lists_end_at_the_first_empty_word() {
    let (header, found) = read("# Provides: a  b\n# Required-Start: x, y\n# Required-Stop: x,y;z\n");
    assert_eq!(header.provides, ["a"]);
    assert_eq!(header.required_start, ["x"]);
    assert_eq!(header.required_stop, ["x", "y", "z"]);
    let lines: Vec<u32> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4]);
    assert!(found[0].1.contains("\"b\" is lost"), "{found:?}");
}

#[test]
fn runlevels_are_single_words() {
    let (header, found) = read("# Default-Start: 2345\n# Default-Stop: 0  1, 6 S\n");
    assert!(header.default_start.is_empty());
    assert_eq!(header.default_stop, Runlevels::parse("016S").unwrap());
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("\"2345\" is not a runlevel"), "{found:?}");
}

#[test]
fn keys_in_all_their_spellings() {
    let (header, _) = read(
        "#provides:a\n#\tREQUIRED_START: b\n# X-SuSE-Should-Start: c\n# x_start--before: d\n\
         # Stop-After: e\n# X-Interactive: true\n# Should-stop:\tf\n",
    );
    assert_eq!(header.provides, ["a"]);
    assert_eq!(header.required_start, ["b"]);
    assert_eq!(header.should_start, ["c"]);
    assert_eq!(header.start_before, ["d"]);
    assert_eq!(header.stop_after, ["e"]);
    assert_eq!(header.should_stop, ["f"]);
    assert!(header.interactive);
    let (header, found) = read("# Required-Start : b\n# X-Required-Start: c\n# Colour: red\n");
    assert!(header.required_start.is_empty());
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn the_first_of_a_key_counts_and_values_end_early() {
    let (header, found) =
        read("# Provides: a\n# Provides: b\n# Should-Start: x\ty\n# X-Interactive: true \n");
    assert_eq!(header.provides, ["a"]);
    assert_eq!(header.should_start, ["x"], "a tab is not printable for insserv");
    assert!(!header.interactive);
    assert!(found.iter().any(|(line, text)| *line == 4 && text.contains("only the first")), "{found:?}");
}

#[test]
fn descriptions_go_on() {
    let (header, found) =
        read("# Short-Description: short\n# Description: one\n#  two\n#\tthree\n# X-Note: x\n#  four\n");
    assert_eq!(header.short_description, "short");
    assert_eq!(header.description, "one\ntwo\nthree");
    assert_eq!(found, [(8, Trouble::Stray.to_string())]);
}

#[test]
fn blocks_without_an_end() {
    assert_eq!(parse(b"#!/bin/sh\n").1[0].trouble, Trouble::NoHeader);
    let (header, found) = parse(b"### BEGIN INIT INFO\n# Provides: a\n");
    assert_eq!(header.provides, ["a"]);
    assert!(found.iter().any(|d| d.line == 1 && d.trouble == Trouble::NoEnd));
    let _ = parse(&[0xff; 10_000]);
    let _ = parse(b"### BEGIN INIT INFO\n#\0:\n# :\n#:\n:\n\n");
}

#[test]
fn what_is_written_is_read_again() {
    let mut random = Random::new(7);
    for _ in 0..2_000 {
        let header = some_header(&mut random);
        let text = render(&header);
        let (read, found) = parse(text.as_bytes());
        assert_eq!(read, header, "{text}");
        let real = found.iter().filter(|d| !matches!(d.trouble, Trouble::Overlap(_) | Trouble::NoName));
        assert_eq!(real.count(), 0, "{text}\n{found:?}");
        assert!(
            text.lines()
                .all(|line| line.starts_with("# ") || line.starts_with("###") || line.starts_with("#  "))
        );
    }
}

#[test]
fn nothing_written_breaks_out_of_the_block() {
    let evil = "x\n### END INIT INFO\nrm -rf / #\r\0### BEGIN INIT INFO";
    let header = Header {
        provides: vec![evil.to_owned()],
        short_description: evil.to_owned(),
        description: evil.to_owned(),
        ..Header::default()
    };
    let text = render(&header);
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    assert_eq!(text.matches("### END INIT INFO").count(), 1, "{text}");
}

fn some_header(random: &mut Random) -> Header {
    let mut words = || {
        (0..random.below(4))
            .map(|_| random.pick(&["a", "b-c", "$network", "+d", "e_f.g"]).to_owned())
            .collect()
    };
    let (provides, required_start, required_stop, should_start) = (words(), words(), words(), words());
    let (should_stop, start_before, stop_after) = (words(), words(), words());
    let mut levels = || Runlevels::parse(random.pick(&["", "2345", "S", "016", "3"])).unwrap();
    let (default_start, default_stop) = (levels(), levels());
    let description = random.pick(&["", "one", "one\ntwo", "one\ntwo: three\nfour"]).to_owned();
    Header {
        provides,
        required_start,
        required_stop,
        should_start,
        should_stop,
        start_before,
        stop_after,
        default_start,
        default_stop,
        interactive: random.one_in(2),
        short_description: random.pick(&["", "what it is"]).to_owned(),
        description,
    }
}
