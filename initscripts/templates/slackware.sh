#!/bin/sh
@HEADER@
# Hands over to foobarctl, which knows the service @NAME@ from its service file. It is started at boot if this
# file is executable: rc.local calls it then.
#
# Exit codes of status:
@STATUS_CODES@
# of all other actions:
@ACTION_CODES@

case "$*" in
start | stop | restart | try-restart | reload | force-reload | status)
	[ -x @FOOBARCTL@ ] && exec @FOOBARCTL@ @OPTIONS@"$1" @NAME@
	;;
*)
	printf 'Usage: %s {start|stop|restart|try-restart|reload|force-reload|status}\n' "$0" >&2
	exit @USAGE@
	;;
esac

# Not reached where foobarctl is.
printf '%s\n' "@NAME@: foobarctl is not installed: install it, or write this script anew with install --standalone" >&2
[ "$1" = status ] && exit @UNKNOWN@
exit @NOT_INSTALLED@
