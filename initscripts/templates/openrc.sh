#!/sbin/openrc-run
# Hands over to foobarctl, which knows the service @NAME@ from its service file. There is no LSB header: Debian's
# OpenRC would run a script with one by another shell.
# Runlevel: @LEVEL@

description=@DESCRIPTION@
extra_started_commands="reload"

depend() {
@DEPEND@
}

control() {
	if [ ! -x @FOOBARCTL@ ]; then
		eerror "foobarctl is not installed: install it, or write this script anew with install --standalone"
		return @NOT_INSTALLED@
	fi
	@FOOBARCTL@ @OPTIONS@"$@" @NAME@
}

start() {
	ebegin "Starting @NAME@"
	control --quiet start
	eend $?
}

stop() {
	ebegin "Stopping @NAME@"
	control --quiet stop
	eend $?
}

reload() {
	ebegin "Reloading @NAME@"
	control --quiet reload
	eend $?
}

status() {
	control status
}
