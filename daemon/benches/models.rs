//! Every process model of foobard under load, beside the bare loop of the same model in C, and the servers of others
//! that are installed. Prints tables and draws a graph; asserts no time.
//!
//! `cargo bench -p foobard --bench models -- --help` tells the options. foobard is measured as it is shipped
//! (packaging/build.sh); a model that it refuses is named and left out. Servers run on one core, the load generator on
//! another, all of it on loopback; every answer is compared. The two of a point take turns in short rounds, by chance who
//! is first; what is told is the median of the rounds' ratios, with the half of them around it, and the CPU time of all
//! rounds together. A round in which the generator had to wait for its core is taken again, for all servers of the point and no more
//! often than rounds were asked for, since others were running then; where that cannot be helped, root measures under `nice -n -20`,
//! which servers and generator inherit alike. Ctrl-C ends it with all that it has started.

mod models {
    pub mod answer;
    pub mod cores;
    pub mod exchange;
    pub mod graph;
    pub mod histogram;
    pub mod launch;
    pub mod load;
    pub mod measure;
    pub mod options;
    pub mod peers;
    pub mod picture;
    pub mod run;
    pub mod sample;
    pub mod saved;
    pub mod servers;
    pub mod stop;
    pub mod table;
    pub mod tree;
}

use std::process::ExitCode;

use models::options::{Options, USAGE};
use models::{answer, launch, run};

fn main() -> ExitCode {
    // Called again by itself to become a server on its core; returns only if that is not so, or has failed.
    if let Err(why) = launch::become_server() {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    if let Some(code) = answer::become_answerer() {
        return code;
    }
    let done = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => run::all(&options),
        Ok(None) => {
            println!("{USAGE}");
            Ok(())
        }
        Err(why) => Err(why),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("models: {why}");
            ExitCode::FAILURE
        }
    }
}
