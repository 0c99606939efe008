//! The scratch machine of the measurement: one prefix with our services in it, and configurations for the daemons of the
//! peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use foobar_tests::{Sandbox, free_port, shipped};

/// One temporary directory with everything in it.
pub struct Machine {
    sandbox: Sandbox,
}

impl Machine {
    pub fn new() -> Result<Machine, String> {
        let machine = Machine { sandbox: Sandbox::new("verbs") };
        for directory in ["etc/foobar", "var/log", "var/run"] {
            let path = machine.path(directory);
            fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(machine)
    }

    pub fn foobarctl(&self) -> PathBuf {
        shipped().join("foobarctl")
    }

    pub fn foobard(&self) -> PathBuf {
        shipped().join("foobard")
    }

    /// A path below the prefix.
    pub fn path(&self, below: &str) -> PathBuf {
        self.sandbox.path().join("machine").join(below)
    }

    pub fn pid_file(&self, name: &str) -> PathBuf {
        self.path(&format!("var/run/{name}.pid"))
    }

    /// Lays a service into the prefix.
    pub fn install(&self, name: &str, program: &Path, arguments: &[String]) -> Result<(), String> {
        let pid_file = self.pid_file(name);
        let text = format!(
            "program = {program:?}\ntype = \"forking\"\narguments = {arguments:?}\npid-file = {pid_file:?}\ndescription = \"x\"\n"
        );
        write(&self.path(&format!("etc/foobar/{name}.toml")), &text)?;
        let mut command = Command::new(self.foobarctl());
        let output = command.arg("--prefix").arg(self.path("")).args(["--quiet", "install", name]).output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                Err(format!("install {name}: {}", String::from_utf8_lossy(&output.stderr).trim_end()))
            }
            Err(error) => Err(format!("{}: {error}", self.foobarctl().display())),
        }
    }

    /// Arguments for a foobard with a configuration, a PID file and a port of its own; and the port.
    pub fn foobard_arguments(&self, name: &str) -> Result<(Vec<String>, u16), String> {
        let config = self.path(&format!("etc/{name}.conf"));
        let log = self.path(&format!("var/log/{name}.log"));
        let port = free_port();
        write(&config, &format!("listen = \"127.0.0.1:{port}\"\nlog = {log:?}\n"))?;
        let words =
            ["--config".to_owned(), text(&config), "--pid-file".to_owned(), text(&self.pid_file(name))];
        Ok((words.to_vec(), port))
    }
}

/// A path as a word of a command.
pub fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Writes a file, and tells what is wrong with its path.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
