#!/bin/sh
### BEGIN INIT INFO
# Provides:          foobar
# Required-Start:    $remote_fs $syslog $network
# Required-Stop:     $remote_fs $syslog $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: foobar network echo server
# Description:       Runs /usr/sbin/foobard as the service foobar.
### END INIT INFO
# Runs the service foobar with nothing but a POSIX shell, its standard tools, readlink and /proc.
#
# Exit codes of status:
#   0  running
#   1  dead, and its PID file exists
#   2  dead, and its lock file exists
#   3  not running
#   4  unknown
# of all other actions:
#   0  done, or nothing was left to do
#   1  failed
#   2  invalid or excess argument
#   3  unimplemented feature
#   4  not permitted
#   5  program not installed
#   6  not configured
#   7  not running
#
# No process is signalled because of a number in a file alone: the file must be one that only its owner
# could have written, and the process must run the program. What a shell cannot give: between this check
# and the signal the process may end and its PID may be given to another. The window is short, and the
# start time is compared again before KILL; foobarctl, which has a handle on the process, has no window.
# Nor are two starts at the same moment kept apart, unless the program does that itself, as foobard does.

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
unset -v CDPATH
cd / || exit 1
umask 022

program=/usr/sbin/foobard
pid_file=/var/run/foobar.pid
start_timeout=30
stop_timeout=5
stop_signal=TERM
reload_signal=HUP

say() {
	printf '%s\n' "foobar $*"
}

fail() {
	printf '%s\n' "foobar: $*" >&2
}

# The failure that a leftover script meets at boot, shown as this machine shows others if it has LSB's
# functions. They are not needed for anything else, and a subshell keeps them from changing anything.
missing() (
	if [ -r /lib/lsb/init-functions ]; then
		export SYSTEMCTL_SKIP_REDIRECT=1
		# shellcheck source=/dev/null
		. /lib/lsb/init-functions
		log_failure_msg "foobar: $program is not installed or not executable" >&2
	else
		fail "$program is not installed or not executable"
	fi
)

# State and start time of process $1, from /proc/PID/stat. Its name, in parentheses, may hold anything.
examine() {
	stat=
	{ while IFS= read -r line; do stat=$line; done <"/proc/$1/stat"; } 2>/dev/null
	stat=${stat##*) }
	case $stat in '' | Z* | X*) return 1 ;; esac
	field=3
	while [ "$field" -lt 22 ]; do
		stat=${stat#* }
		field=$((field + 1))
	done
	born=${stat%% *}
}

# Whether process $1 runs the program. An interpreted program stands among the arguments of its
# interpreter. Others than root may not see what a daemon of root runs: then its name must do.
runs_program() {
	if ! exe=$(readlink "/proc/$1/exe"); then
		name=${program##*/}
		IFS= read -r comm <"/proc/$1/comm" && [ "$comm" = "$(printf %.15s "$name")" ]
		return
	fi
	exe=${exe%' (deleted)'}
	[ "$exe" = "$program" ] || [ "$exe" = "$(readlink -f "$program")" ] && return 0
	first=
	[ -r "$program" ] && IFS= read -r first <"$program"
	case $first in '#!'*) tr '\0' '\n' <"/proc/$1/cmdline" | grep -Fqx -e "$program" ;; *) return 1 ;; esac
} 2>/dev/null

