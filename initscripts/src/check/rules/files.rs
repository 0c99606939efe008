//! Files as such: scripts, service files, defaults files, PID files, and who may write them.

use super::define::rules;

rules! {
UNREADABLE = "unreadable" Error [],
    "cannot be read",
    "nothing can be said about it",
    "check again as root, or remove it",
    "what cannot be read cannot be checked; that is said instead of being passed over";

NOT_EXECUTABLE = "not-executable" Error ["non-standard-file-permissions-for-etc-init.d-script"],
    "is a script with links or a header that nobody may execute",
    "insserv passes it over and rc does not start it",
    "chmod 755 it; to keep a service from starting, use foobarctl disable",
    "insserv takes regular files that their owner may execute";

MODE_UNUSUAL = "mode-unusual" Note ["non-standard-file-permissions-for-etc-init.d-script"],
    "the mode is not 0755",
    "others than root cannot ask for status, or not read why",
    "chmod 755 it",
    "init scripts hold no secrets; those belong into files of /etc/default (Debian Policy 9.3.2)";

WRITABLE = "writable" Error ["non-standard-file-permissions-for-etc-init.d-script"],
    "others than root can write it",
    "whoever can becomes root at the next boot",
    "look at what it says now, then chown root and chmod go-w it",
    "init runs scripts as root";

NOT_A_FILE = "not-a-file" Error ["init-script-is-not-a-file"],
    "an entry among the scripts leads to no regular file",
    "insserv passes it over, and links to it do nothing",
    "remove it, or put the script there",
    "only regular files, and symbolic links to them, can be started";

ALIAS_SKIPPED = "alias-skipped" Note [],
    "is a symbolic link without a directory in its text",
    "insserv passes it over, so it gets no links of its own",
    "write the target with a directory, ../init.d/NAME, if it is to be a service of its own",
    "insserv takes such links for old names of a script beside them";

NAME_SKIPPED = "name-skipped" Warning [],
    "has a name that insserv passes over",
    "it gets no links; links that it has are never renumbered",
    "rename it, or remove it if it was left behind by an editor or a package manager",
    "names such as *.bak, *.dpkg-old, *~, README* and core are taken for what is no script";

SCRIPT_EDITED = "script-edited" Note [],
    "was written by foobarctl and changed by hand since",
    "install and uninstall keep it, so changes of the service file do not reach it",
    "put the change into the service file and run foobarctl install --force, or leave it so",
    "the last line of the script is a checksum of the rest";

SCRIPT_OUTDATED = "script-outdated" Warning [],
    "was written by foobarctl from another service file than the one that is there",
    "its header, and so the order, are not those of the service file",
    "run foobarctl install for the service",
    "header, runlevels and, in a standalone script, program and time limits are written when the service is installed";

SERVICE_FILE_MISSING = "service-file-missing" Error [],
    "was written by foobarctl, and the service file is not there",
    "the script calls foobarctl, which does not know the service",
    "write the service file again, or remove the script with foobarctl uninstall",
    "a thin script holds nothing but the name of the service";

SERVICE_FILE_INVALID = "service-file-invalid" Error [],
    "the service file has a fault",
    "every verb of the service fails",
    "correct the line; foobarctl help service-file explains the keys",
    "a service file is TOML with known keys only, so that a misspelt one is seen";

SERVICE_PROGRAM_ABSENT = "service-program-absent" Error [],
    "the program of the service is not there or cannot be executed",
    "the service cannot start, with exit code 5",
    "install the program, or correct the key program",
    "the key program is the absolute path of a regular file with an execute bit";

SERVICE_NOT_INSTALLED = "service-not-installed" Note [],
    "there is a service file and no init script of it",
    "the service can be started by hand but does not start at boot",
    "run foobarctl install for the service",
    "init knows scripts and links, not service files";

SWITCHED_OFF = "switched-off" Warning [],
    "the defaults file keeps the service from starting",
    "start succeeds and nothing runs",
    "take the line out, and use foobarctl disable for a service that is not to start",
    "such switches are hidden from init, which is told that all is well (Debian Policy 9.3.3)";

SWITCH = "switch" Note ["init.d-script-should-always-start-service"],
    "the defaults file has a switch for starting the service",
    "two places decide whether it starts, and one of them is hidden from init",
    "remove the switch, and leave the decision to the links",
    "ENABLED=, DISABLED=, RUN= and START= are older than update-rc.d disable (Debian Policy 9.3.3)";

PID_FILE_STALE = "pid-file-stale" Warning [],
    "a PID file names a process that does not run",
    "once another process gets that number, status is wrong and stop may end that one",
    "find out why the service died, then start it, which replaces the file, or remove the file",
    "the service ended without removing it; LSB has exit code 1 of status for that";

PID_FILE_BAD = "pid-file-bad" Warning [],
    "a PID file does not hold one process ID",
    "tools that read only its beginning may signal anything; 0 and -1 mean groups and everybody",
    "restart the service, or remove the file if it does not run",
    "a PID file is the decimal PID and a newline (LSB Core, 'Init Script Functions'; FHS 3.0, 3.15)";

PID_FILE_WRITABLE = "pid-file-writable" Error [],
    "everybody can write a PID file",
    "anybody can have root signal any process when the service is stopped",
    "chmod go-w it, and correct the umask of the program that writes it",
    "stop is done by root, and the file says to whom";
}
