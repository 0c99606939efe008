//! Writes a header that insserv, chkconfig and update-rc.d read alike: one blank after `#`, single blanks in
//! lists, runlevels one by one, the demanded keys even if empty.

use std::fmt::Write as _;

use super::header::Header;

/// The block with both its ends, each line with its newline. Optional keys that are empty are left out.
///
/// ```
/// use foobar_initscripts::lsb::{Header, parse, render};
/// let header = Header { provides: vec!["foobar".into()], ..Header::default() };
/// assert_eq!(parse(render(&header).as_bytes()).0, header);
/// ```
#[must_use]
pub fn render(header: &Header) -> String {
    let mut text = String::from("### BEGIN INIT INFO\n");
    let mut line = |key: &str, value: &str, demanded: bool| {
        let label = format!("# {key}:");
        if !value.is_empty() {
            let _ = writeln!(text, "{label:<20} {value}");
        } else if demanded {
            let _ = writeln!(text, "{label}");
        }
    };
    let list = |words: &[String]| {
        let clean: Vec<String> = words.iter().map(|word| on_one_line(word)).collect();
        clean.join(" ")
    };
    line("Provides", &list(&header.provides), true);
    line("Required-Start", &list(&header.required_start), true);
    line("Required-Stop", &list(&header.required_stop), true);
    line("Should-Start", &list(&header.should_start), false);
    line("Should-Stop", &list(&header.should_stop), false);
    line("X-Start-Before", &list(&header.start_before), false);
    line("X-Stop-After", &list(&header.stop_after), false);
    line("Default-Start", &header.default_start.to_string(), true);
    line("Default-Stop", &header.default_stop.to_string(), true);
    line("X-Interactive", if header.interactive { "true" } else { "" }, false);
    line("Short-Description", &on_one_line(&header.short_description), false);
    let mut paragraphs = header.description.lines().map(on_one_line);
    line("Description", &paragraphs.next().unwrap_or_default(), false);
    for more in paragraphs.filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "#  {more}");
    }
    text.push_str("### END INIT INFO\n");
    text
}

/// Without control characters, which would end a value or a line of the script.
fn on_one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // The end marker inside a description would cut the block short.
    plain.trim().replace("###", "#")
}
