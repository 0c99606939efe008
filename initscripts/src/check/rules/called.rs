//! Where lines of files are the order: Slackware's rc.local and rc.local_shutdown.

use super::define::rules;

rules! {
LINES_NOT_RUN = "lines-not-run" Error [],
    "nothing runs the file that starts or stops services of foobarctl",
    "no service in it is started at boot, or stopped before the machine goes down",
    "chmod +x the file, and have it called as Slackware's own rc.M and rc.6 do",
    "rc.M runs rc.local, and rc.6 runs rc.local_shutdown, if they are executable";

LINES_CHANGED = "lines-changed" Note [],
    "lines that foobarctl has written were changed by hand",
    "install and uninstall keep them as they are",
    "leave them so, or have them written anew with foobarctl install --force",
    "what stands between the two marks of a service is compared with what foobarctl writes";

LINES_LEFT = "lines-left" Note [],
    "lines that foobarctl has written call a script that is not there",
    "nothing is run by them",
    "put the script back with foobarctl install, or remove them with foobarctl uninstall",
    "the lines look whether the script is there before they call it";

LINES_ORDER = "lines-order" Error [],
    "lines start a service before what it needs, or stop it after that",
    "it fails at boot, or the other has gone when it stops",
    "move the lines of one of them",
    "lines are put in their place when they are written and do not follow changes of headers";

NOT_CALLED = "not-called" Warning [],
    "a service can be started and nothing calls its script at boot",
    "it starts by hand only",
    "run foobarctl enable for it, or chmod -x its script to say that it is off",
    "the executable bit switches a service on only where some file looks for it";
}
