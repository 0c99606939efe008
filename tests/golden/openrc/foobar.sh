#!/sbin/openrc-run
# Hands over to foobarctl, which knows the service foobar from its service file. There is no LSB header: Debian's
# OpenRC would run a script with one by another shell.
# Runlevel: default

description='foobar network echo server'
extra_started_commands="reload"

depend() {
	use localmount netmount logger net
}

control() {
	if [ ! -x /usr/sbin/foobarctl ]; then
		eerror "foobarctl is not installed: install it, or write this script anew with install --standalone"
		return 5
	fi
	/usr/sbin/foobarctl "$@" foobar
}

start() {
	ebegin "Starting foobar"
	control --quiet start
	eend $?
}

stop() {
	ebegin "Stopping foobar"
	control --quiet stop
	eend $?
}

reload() {
	ebegin "Reloading foobar"
	control --quiet reload
	eend $?
}

status() {
	control status
}
# Written by foobarctl. Changes by hand are kept: this checksum shows them: aa9d6e1dbdcae0eb
