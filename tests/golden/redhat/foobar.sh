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
#
# chkconfig: 2345 50 50
# description: foobar network echo server
#
# Hands over to foobarctl, which knows the service foobar from its service file, and keeps the lock file
# by which rc knows that there is something to stop.
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

case "$*" in
start | stop | restart | try-restart | condrestart | reload | force-reload | status)
	verb=$1
	# The name that try-restart has in older scripts.
	[ "$verb" = condrestart ] && verb=try-restart
	[ -x /usr/sbin/foobarctl ] && exec /usr/sbin/foobarctl "$verb" foobar
	;;
*)
	printf 'Usage: %s {start|stop|restart|try-restart|condrestart|reload|force-reload|status}\n' "$0" >&2
	exit 2
	;;
esac

# Not reached where foobarctl is. Red Hat's functions show the failure as this machine shows others.
printf '%s\n' 'foobar: foobarctl is not installed: install it, or write this script anew with install --standalone' >&2
if [ -r /etc/rc.d/init.d/functions ]; then
	# shellcheck source=/dev/null
	. /etc/rc.d/init.d/functions
	failure 'foobar'
	printf '\n'
fi
[ "$1" = status ] && exit 4
exit 5
# Written by foobarctl. Changes by hand are kept: this checksum shows them: 555da2d78918c5e2
