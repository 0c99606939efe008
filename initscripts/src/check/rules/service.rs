//! Service files whose keys can be read, and yet cannot be what was meant.

use super::define::rules;

rules! {
SERVICE_ACCOUNT_UNKNOWN = "service-account-unknown" Error [],
    "an account or group of the service does not exist",
    "the service cannot start",
    "make it (adduser --system), or correct the key",
    "the accounts of the tree are those in its /etc/passwd and /etc/group";

SERVICE_COMMAND_ABSENT = "service-command-absent" Error [],
    "a command beside the program is not there or cannot be executed",
    "what it is for fails: the start, the reload, the stop or the probe",
    "install it, correct the key, or write - before it if it may fail",
    "commands are absolute paths of regular files with an execute bit";

SERVICE_DIRECTORY_ABSENT = "service-directory-absent" Error [],
    "the working directory or root directory of the service is not there",
    "the service cannot start",
    "make it, correct the key, or write - before a working directory that need not be there",
    "directories that are to be made for the service are named by state-directory and its kin";

SERVICE_ENVIRONMENT_ABSENT = "service-environment-absent" Error [],
    "an environment file of the service is not there",
    "the service cannot start",
    "write it, or write - before its path if it need not be there",
    "environment files are read at each start";

SERVICE_ENVIRONMENT_IGNORED = "service-environment-ignored" Warning [],
    "a line of an environment file does not count",
    "the service starts without that variable",
    "write it as NAME=value, with quotes that are closed; 'export' and commands are for a shell, which does not read it",
    "systemd.exec(5), \"EnvironmentFile=\": files are read and never sourced, and what is no assignment is left out";

SERVICE_PID_FILE_EXPOSED = "service-pid-file-exposed" Error [],
    "others than root can write the directory of a PID file",
    "whoever can may have root signal any process; foobarctl does not believe such a file",
    "put it into a directory of root's, such as /var/run",
    "who can write the directory can put another file into its place";

SERVICE_KEY_UNUSED = "service-key-unused" Warning [],
    "a key has no effect beside the others",
    "the service is not what the file seems to say",
    "take the key out, or give the one that it belongs to",
    "such a key is as a rule half of a thought";
}
