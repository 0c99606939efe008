//! The command line of insserv, as getopt_long(3) reads it there: options in any order, long ones shortened as
//! far as they stay clear, the last of several counts. One table says what there is; help follows from it.
//!
//! Read by hand: to build a parser takes longer than to put a hundred scripts in order, and more memory.

use std::ffi::OsString;
use std::fmt::Write as _;

/// What the command line says.
#[derive(Debug, Default)]
pub struct Options {
    /// `-r`
    pub remove: bool,
    /// `-f`
    pub force: bool,
    /// How often `-v` was given.
    pub verbose: u8,
    /// `-q`
    pub silent: bool,
    /// `-i`
    pub insserv_dir: Option<String>,
    /// `-p`
    pub path: Option<String>,
    /// `-o`
    pub overrides: Option<String>,
    /// `-c`
    pub config: Option<String>,
    /// `-n`
    pub dry_run: bool,
    /// `-s`
    pub show_all: bool,
    /// `-d`
    pub default: bool,
    /// `-u`
    pub upstart_job: Option<String>,
    /// `-e`
    pub recursive: bool,
    /// Scripts by name or path, NAME,start=2,3,stop=0 with runlevels; or the directory of the scripts.
    pub scripts: Vec<String>,
}

/// Why the command line says nothing that could be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// Help was asked for: this text.
    Help(String),
    /// It cannot be understood: a sentence.
    Wrong(String),
}

/// What an option does.
#[derive(Clone, Copy)]
enum Effect {
    Help,
    Flag(fn(&mut Options)),
    /// The word for its value, and where that goes.
    Value(&'static str, fn(&mut Options) -> &mut Option<String>),
}

/// An option.
struct Known {
    short: u8,
    long: &'static str,
    alias: Option<&'static str>,
    effect: Effect,
    about: &'static str,
}

const fn flag(short: u8, long: &'static str, set: fn(&mut Options), about: &'static str) -> Known {
    Known { short, long, alias: None, effect: Effect::Flag(set), about }
}

const fn value(
    short: u8,
    long: &'static str,
    word: &'static str,
    slot: fn(&mut Options) -> &mut Option<String>,
    about: &'static str,
) -> Known {
    Known { short, long, alias: None, effect: Effect::Value(word, slot), about }
}

const KNOWN: [Known; 14] = [
    flag(b'r', "remove", |o| o.remove = true, "Remove the links of the scripts"),
    flag(
        b'f',
        "force",
        |o| o.force = true,
        "Go on where a required service is missing or scripts wait for each other",
    ),
    flag(b'v', "verbose", |o| o.verbose = o.verbose.saturating_add(1), "Say on standard error what is done"),
    flag(b'q', "silent", |o| o.silent = true, "Give no warnings"),
    value(
        b'i',
        "insserv-dir",
        "DIR",
        |o| &mut o.insserv_dir,
        "Directory for startpar's files, instead of that of the scripts",
    ),
    value(b'p', "path", "DIR", |o| &mut o.path, "Directory of the scripts, instead of /etc/init.d"),
    value(
        b'o',
        "override",
        "DIR",
        |o| &mut o.overrides,
        "Directory of headers that replace those of scripts, instead of /etc/insserv/overrides",
    ),
    value(
        b'c',
        "config",
        "FILE",
        |o| &mut o.config,
        "File that says what facilities stand for, instead of /etc/insserv.conf; FILE.d belongs to it",
    ),
    Known {
        alias: Some("dryrun"),
        ..flag(b'n', "dry-run", |o| o.dry_run = true, "Touch nothing, only say what would be done")
    },
    Known {
        alias: Some("showall"),
        ..flag(
            b's',
            "show-all",
            |o| o.show_all = true,
            "Touch nothing, and print the number and the runlevels of every script",
        )
    },
    flag(b'd', "default", |o| o.default = true, "Give linked scripts the runlevels of their headers, too"),
    value(b'u', "upstart-job", "FILE", |o| &mut o.upstart_job, "Refused: there is no upstart"),
    flag(b'e', "recursive", |o| o.recursive = true, "Refused: name all scripts that are to be enabled"),
    Known { short: b'h', long: "help", alias: None, effect: Effect::Help, about: "Print this" },
];

const BEFORE: &str = "\
Brings the links of init scripts, and startpar's files, into the order that their LSB headers ask for.
This is foobarctl, called by the name insserv.

Usage: insserv [OPTIONS] [SCRIPT]...

SCRIPT is the name or path of a script, NAME,start=2,3,stop=0 with runlevels; or the directory of the scripts.

";

const AFTER: &str = "
Exit status: 0 when the links are in order, 1 when nothing was done and the reason was said.
See insserv(8) of the package insserv for headers and configuration, and foobarctl(8).";

/// Reads the command line, without the name of the program.
///
/// # Errors
/// Bad usage; and help, which nothing can be done with either.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, Told> {
    let mut options = Options::default();
    let mut words = arguments.into_iter().map(text);
    while let Some(word) = words.next() {
        let word = word?;
        if word == "--" {
            for script in words {
                options.scripts.push(script?);
            }
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, given) = match long.split_once('=') {
                Some((name, given)) => (name, Some(given.to_owned())),
                None => (long, None),
            };
            let known = find(name)?;
            let shown = || format!("--{}", known.long);
            match (known.effect, given) {
                (Effect::Value(_, slot), given) => {
                    *slot(&mut options) = Some(filled(given.map(Ok).or_else(|| words.next()), shown)?);
                }
                (_, Some(_)) => return Err(wrong(format!("{} takes no value", shown()))),
                (Effect::Flag(set), None) => set(&mut options),
                (Effect::Help, None) => return Err(Told::Help(help())),
            }
        } else if word.len() > 1 && word.starts_with('-') {
            short(&word[1..], &mut options, &mut words)?;
        } else {
            options.scripts.push(word);
        }
    }
    Ok(options)
}

