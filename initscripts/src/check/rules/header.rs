//! The frame of the LSB header and its keys.

use super::define::rules;

rules! {
HEADER_MISSING = "header-missing" Warning ["init.d-script-missing-lsb-section"],
    "has no LSB header",
    "insserv gives it no links and no place in the order; links that it has already are renumbered to 01",
    "add a block from '### BEGIN INIT INFO' to '### END INIT INFO'",
    "the order of scripts, their runlevels and what they need come from this comment alone (LSB Core, 'Comment \
     Conventions for Init Scripts'; insserv(8))";

HEADER_FRAME = "header-frame" Warning
    ["init.d-script-missing-lsb-section", "init.d-script-has-unterminated-lsb-section",
     "init.d-script-has-bad-lsb-line"],
    "the first or last line of the LSB header is not exactly what LSB wants",
    "insserv takes the line, other readers see no header or no end of it",
    "let the line be '### BEGIN INIT INFO' or '### END INIT INFO' and nothing else",
    "LSB Core wants these lines to begin in the first column; insserv looks for the words anywhere in a line";

HEADER_OPEN = "header-open" Error ["init.d-script-has-unterminated-lsb-section"],
    "the LSB header has no '### END INIT INFO'",
    "insserv refuses to work on any script until it is there",
    "add the line after the last key",
    "without an end insserv cannot tell keys from other comments and gives up, unless it is forced";

HEADER_TORN = "header-torn" Warning
    ["init.d-script-has-unterminated-lsb-section", "init.d-script-missing-lsb-keyword",
     "init.d-script-missing-lsb-short-description"],
    "there is a line in the LSB header that is no comment",
    "insserv reads on behind it, other readers end the header there",
    "let each line between the first and the last one begin with '#'",
    "the header is a block of comment lines (LSB Core, 'Comment Conventions for Init Scripts')";

HEADER_TWICE = "header-twice" Error ["init.d-script-has-duplicate-lsb-section"],
    "there is a second LSB header",
    "only the first one counts, whatever the second says",
    "leave one of the two",
    "insserv stops reading a script at the end of its first header";

KEY_MISSING = "key-missing" Warning ["init.d-script-missing-lsb-keyword"],
    "a key that LSB demands is missing",
    "insserv complains at each run on this machine and takes the key as empty",
    "add it, even if nothing stands behind it",
    "Provides, Required-Start, Required-Stop, Default-Start and Default-Stop must be there, so that forgotten and \
     empty can be told apart";

SHORT_DESCRIPTION_MISSING = "short-description-missing" Note ["init.d-script-missing-lsb-short-description"],
    "Short-Description is missing",
    "tools that list services have nothing to say about this one",
    "say in a few words what the service is",
    "LSB Core has Short-Description for one line and Description for more";

KEY_TWICE = "key-twice" Warning ["init.d-script-has-duplicate-lsb-keyword"],
    "a key stands in the LSB header for the second time",
    "insserv takes the first, others the last",
    "leave one, with the words of both",
    "LSB Core gives the second no meaning";

KEY_UNKNOWN = "key-unknown" Warning ["init.d-script-has-unknown-lsb-keyword"],
    "a key of the LSB header is not one of LSB's",
    "nobody reads it; if a known one was meant, that is missing",
    "correct the spelling, or begin a key of your own with X-",
    "LSB Core reserves all names but those that begin with 'X-'";

KEY_FORM = "key-form" Warning ["init.d-script-has-bad-lsb-line", "init.d-script-missing-lsb-keyword"],
    "a key is not written as '#', one blank, key, ':'",
    "insserv reads it as a key, other readers do not",
    "write '# Key: value'; words of a description must not look like a key",
    "LSB Core wants exactly one blank; insserv takes any number, and even a line that continues a description";

LINE_STRAY = "line-stray" Warning ["init.d-script-has-bad-lsb-line"],
    "a line of the LSB header is neither a key nor the continuation of a description",
    "readers pass it over, or end the header there",
    "remove it, or move it below '### END INIT INFO'",
    "only Description goes on over several lines, and these begin with '#' and a tab or two blanks";

CRLF = "crlf" Error [],
    "lines end with a carriage return",
    "the kernel looks for an interpreter with that character in its name, so the script never runs",
    "convert it: sed -i 's/\\r$//' FILE",
    "the line ends of other systems are part of the line here (execve(2), 'Interpreter scripts')";
}
