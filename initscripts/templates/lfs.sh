#!/bin/sh
@HEADER@
# Hands over to foobarctl, which knows the service @NAME@ from its service file.
#
# Exit codes of status:
@STATUS_CODES@
# of all other actions:
@ACTION_CODES@

# How this machine shows what it does at boot.
if [ -r /lib/lsb/init-functions ]; then
	# shellcheck source=/dev/null
	. /lib/lsb/init-functions
fi

# Action $1 of foobarctl, with message $2 and its outcome if there are functions for that.
act() {
	if command -v log_info_msg >/dev/null && command -v evaluate_retval >/dev/null; then
		log_info_msg "$2"
		@FOOBARCTL@ @OPTIONS@--quiet "$1" @NAME@
		code=$?
		(exit "$code")
		evaluate_retval
	else
		@FOOBARCTL@ @OPTIONS@"$1" @NAME@
		code=$?
	fi
	exit "$code"
}

case "$*" in
start | stop | restart | try-restart | reload | force-reload | status) ;;
*)
	printf 'Usage: %s {start|stop|restart|try-restart|reload|force-reload|status}\n' "$0" >&2
	exit @USAGE@
	;;
esac

if [ -x @FOOBARCTL@ ]; then
	case $1 in
	start) act start 'Starting @NAME@...' ;;
	stop) act stop 'Stopping @NAME@...' ;;
	restart | try-restart) act "$1" 'Restarting @NAME@...' ;;
	reload | force-reload) act "$1" 'Reloading @NAME@...' ;;
	status) exec @FOOBARCTL@ @OPTIONS@status @NAME@ ;;
	esac
fi

printf '%s\n' '@NAME@: foobarctl is not installed: install it, or write this script anew with install --standalone' >&2
[ "$1" = status ] && exit @UNKNOWN@
exit @NOT_INSTALLED@
