#!/sbin/openrc-run
### BEGIN INIT INFO
# Provides:          foobar
# Required-Start:    $remote_fs $syslog $network
# Required-Stop:     $remote_fs $syslog $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: foobar network echo server
# Description:       Runs /usr/sbin/foobard as the service foobar.
### END INIT INFO
# Hands over to foobarctl, which knows the service foobar from its service file. OpenRC orders it by depend() below;
# the header above says the same to others.

description='foobar network echo server'
extra_started_commands="reload"

depend() {
	need localmount
	use netmount logger net
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
# Written by foobarctl. Changes by hand are kept: this checksum shows them: 9010f46b41c88c13
