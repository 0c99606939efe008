//! The command line of insserv, as getopt_long(3) reads it there: options in any order, long ones shortened as
//! far as they stay clear, the last of several counts.

use std::ffi::OsString;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Parser};

/// Brings the links of init scripts, and startpar's files, into the order that their LSB headers ask for.
///
/// This is foobarctl, called by the name insserv.
#[derive(Debug, Parser)]
#[command(name = "insserv", disable_version_flag = true, infer_long_args = true, args_override_self = true)]
#[command(after_help = AFTER)]
pub struct Options {
    /// Remove the links of the scripts
    #[arg(short, long)]
    pub remove: bool,
    /// Go on where a required service is missing or scripts wait for each other
    #[arg(short, long)]
    pub force: bool,
    /// Say on standard error what is done
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Give no warnings
    #[arg(short = 'q', long)]
    pub silent: bool,
    /// Directory for startpar's files, instead of that of the scripts
    #[arg(short, long, value_name = "DIR", value_parser = value(), allow_hyphen_values = true)]
    pub insserv_dir: Option<String>,
    /// Directory of the scripts, instead of /etc/init.d
    #[arg(short, long, value_name = "DIR", value_parser = value(), allow_hyphen_values = true)]
    pub path: Option<String>,
    /// Directory of headers that replace those of scripts, instead of /etc/insserv/overrides
    #[arg(short, long = "override", value_name = "DIR", value_parser = value(), allow_hyphen_values = true)]
    pub overrides: Option<String>,
    /// File that says what facilities stand for, instead of /etc/insserv.conf; FILE.d belongs to it
    #[arg(short, long, value_name = "FILE", value_parser = value(), allow_hyphen_values = true)]
    pub config: Option<String>,
    /// Touch nothing, only say what would be done
    #[arg(short = 'n', long, alias = "dryrun")]
    pub dry_run: bool,
    /// Touch nothing, and print the number and the runlevels of every script
    #[arg(short, long, alias = "showall")]
    pub show_all: bool,
    /// Give linked scripts the runlevels of their headers, too
    #[arg(short, long)]
    pub default: bool,
    /// Refused: there is no upstart
    #[arg(short, long, value_name = "FILE", value_parser = value(), allow_hyphen_values = true)]
    pub upstart_job: Option<String>,
    /// Refused: name all scripts that are to be enabled
    #[arg(short = 'e', long)]
    pub recursive: bool,
    /// Scripts by name or path, NAME,start=2,3,stop=0 with runlevels; or the directory of the scripts
    #[arg(value_name = "SCRIPT")]
    pub scripts: Vec<String>,
}

const AFTER: &str = "\
Exit status: 0 when the links are in order, 1 when nothing was done and the reason was said.
See insserv(8) of the package insserv for headers and configuration, and foobarctl(8).";

fn value() -> NonEmptyStringValueParser {
    NonEmptyStringValueParser::new()
}

/// Reads the command line.
///
/// # Errors
/// Bad usage, and also help, which clap treats as an error that prints to standard output.
pub fn parse(mut arguments: Vec<OsString>) -> Result<Options, clap::Error> {
    // Behind the last option and its value there are scripts alone. There may be thousands, and clap takes for each ten
    // times the room of its name.
    let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    let last = arguments.iter().rposition(is_option).unwrap_or(0);
    let plain = arguments.split_off((last + 2).min(arguments.len()));
    if let Some(strange) = plain.iter().find(|word| word.to_str().is_none()) {
        arguments.push(strange.clone());
    }
    let mut options = Options::try_parse_from(arguments)?;
    options.scripts.extend(plain.into_iter().filter_map(|word| word.into_string().ok()));
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, clap::Error> {
        parse(line.split(' ').map(OsString::from).collect())
    }

    #[test]
    fn the_definition_is_consistent() {
        <Options as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn options_are_read_as_getopt_does() {
        let options = parsed("insserv a -fv --dry --dryrun -v b -pone --path=two --show -- -c").unwrap();
        assert!(options.force && options.dry_run && options.show_all && !options.remove);
        assert_eq!((options.verbose, options.path.as_deref()), (2, Some("two")));
        assert_eq!(options.scripts, ["a", "b", "-c"]);
        let options = parsed("insserv a -q b c d").unwrap();
        assert!(options.silent && options.scripts == ["a", "b", "c", "d"]);
        let options = parsed("insserv a -p b c d").unwrap();
        assert_eq!(
            (options.path.as_deref(), &options.scripts[..]),
            (Some("b"), &["a", "c", "d"].map(String::from)[..])
        );
        assert_eq!(parsed("insserv a b c").unwrap().scripts, ["a", "b", "c"]);
        let options = parsed("insserv -p -x --insserv-dir -y --conf=z --over /o --rem --rec -f -f").unwrap();
        assert_eq!(options.path.as_deref(), Some("-x"));
        assert_eq!(options.insserv_dir.as_deref(), Some("-y"));
        assert_eq!((options.config.as_deref(), options.overrides.as_deref()), (Some("z"), Some("/o")));
        assert!(options.remove && options.recursive && options.force);
        for bad in ["-x", "--re", "--nonsense", "-p", "--path=", "-V", "--version", "-c"] {
            assert!(parsed(&format!("insserv {bad}")).is_err(), "{bad}");
        }
    }
}
