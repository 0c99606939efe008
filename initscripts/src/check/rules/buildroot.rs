//! The rules of Buildroot, for scripts whose name is S and two digits and something.

use super::define::rules;

rules! {
BUILDROOT_INDENT = "buildroot-indent" Note [],
    "a line is indented with blanks",
    "Buildroot's check-package refuses it",
    "indent with tabs",
    "Buildroot manual, 'The start script'";

BUILDROOT_BLANK = "buildroot-blank" Note [],
    "blanks at the end of a line, empty lines in a row or at the end, or no newline at the end",
    "Buildroot's check-package refuses it",
    "remove what is too much, and end the last line",
    "Buildroot holds all of its text files to that";

BUILDROOT_DAEMON = "buildroot-daemon" Note [],
    "DAEMON is not set once to the name of the program without a path",
    "PID file, defaults file and messages, which are made from it, do not belong to the program",
    "set DAEMON=\"name\" once at the top",
    "Buildroot's scripts call the program by path and themselves by $DAEMON";

BUILDROOT_PID_FILE = "buildroot-pid-file" Note [],
    "PIDFILE is not /var/run/$DAEMON.pid",
    "Buildroot's check-package refuses it, and others do not find the PID file",
    "set PIDFILE=\"/var/run/$DAEMON.pid\"",
    "Buildroot manual, 'The start script'";

BUILDROOT_NAME = "buildroot-name" Note [],
    "the name of the script is not S, two digits and DAEMON",
    "people who look for the daemon do not find its script",
    "rename the script, or correct DAEMON",
    "rcS runs S??* in the order of names and rcK backwards; the rest of the name is for people";
}
