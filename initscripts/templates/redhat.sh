#!/bin/sh
@HEADER@
# Hands over to foobarctl, which knows the service @NAME@ from its service file, and keeps the lock file
# by which rc knows that there is something to stop.
#
# Exit codes of status:
@STATUS_CODES@
# of all other actions:
@ACTION_CODES@

case "$*" in
start | stop | restart | try-restart | condrestart | reload | force-reload | status)
	verb=$1
	# The name that try-restart has in older scripts.
	[ "$verb" = condrestart ] && verb=try-restart
	[ -x @FOOBARCTL@ ] && exec @FOOBARCTL@ @OPTIONS@"$verb" @NAME@
	;;
*)
	printf 'Usage: %s {start|stop|restart|try-restart|condrestart|reload|force-reload|status}\n' "$0" >&2
	exit @USAGE@
	;;
esac

# Not reached where foobarctl is. Red Hat's functions show the failure as this machine shows others.
printf '%s\n' '@NAME@: foobarctl is not installed: install it, or write this script anew with install --standalone' >&2
if [ -r /etc/rc.d/init.d/functions ]; then
	# shellcheck source=/dev/null
	. /etc/rc.d/init.d/functions
	failure '@NAME@'
	printf '\n'
fi
[ "$1" = status ] && exit @UNKNOWN@
exit @NOT_INSTALLED@
