//! foobar-service(5): what a service file is, and every key of it. The keys come from the table that reads them; here is
//! only how they are laid out.

use foobar_initscripts::keys::{Field, Key, SOCKET_KEYS, TOPICS};
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::name::ServiceName;

use super::section::Section;

/// The name of the page.
pub const PAGE: &str = "foobar-service";

/// What it is about, in the line that apropos(1) shows.
pub const ABOUT: &str = "the file that describes a service to foobarctl";

/// The sections of the page.
pub fn sections() -> Vec<Section> {
    let text = |title, text: &str| Section { title, text: text.to_owned() };
    let file = DEFAULT.service_file("NAME");
    let mut sections = vec![
        Section { title: "DESCRIPTION", text: format!("{file} is TOML, one key a line.\n{DESCRIPTION}") },
        text("EXAMPLES", EXAMPLES),
        text("VALUES", VALUES),
    ];
    for topic in TOPICS {
        let mut lines: String = topic.keys.iter().map(of_service).collect();
        if topic.title == "Sockets" {
            lines.push_str("The keys of a table [[socket]]:\n");
            lines.extend(SOCKET_KEYS.iter().map(|key| entry(key, None)));
        }
        sections.push(Section { title: topic.title, text: lines });
    }
    sections.push(text("PID FILES", PID_FILES));
    sections
}

/// The page as text.
pub fn text() -> String {
    let texts = sections()
        .into_iter()
        .map(|section| format!("{}\n\n{}", section.title.to_uppercase(), section.text.trim_end()));
    format!("{PAGE}(5): {ABOUT}\n\n{}", texts.collect::<Vec<_>>().join("\n\n"))
}

fn of_service(key: &Key) -> String {
    // No parse can fail here; without it the table would have no names in its defaults.
    let name = ServiceName::parse("NAME").ok();
    entry(key, name.and_then(|name| key.default(&name)))
}

/// A key: its name and the type of its value, and below it the meaning, the default and the directive.
fn entry<T>(key: &Field<T>, default: Option<String>) -> String {
    let mut about = key.meaning.to_owned();
    if let Some(default) = default.filter(|default| default != "[]") {
        about.push_str(&format!("; {default} if not given"));
    }
    if !key.directive.is_empty() {
        about.push_str(&format!(" ({}=)", key.directive));
    }
    let mut text = format!("  {} = {}\n", key.name, key.words);
    for piece in wrapped(&about, WIDTH) {
        text.push_str(&format!("      {piece}\n"));
    }
    text
}

/// What fits on a terminal of 80 columns, inside a section of man(1).
const WIDTH: usize = 66;

/// The words of a text in lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

const DESCRIPTION: &str = "\
Only program must be there. Behind a key stands in parentheses the directive of systemd.service(5), systemd.exec(5), systemd.unit(5),
systemd.kill(5) or systemd.socket(5) that means the same. An unknown key or a bad value is an error, told with line
and column.
A service is held by a supervisor, a small process that starts it, waits until it is ready, writes down what it says, starts it
again and ends it. A program of type forking that needs nothing of that holds itself: without a supervisor it costs
no process.
A file that others than root can write is not obeyed.";

const EXAMPLES: &str = "\
A program in the foreground, with an account of its own:
  program = \"/usr/bin/python3\"
  arguments = [\"/srv/app.py\", \"--port\", \"${PORT}\"]
  environment-file = [\"-/etc/default/app\"]
  user = \"www-data\"
  restart = \"on-failure\"
  ready-tcp = \"127.0.0.1:8080\"
A daemon that puts itself into the background:
  program = \"/usr/sbin/thingd\"
  type = \"forking\"
  pid-file = \"/var/run/thingd.pid\"
A program that is handed its socket, below port 1024 and without being root:
  program = \"/usr/local/bin/web\"
  type = \"notify\"
  user = \"nobody\"
  [[socket]]
  listen = \"80\"";

const VALUES: &str = "\
A time span is a number of seconds, also with a point, or text with units: us, ms, s, min, h, d, w, as in \"1min 30s\"; \"infinity\" is
no limit where there can be none.
An amount is a number, or text with K, M, G or T for powers of 1024, or \"infinity\".
A command line is text: program with its whole path, and arguments between blanks. Quotes hold words together where they begin
one, backslashes mean what they mean in C. No shell looks at it. Prefixes: - it may fail; + with the rights of the
supervisor; : variables stay.
In arguments ${NAME} is replaced by the variable of the environment, $NAME that is an argument of its own by the words of its
value, and $$ by $. In commands beside the program $MAINPID is the main process.
Conditions and asserts are looked at by foobarctl start, not when the supervisor starts a program again. All must hold; of those with
the prefix | one. The prefix ! turns one around. When a condition does not hold, the start is skipped with
exit code 0; when an assert does not, it fails with 6.
Environment files have lines NAME=value, with comments after # and ; at the begin of a line; quotes and backslashes as in
systemd.exec(5). They are read at each start and never executed.";

const PID_FILES: &str = "\
Of all types but forking, pid-file is the supervisor's: it writes its PID, and holds a lock on the file for life.
A forking program without a supervisor writes pid-file itself.
A forking program with a supervisor writes pid-file itself, if it has one, and the supervisor writes supervisor-pid-file.";