/// The letters behind one hyphen.
fn short(
    letters: &str,
    options: &mut Options,
    words: &mut impl Iterator<Item = Result<String, Told>>,
) -> Result<(), Told> {
    for (at, letter) in letters.char_indices() {
        let known = KNOWN.iter().find(|known| char::from(known.short) == letter);
        match known.ok_or_else(|| unknown(&format!("-{letter}")))?.effect {
            Effect::Help => return Err(Told::Help(help())),
            Effect::Flag(set) => set(options),
            Effect::Value(_, slot) => {
                let rest = Some(&letters[at + 1..]).filter(|rest| !rest.is_empty());
                let given = rest.map(|rest| Ok(rest.to_owned())).or_else(|| words.next());
                *slot(options) = Some(filled(given, || format!("-{letter}"))?);
                break;
            }
        }
    }
    Ok(())
}

/// The option of a long name that may be shortened.
fn find(name: &str) -> Result<&'static Known, Told> {
    let is = |known: &&Known, fits: fn(&str, &str) -> bool| {
        fits(known.long, name) || known.alias.is_some_and(|alias| fits(alias, name))
    };
    if let Some(exact) = KNOWN.iter().find(|known| is(known, |whole, name| whole == name)) {
        return Ok(exact);
    }
    let mut all = KNOWN.iter().filter(|known| is(known, |whole, name| whole.starts_with(name)));
    match (all.next(), all.next()) {
        (Some(known), None) => Ok(known),
        (Some(one), Some(other)) => {
            Err(wrong(format!("--{name} may be --{} or --{}: write more of it", one.long, other.long)))
        }
        (None, _) => Err(unknown(&format!("--{name}"))),
    }
}

/// A value that is there and not empty.
fn filled(given: Option<Result<String, Told>>, shown: impl Fn() -> String) -> Result<String, Told> {
    match given.transpose()?.filter(|given| !given.is_empty()) {
        Some(given) => Ok(given),
        None => Err(wrong(format!("{} wants a value", shown()))),
    }
}

fn text(word: OsString) -> Result<String, Told> {
    word.into_string().map_err(|word| wrong(format!("{word:?} is not UTF-8: use another name")))
}

fn unknown(option: &str) -> Told {
    wrong(format!("there is no option {option}"))
}

fn wrong(what: String) -> Told {
    Told::Wrong(format!("{what}; insserv --help tells the options"))
}

fn help() -> String {
    let mut text = BEFORE.to_owned();
    for Known { short, long, effect, about, .. } in &KNOWN {
        let word = match effect {
            Effect::Value(word, _) => format!(" {word}"),
            Effect::Help | Effect::Flag(_) => String::new(),
        };
        let left = format!("-{}, --{long}{word}", char::from(*short));
        // A string takes all that is written to it.
        let _ = writeln!(text, "  {left:24} {about}");
    }
    text + AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, Told> {
        parse(line.split(' ').skip(1).map(OsString::from))
    }

    #[test]
    fn no_two_options_have_one_name() {
        let names = || KNOWN.iter().flat_map(|known| [Some(known.long), known.alias]).flatten();
        for known in &KNOWN {
            assert_eq!(KNOWN.iter().filter(|other| other.short == known.short).count(), 1, "{}", known.long);
            assert_eq!(names().filter(|name| *name == known.long).count(), 1, "{}", known.long);
            assert!(help().contains(&format!("--{}", known.long)));
        }
    }

    #[test]
    fn options_are_read_as_getopt_does() {
        let options = parsed("insserv a -fv --dry --dryrun -v b -pone --path=two --show -- -c").unwrap();
        assert!(options.force && options.dry_run && options.show_all && !options.remove);
        assert_eq!((options.verbose, options.path.as_deref()), (2, Some("two")));
        assert_eq!(options.scripts, ["a", "b", "-c"]);
        let options = parsed("insserv a -q b c d").unwrap();
        assert!(options.silent && options.scripts == ["a", "b", "c", "d"]);
        let options = parsed("insserv a -p b c d -").unwrap();
        assert_eq!((options.path.as_deref(), options.scripts.join(" ")), (Some("b"), "a c d -".to_owned()));
        assert_eq!(parsed("insserv a b c").unwrap().scripts, ["a", "b", "c"]);
        let options =
            parsed("insserv -p -x --insserv-dir -y --conf=z --over /o --rem --rec -f -f -vnu=").unwrap();
        assert_eq!(options.path.as_deref(), Some("-x"));
        assert_eq!(options.insserv_dir.as_deref(), Some("-y"));
        assert_eq!((options.config.as_deref(), options.overrides.as_deref()), (Some("z"), Some("/o")));
        assert!(options.remove && options.recursive && options.force && options.dry_run);
        assert_eq!(options.upstart_job.as_deref(), Some("="));
        for bad in ["-x", "--re", "--nonsense", "-p", "--path=", "-V", "--version", "-c", "--force=1", "-fü"]
        {
            assert!(matches!(parsed(&format!("insserv {bad}")), Err(Told::Wrong(_))), "{bad}");
        }
        for asked in ["-h", "--he", "-fh"] {
            assert!(matches!(parsed(&format!("insserv {asked} a")), Err(Told::Help(_))), "{asked}");
        }
    }

    #[test]
    fn what_is_no_text_is_told() {
        use std::os::unix::ffi::OsStringExt as _;
        let told = parse([OsString::from_vec(vec![0xff])]).unwrap_err();
        let Told::Wrong(text) = told else { panic!("{told:?}") };
        assert!(text.contains("is not UTF-8"), "{text}");
    }
}
