//! The page of figures: its format, its numbers, and how it lives with reloads and bad clients.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use foobar_process::Signal;
use foobar_tests::until;

use crate::support::{LIMIT, Setup, client, exchange, own_address, request};

/// What the server at `stream` answers to a GET of the page.
fn get(mut stream: impl Read + Write) -> (String, String) {
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    (head.to_owned(), body.to_owned())
}

/// The samples of a page, by their names with labels; fails if the page is not in the text format.
fn samples(page: &str) -> HashMap<String, f64> {
    let mut types: HashMap<&str, &str> = HashMap::new();
    let mut found = HashMap::new();
    let mut helped = "";
    for line in page.strip_suffix('\n').expect("the last line has its end").split('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped = rest.split_once(' ').expect("a text of help").0;
            assert!(!types.contains_key(helped), "{helped} stands twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, helped, "TYPE follows its HELP");
            assert!(["gauge", "counter", "histogram"].contains(&kind), "{line}");
            types.insert(name, kind);
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line:?}"));
            let bare = name.split('{').next().unwrap();
            assert!(bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{line}");
            assert!(bare == helped || types[helped] == "histogram" && bare.starts_with(helped), "{line}");
            assert_eq!(name.contains('{'), name.ends_with('}'), "{line}");
            assert!(found.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} stands twice");
        }
    }
    found
}

#[test]
fn the_page_is_in_the_text_format_and_tells_what_happened() {
    let page_at = own_address();
    let extra = format!("metrics = \"{page_at}\"\nmodel = \"prefork\"\nname = \"a.b-c\"");
    let setup = Setup::new("page", &extra);
    let daemon = setup.start();
    assert!(setup.logged("started").contains(&format!("figures at {page_at}")));
    for _ in 0..7 {
        request(&setup.address, b"12345");
    }
    let mut open = daemon.connect();
    exchange(&mut open, b"x");
    let found = until("eight that ended", LIMIT, || {
        let (head, body) = get(client(&page_at));
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
        let found = samples(&body);
        // Seven, and the one that asked whether the server is up.
        (found["foobard_duration_seconds_count{server=\"a.b-c\"}"] == 8.0).then_some(found)
    });
    let value = |name: &str| found[&format!("foobard_{name}{{server=\"a.b-c\"}}")];
    assert_eq!((value("accepted_total"), value("received_bytes_total")), (9.0, 35.0));
    assert_eq!((value("connections"), value("workers_started_total")), (1.0, 4.0));
    assert!(value("duration_seconds_sum") > 0.0);
    let mut last = 0.0;
    for exponent in 0..35 {
        let bound = f64::from(2_u32).powi(exponent) / 1e6;
        let now = found[&format!("foobard_duration_seconds_bucket{{server=\"a.b-c\",le=\"{bound}\"}}")];
        assert!(now >= last, "bucket {bound} is below the one before");
        last = now;
    }
    assert_eq!(found["foobard_duration_seconds_bucket{server=\"a.b-c\",le=\"+Inf\"}"], 8.0);
    let workers =
        |activity: &str| found[&format!("foobard_workers{{server=\"a.b-c\",activity=\"{activity}\"}}")];
    assert_eq!(workers("idle") + workers("reading") + workers("serving"), 4.0);
    assert_eq!(found["foobard_generation"], 1.0);
    assert!(!found.keys().any(|name| name.contains("(metrics)")), "the server of figures counts itself");
    daemon.stop();
    setup.nothing_left();
}

#[test]
fn figures_go_on_over_reloads_and_the_page_can_come_and_go() {
    let setup = Setup::new("page-reload", "");
    let daemon = setup.start();
    request(&setup.address, b"12345");
    let path = setup.path("figures.sock");
    let extra = format!("metrics = \"unix:{}\"", path.display());
    setup.configure(&extra);
    let page = || samples(&get(UnixStream::connect(&path).unwrap()).1);
    for generation in 2..5 {
        daemon.signal(Signal::SIGHUP);
        setup.logged(&format!("configuration reloaded: generation {generation}"));
        let found = until("the page of this generation", LIMIT, || {
            let found = page();
            (found["foobard_generation"] == f64::from(generation)).then_some(found)
        });
        assert!(found["foobard_received_bytes_total{server=\"main\"}"] >= 5.0);
    }
    setup.configure("");
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded: generation 5");
    until("the end of the page", LIMIT, || UnixStream::connect(&path).err());
    request(&setup.address, b"still served");
    daemon.stop();
}

#[test]
fn bad_clients_of_the_page_harm_nobody() {
    let page_at = own_address();
    let setup = Setup::new("page-bad", &format!("metrics = \"{page_at}\""));
    let daemon = setup.start();
    let mut endless = client(&page_at);
    // Hung up on after 8 KiB, whatever comes.
    while endless.write_all(&[b'x'; 1024]).is_ok() {}
    let mut silent: Vec<TcpStream> = (0..3).map(|_| client(&page_at)).collect();
    request(&setup.address, b"meanwhile");
    silent[0].write_all(b"GET / HTTP/1.1\r\n").unwrap();
    drop(silent.split_off(1));
    drop(silent);
    let (head, _) = get(client(&page_at));
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    daemon.stop();
}

#[test]
fn the_page_must_have_an_address_of_its_own() {
    let setup = Setup::new("page-same", "");
    setup.configure(&format!("metrics = \"{}\"", setup.address));
    setup.must_fail(&mut setup.command(), 6, "metrics");
}