# Sets pid, born and why; answers like status.
look() {
	pid='' born='' why=''
	if [ ! -e "$pid_file" ] && [ ! -h "$pid_file" ]; then
		return 3
	elif [ -h "$pid_file" ] || [ ! -f "$pid_file" ]; then
		why="$pid_file is not a regular file: remove it"
		return 4
	elif [ ! -r "$pid_file" ]; then
		why="$pid_file cannot be read: try it as root"
		return 4
	elif [ ! -s "$pid_file" ]; then
		return 3
	fi
	IFS= read -r pid <"$pid_file" || pid=
	case $pid in
	'' | 0* | 1 | *[!0-9]* | ???????????*)
		why="$pid_file does not hold one PID: remove it"
		return 4
		;;
	esac
	# The size leaves no room for a second line; neither others nor a foreign group may have written it.
	if [ -z "$(find "$pid_file" -prune -type f -size "$((${#pid} + 1))c" \
		\( -user 0 -o -user "$(id -u)" \) ! -perm -0002 \
		\( ! -perm -0020 -o -group 0 -o -group "$(id -g)" \))" ]; then
		why="$pid_file holds more than a PID, or others could have written it: remove it"
		return 4
	fi
	if ! examine "$pid" || ! runs_program "$pid"; then
		return 1
	fi
}

# Waits until process $pid, born at $born, is gone; at most $1 seconds, counted in hundredths.
gone() {
	waited=0
	was=$born
	while examine "$pid" && [ "$born" = "$was" ]; do
		[ "$waited" -lt "$(($1 * 100))" ] || return 1
		pause
	done
}

# The shortest wait that this machine's sleep knows, in small steps at first.
pause() {
	if [ "$waited" -lt 10 ] && sleep 0.02 2>/dev/null; then
		waited=$((waited + 2))
	elif sleep 0.1 2>/dev/null; then
		waited=$((waited + 10))
	else
		sleep 1
		waited=$((waited + 100))
	fi
}

# The program gets a clean environment and no terminal to read from. It stands behind another command,
# because env takes a path with a = in it for an assignment.
launch() {
	if command -v timeout >/dev/null; then
		set -- timeout "$start_timeout" "$program" "$@"
	else
		set -- nice -n 0 "$program" "$@"
	fi
	env -i PATH="$PATH" "$@" </dev/null
}

start() {
	look
	case $? in
	0)
		say "is already running (PID $pid)"
		return 0
		;;
	4)
		fail "$why"
		return 1
		;;
	esac
	if [ ! -f "$program" ] || [ ! -x "$program" ]; then
		missing
		return 5
	fi
	directory=${pid_file%/*}/
	[ -d "$directory" ] || mkdir -p "$directory" 2>/dev/null
	if [ ! -w "$directory" ]; then
		fail "$directory is not writable: start it as root"
		return 4
	fi
	launch --config /etc/foobard.toml --pid-file /var/run/foobar.pid
	code=$?
	case $code in
	0) ;;
	4 | 5 | 6)
		fail "$program did not start (exit code $code)"
		return "$code"
		;;
	124)
		fail "$program was not ready within $start_timeout seconds"
		return 1
		;;
	*)
		fail "$program did not start (exit code $code)"
		return 1
		;;
	esac
	waited=0
	until look; do
		if [ "$waited" -ge "$((start_timeout * 100))" ]; then
			fail "$program started, but ${why:-$pid_file does not name it}"
			return 1
		fi
		pause
	done
	say "started (PID $pid)"
}

# Signal $1 to the process that look found; the kernel's refusal means that it is another user's.
signal() {
	kill -s "$1" "$pid" 2>/dev/null && return
	examine "$pid" || return 0
	fail "PID $pid may not be signalled: try it as root"
	return 4
}

stop() {
	look
	case $? in
	0) ;;
	4)
		fail "$why"
		return 1
		;;
	*)
		say 'is not running'
		return 0
		;;
	esac
	signal "$stop_signal" || return
	how=stopped
	if ! gone "$stop_timeout"; then
		signal KILL || return
		how="killed: it did not stop within $stop_timeout seconds"
		if ! gone 5; then
			fail "PID $pid does not end, not even by KILL"
			return 1
		fi
	fi
	ended=$pid
	look
	[ $? -eq 1 ] && [ "$pid" = "$ended" ] && rm -f "$pid_file"
	say "$how (PID $ended)"
}

restart() {
	stop && start
}

try_restart() {
	look
	case $? in
	0) restart ;;
	4)
		fail "$why"
		return 1
		;;
	*) say 'is not running' ;;
	esac
}

reload() {
	if [ -z "$reload_signal" ]; then
		fail 'cannot reload: use restart'
		return 3
	fi
	look
	case $? in
	0) signal "$reload_signal" && say "reloads its configuration (PID $pid)" ;;
	4)
		fail "$why"
		return 1
		;;
	*)
		fail 'is not running'
		return 7
		;;
	esac
}

status() {
	look
	state=$?
	case $state in
	0) say "is running (PID $pid)" ;;
	1) say "is dead, and its PID file $pid_file exists" ;;
	4) fail "unknown: $why" ;;
	*) say 'is not running' ;;
	esac
	return "$state"
}

case "$*" in
start | stop | restart | reload | status) "$1" ;;
'start --force-sysv') start ;;
try-restart) try_restart ;;
force-reload) if [ -n "$reload_signal" ]; then reload; else try_restart; fi ;;
*)
	printf 'Usage: %s {start|stop|restart|try-restart|reload|force-reload|status}\n' "$0" >&2
	exit 2
	;;
esac
# Written by foobarctl. Changes by hand are kept: this checksum shows them: 078c32ad351cd973
