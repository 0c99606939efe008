//! The arguments of the bench, and nothing done with them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::load::Mode;

/// What `--help` says.
pub const USAGE: &str = "\
usage: cargo bench -p foobard --bench models -- [--quick] [--model NAME] [--rounds N] [--load WORD] [--clients N]
                                                  [--peers] [--svg FILE] [--save FILE] [--draw FILE]
                                                  [--foobard FILE]

  --quick        fewer and shorter points, for a look within a minute: no 10,000 clients
  --model NAME   this process model only, and no peers; may be given several times
  --rounds N     how often the servers of a point take turns (15; take 40 or more to judge a point: see its remark)
  --load WORD    only short or only held connections, and nothing else
  --clients N    only so many clients at once; may be given several times, in ascending order
  --peers        the tables of other servers only
  --svg FILE     where the graph is written (default: models.svg in the target directory's tmp)
  --save FILE    add what the graph is drawn from to this file, for a measurement in parts
  --draw FILE    measure nothing and draw the graph from such a file
  --foobard FILE measure this program instead of building what is shipped, to compare two of them";

/// What is to be measured.
#[derive(Debug)]
pub struct Options {
    /// The graph.
    pub svg: PathBuf,
    /// Where the points are added.
    pub save: Option<PathBuf>,
    /// What is drawn instead of a measurement.
    pub draw: Option<PathBuf>,
    /// The program to measure, if not the shipped one.
    pub foobard: Option<PathBuf>,
    /// The models asked for; empty means all of them, and the peers.
    pub models: Vec<String>,
    /// Whether only the peers are asked for.
    pub peers: bool,
    /// The one load asked for, short or held; none means both.
    pub load: Option<String>,
    /// How many clients at once, ascending.
    pub clients: Vec<usize>,
    /// The same for the tables of peers, most of which serve no more at a time.
    pub peer_clients: Vec<usize>,
    /// How long and how often.
    pub times: Times,
}

/// The length of a point.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Load before anything is counted.
    pub warm: Duration,
    /// Load that is counted, in each round of few clients.
    pub window: Duration,
    /// How often the servers of a point take turns.
    pub rounds: usize,
}

impl Times {
    /// How long a crowd of so many asks, before it counts and then. A large one takes its time to begin, and where connections
    /// are held that time is over when each has had its turn several times: before, those count that happened to come first.
    #[must_use]
    pub fn of(&self, clients: usize, mode: Mode) -> (Duration, Duration) {
        let times = match mode {
            Mode::Held if clients > THRONG => 20,
            _ if clients > MANY => 3,
            _ => 1,
        };
        (self.warm * times, self.window * times)
    }
}

/// More clients than these have longer rounds.
const MANY: usize = 100;

/// More than these take longer for one turn of all than other rounds last.
const THRONG: usize = 1000;

// Many short rounds stand disturbances of the machine better than few long ones: what counts is their median.
const FULL: Times = Times { warm: Duration::from_millis(20), window: Duration::from_millis(100), rounds: 15 };
const QUICK: Times = Times { warm: Duration::from_millis(20), window: Duration::from_millis(100), rounds: 2 };

impl Options {
    /// Reads them. `Ok(None)`: help was asked for.
    ///
    /// # Errors
    /// What is wrong, and the usage.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
        let svg = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models.svg");
        let clients: &[usize] = &[1, 10, 100, 1_000, 10_000];
        let mut options = Options {
            svg,
            save: None,
            draw: None,
            foobard: None,
            models: Vec::new(),
            load: None,
            peers: false,
            clients: clients.to_vec(),
            peer_clients: clients[..3].to_vec(),
            times: FULL,
        };
        let mut arguments = arguments;
        let mut only = Vec::new();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n\n{USAGE}"));
            match argument.as_str() {
                "--quick" => {
                    options.clients = clients[..4].to_vec();
                    options.peer_clients = clients[..2].to_vec();
                    options.times = QUICK;
                }
                "--model" => options.models.push(value()?),
                "--peers" => options.peers = true,
                "--rounds" => {
                    options.times.rounds = number(&argument, &value()?)?;
                }
                "--clients" => only.push(number(&argument, &value()?)?),
                "--load" => {
                    let word = value()?;
                    if !["short", "held"].contains(&word.as_str()) {
                        return Err(format!("--load {word}: say short or held\n\n{USAGE}"));
                    }
                    options.load = Some(word);
                }
                "--svg" => options.svg = callers(&value()?),
                "--save" => options.save = Some(callers(&value()?)),
                "--draw" => options.draw = Some(callers(&value()?)),
                "--foobard" => options.foobard = Some(callers(&value()?)),
                "--help" | "-h" => return Ok(None),
                // Cargo adds this one to every bench.
                "--bench" => {}
                unknown => return Err(format!("unknown argument {unknown}\n\n{USAGE}")),
            }
        }
        if !only.is_empty() {
            (options.clients, options.peer_clients) = (only.clone(), only);
        }
        Ok(Some(options))
    }

    /// Whether this load, short or held, is to be put on the servers.
    #[must_use]
    pub fn loads(&self, word: &str) -> bool {
        self.load.as_deref().is_none_or(|load| load == word)
    }

    /// Whether `model` is to be measured.
    #[must_use]
    pub fn wants(&self, model: &str) -> bool {
        (self.models.is_empty() && !self.peers) || self.models.iter().any(|name| name == model)
    }
}

fn number(option: &str, value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| format!("{option} {value}: not a number\n\n{USAGE}"))
}

/// Cargo runs a bench in the directory of its package; a relative path is meant from where the caller stands,
/// which the shell has left in PWD.
fn callers(path: &str) -> PathBuf {
    std::env::var_os("PWD").map(PathBuf::from).unwrap_or_default().join(path)
}
