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
# Hands over to foobarctl, which knows the service foobar from its service file. It is started at boot if this
# file is executable: rc.local calls it then.
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
start | stop | restart | try-restart | reload | force-reload | status)
	[ -x /usr/sbin/foobarctl ] && exec /usr/sbin/foobarctl "$1" foobar
	;;
*)
	printf 'Usage: %s {start|stop|restart|try-restart|reload|force-reload|status}\n' "$0" >&2
	exit 2
	;;
esac

# Not reached where foobarctl is.
printf '%s\n' "foobar: foobarctl is not installed: install it, or write this script anew with install --standalone" >&2
[ "$1" = status ] && exit 4
exit 5
# Written by foobarctl. Changes by hand are kept: this checksum shows them: 0c95b435e93f0fdf
