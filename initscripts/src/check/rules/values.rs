//! The values in the LSB header.

use super::define::rules;

rules! {
LIST_CUT = "list-cut" Error [],
    "words are lost behind two separators",
    "insserv ends the list at the first empty word, so the dependencies behind it do not exist",
    "put one blank between two words",
    "insserv cuts a list at each single blank, comma or semicolon, and stops at an empty piece: 'a  b' and 'a, b' are \
     both only a";

VALUE_CUT = "value-cut" Error [],
    "words are lost behind a tab or a character that is not ASCII",
    "insserv ends the value there, so the dependencies behind it do not exist",
    "put single blanks between the words, and use ASCII",
    "insserv takes the printable ASCII bytes at the beginning of a value; a tab is not one of them";

SEPARATOR = "separator" Warning
    ["init.d-script-has-bad-start-runlevel", "init.d-script-has-bad-stop-runlevel"],
    "words are parted by a comma or a semicolon",
    "insserv parts them, chkconfig and others take them for one word",
    "put one blank between two words",
    "LSB Core has lists parted by blanks";

LEVELS_UNSPLIT = "levels-unsplit" Error
    ["init.d-script-has-bad-start-runlevel", "init.d-script-has-bad-stop-runlevel"],
    "runlevels are written without blanks",
    "insserv ignores the word, so there is no link in any of these runlevels",
    "put a blank between two runlevels: 2 3 4 5",
    "to insserv a runlevel is a word of one character";

LEVEL_UNKNOWN = "level-unknown" Warning
    ["init.d-script-has-bad-start-runlevel", "init.d-script-has-bad-stop-runlevel"],
    "a word is no runlevel",
    "it is ignored",
    "use some of 0 to 6 and S",
    "System V init has the runlevels 0 to 6, and S for what runs once at boot";

LEVEL_B = "level-b" Error
    ["init.d-script-has-bad-start-runlevel", "init.d-script-has-bad-stop-runlevel"],
    "the runlevel B exists on SUSE only",
    "insserv exits as soon as it reads this script, so no other one is put in order either",
    "write S instead",
    "elsewhere scripts for the boot are in runlevel S";

STARTS_AT_HALT = "starts-at-halt" Error ["init.d-script-starts-in-stop-runlevel"],
    "Default-Start has runlevel 0 or 6",
    "the script is called with stop there, for the machine goes down",
    "put the runlevel into Default-Stop, and do the work in the action stop",
    "in 0 (halt) and 6 (reboot) Debian's rc calls start links with stop, too";

STARTS_PARTLY = "starts-partly" Warning ["init.d-script-missing-start"],
    "Default-Start has some of the runlevels 2 to 5 and not all",
    "whether the service runs depends on a runlevel that its author chose for the administrator",
    "write 2 3 4 5, and let the administrator disable it where it is not wanted",
    "Debian gives 2 to 5 no different meanings (Debian Policy 9.3.3)";

START_AND_STOP = "start-and-stop" Warning ["init.d-script-has-conflicting-start-stop"],
    "a runlevel is in Default-Start and in Default-Stop",
    "insserv makes the kill link, so the service does not run there",
    "take the runlevel out of one of the two",
    "a directory of links can hold one wish for a service";

STOPS_AT_BOOT = "stops-at-boot" Warning ["init-d-script-stops-in-s-runlevel"],
    "Default-Stop has runlevel S",
    "no link is made: S is passed through at boot and nothing is stopped there",
    "take S out of Default-Stop",
    "rcS runs start links only";

STOPS_PARTLY = "stops-partly" Warning ["init.d-script-possible-missing-stop"],
    "Default-Stop has some of the runlevels 0, 1 and 6 and not all",
    "in the others the service is not stopped by its script but killed with all the rest",
    "write 0 1 6",
    "what needs its script for a clean end needs it before a halt, a reboot and in single-user mode alike";

PROVIDES_FACILITY = "provides-facility" Warning ["init.d-script-provides-virtual-facility"],
    "Provides names a system facility",
    "insserv ignores the word: what starts with '$' is defined in insserv.conf alone",
    "put '$facility +name' into a file of /etc/insserv.conf.d",
    "facilities stand for any of several scripts, so none of them can own one (insserv(8))";

PROVIDES_OTHER = "provides-other" Note ["init.d-script-does-not-provide-itself"],
    "Provides does not have the name of the script",
    "who requires the service by the name of its script waits for nothing",
    "let the name of the script be the first word of Provides",
    "a script can be called by any name that it provides, and the one of its file is what people know";

LOCAL_FS_MISSING = "local-fs-missing" Warning ["init.d-script-missing-dependency-on-local_fs"],
    "uses /var without requiring $local_fs",
    "it may run before /var is mounted, or after it was unmounted",
    "add $remote_fs, or $local_fs, to Required-Start and Required-Stop",
    "/var may be a file system of its own; $remote_fs includes $local_fs";

USES_MEMBER = "uses-member" Warning ["non-virtual-facility-in-initd-script"],
    "requires a script by name where there is a system facility",
    "the order is wrong on machines where another script does that job",
    "require the facility",
    "insserv.conf says which scripts make a facility on each machine";

FACILITY_UNKNOWN = "facility-unknown" Error ["init.d-script-depends-on-unknown-virtual-facility"],
    "a system facility is not defined anywhere",
    "insserv ignores the dependency, so the service may start before what it needs",
    "correct the spelling, or define it in a file of /etc/insserv.conf.d",
    "LSB has $local_fs, $network, $named, $portmap, $remote_fs, $syslog and $time; Debian adds $all, \
     $mail-transport-agent and $x-display-manager";

REQUIRES_ALL = "requires-all" Warning ["init.d-script-depends-on-all-virtual-facility"],
    "requires $all",
    "it starts after everything else, also after what requires it, and every new script changes its number",
    "name the services that it needs",
    "several scripts that want to be last cannot all be";

ALL_IGNORED = "all-ignored" Warning [],
    "X-Start-Before or X-Stop-After has $all",
    "insserv ignores the word, so nothing waits for the script",
    "name the services that are to wait for it",
    "only Required and Should know $all; elsewhere it is a facility without members";

REQUIRES_ITSELF = "requires-itself" Note [],
    "requires a name that it provides itself",
    "insserv drops the dependency",
    "remove the word",
    "nothing can start before itself";

NOT_TRUE = "not-true" Note [],
    "X-Interactive is something else than true",
    "the script is started beside others although it may talk to the console",
    "write 'X-Interactive: true', or remove the line",
    "insserv compares the whole value with 'true' in lower case";
}
