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
# Hands over to foobarctl, which knows the service foobar from its service file.
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

# How this machine shows what it does at boot.
if [ -r /lib/lsb/init-functions ]; then
	# shellcheck source=/dev/null
	. /lib/lsb/init-functions
fi

# Action $1 of foobarctl, with message $2 and its outcome if there are functions for that.
act() {
	if command -v log_info_msg >/dev/null && command -v evaluate_retval >/dev/null; then
		log_info_msg "$2"
		/usr/sbin/foobarctl --quiet "$1" foobar
		code=$?
		(exit "$code")
		evaluate_retval
	else
		/usr/sbin/foobarctl "$1" foobar
		code=$?
	fi
	exit "$code"
}

case "$*" in
start | stop | restart | try-restart | reload | force-reload | status) ;;
*)
	printf 'Usage: %s {start|stop|restart|try-restart|reload|force-reload|status}\n' "$0" >&2
	exit 2
	;;
esac

if [ -x /usr/sbin/foobarctl ]; then
	case $1 in
	start) act start 'Starting foobar...' ;;
	stop) act stop 'Stopping foobar...' ;;
	restart | try-restart) act "$1" 'Restarting foobar...' ;;
	reload | force-reload) act "$1" 'Reloading foobar...' ;;
	status) exec /usr/sbin/foobarctl status foobar ;;
	esac
fi

printf '%s\n' 'foobar: foobarctl is not installed: install it, or write this script anew with install --standalone' >&2
[ "$1" = status ] && exit 4
exit 5
# Written by foobarctl. Changes by hand are kept: this checksum shows them: 62d66c5e320a12c8
