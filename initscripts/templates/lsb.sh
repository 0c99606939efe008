#!/bin/sh
@HEADER@
# Hands over to foobarctl, which knows the service @NAME@ from its service file.
#
# Exit codes of status:
@STATUS_CODES@
# of all other actions:
@ACTION_CODES@

case "$*" in
start | stop | restart | try-restart | reload | force-reload | status | 'start --force-sysv')
	[ -x @FOOBARCTL@ ] && exec @FOOBARCTL@ @OPTIONS@"$1" @NAME@
	;;
*)
	printf 'Usage: %s {start|stop|restart|try-restart|reload|force-reload|status}\n' "$0" >&2
	exit @USAGE@
	;;
esac

# Not reached where foobarctl is. LSB's functions show the failure as this machine shows others.
why='foobarctl is not installed: install it, or write this script anew with install --standalone'
if [ -r /lib/lsb/init-functions ]; then
	export SYSTEMCTL_SKIP_REDIRECT=1
	# shellcheck source=/dev/null
	. /lib/lsb/init-functions
	log_failure_msg "@NAME@: $why" >&2
else
	printf '%s\n' "@NAME@: $why" >&2
fi
[ "$1" = status ] && exit @UNKNOWN@
exit @NOT_INSTALLED@
