//! Scripts and links together: the order of the whole machine.

use super::define::rules;

rules! {
LINK_DANGLING = "link-dangling" Error ["init.d-script-not-included-in-package"],
    "a link leads to no script",
    "nothing is started or stopped by it, and insserv removes it at its next run",
    "put the script back, or remove the link",
    "rc passes over links whose target is missing, and says nothing";

LINK_OUTSIDE = "link-outside" Note [],
    "a link leads out of the directory of scripts",
    "rc follows it, startpar and service(8) do not know the script",
    "put the script among the others",
    "tools look for a script by the name of the service in one directory";

LINK_MISNAMED = "link-misnamed" Warning [],
    "the name of a link is not that of the script it leads to",
    "insserv neither renumbers nor removes it, and startpar, which goes by the name, does not run it",
    "remove it, and let insserv or foobarctl enable make the link",
    "the name after the digits is how tools find the script";

LINK_BOTH = "link-both" Warning [],
    "a runlevel has a start link and a kill link of one script",
    "the service is stopped and started when the runlevel is entered, and tools disagree on whether it is enabled",
    "remove one of the two",
    "rc runs all kill links first and then all start links";

LINK_DOUBLED = "link-doubled" Warning [],
    "a runlevel has the same link with two numbers",
    "the script is called twice",
    "remove one of the two",
    "rc goes by links and not by services";

LINK_NOT_SYMBOLIC = "link-not-symbolic" Warning [],
    "an entry of a runlevel is not a symbolic link",
    "rc runs it, insserv and update-rc.d do not see it, so it is neither ordered nor disabled",
    "move it among the scripts, and link it",
    "the directories of runlevels hold links to scripts (Debian Policy 9.3.1)";

LINK_IGNORED = "link-ignored" Note [],
    "an entry of a runlevel is not called S or K, two digits and a name",
    "rc passes it over",
    "rename it, or remove it",
    "rc runs what matches S[0-9][0-9]* and K[0-9][0-9]*";

NOT_LINKED = "not-linked" Note ["script-in-etc-init.d-not-registered-via-update-rc.d"],
    "has runlevels in its header and no link in any",
    "it is never started at boot",
    "foobarctl enable or update-rc.d NAME defaults, or leave it if it is started by hand",
    "the header says where a script wants to be linked, the links say where it is";

LINKS_DIFFER = "links-differ" Note [],
    "starts in other runlevels than its header says",
    "the links win; tools that go back to the defaults change them",
    "nothing, if an administrator wants it so; else correct the header or the links",
    "insserv keeps existing links, as they are the administrator's";

PROVIDED_TWICE = "provided-twice" Warning [],
    "two scripts provide one name",
    "which of the two others wait for depends on the order of files in the directory",
    "remove one of the two, or give it another name",
    "insserv takes the first that it comes across and ignores the name in the other";

REQUIREMENT_MISSING = "requirement-missing" Error [],
    "requires a service that no script provides",
    "insserv refuses to link it, and, once it is linked, refuses to link any other",
    "install what it requires, correct the name, or make it Should-Start",
    "Required-Start must be met; Should-Start counts only where it can be";

REQUIREMENT_LEVELS = "requirement-levels" Warning [],
    "requires a service that does not start in all of its runlevels",
    "it starts there without what it requires, and insserv refuses to link other scripts",
    "enable what it requires in these runlevels too",
    "each runlevel is started from its own directory of links";

ORDER_WRONG = "order-wrong" Error [],
    "starts before, or stops after, what it depends on",
    "where links are followed by number it fails, or the other has gone when it stops",
    "run foobarctl enable for one of the two, or insserv, which renumbers all links",
    "numbers are right when they are made and do not follow changes of headers";

LOOP = "loop" Error [],
    "scripts wait for each other",
    "insserv refuses to change any link; forced, it breaks the loop anywhere",
    "take one of the dependencies out of a header, or make an override in /etc/insserv/overrides",
    "an order exists only where no chain of dependencies comes back to its beginning";

CONF_LOOP = "conf-loop" Error [],
    "a system facility contains itself",
    "insserv refuses to work",
    "correct insserv.conf or the file in insserv.conf.d",
    "facilities may contain facilities, but not in a circle";

FACILITY_EMPTY = "facility-empty" Note [],
    "a system facility that scripts wait for has no script on this machine",
    "they wait for nothing, which is right if nothing has to be waited for",
    "install what makes the facility, or name the script in a file of /etc/insserv.conf.d",
    "the members of a facility are optional, so that one list serves many machines";

DEPEND_MISSING = "depend-missing" Error [],
    "startpar's file does not list a script that has a link",
    "it is not started or stopped: startpar runs what is in its file and linked",
    "run insserv, or foobarctl enable for the service",
    "with .depend.boot, .depend.start and .depend.stop in place, Debian's rc leaves the work to startpar(8)";

DEPEND_STALE = "depend-stale" Warning [],
    "startpar's file has other dependencies than the headers",
    "scripts start beside, or before, what they depend on",
    "run insserv, or foobarctl enable for any service",
    "the file is written when a script is linked and does not follow changes of headers";

OVERRIDE_BROKEN = "override-broken" Warning [],
    "an override holds no whole LSB header",
    "insserv reads the header of the script instead, or refuses to work",
    "put a block from '### BEGIN INIT INFO' to '### END INIT INFO' into it",
    "an override replaces the whole header, not single keys (insserv(8))";
}
