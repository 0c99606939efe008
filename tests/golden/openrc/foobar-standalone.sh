#!/sbin/openrc-run
# Runs the service foobar with OpenRC's start-stop-daemon(8) and no foobarctl. There is no LSB header: Debian's
# OpenRC would run a script with one by another shell.
# Runlevel: default

description='foobar network echo server'
program=/usr/sbin/foobard
pid_file=/var/run/foobar.pid
stop_signal=TERM
stop_timeout=5
reload_signal=HUP
extra_started_commands="reload"

depend() {
	use localmount netmount logger net
}

# When its first process exits, the program is ready and its PID file is there.
start() {
	ebegin "Starting foobar"
	start-stop-daemon --start --exec "$program" --pidfile "$pid_file" -- --config /etc/foobard.toml --pid-file /var/run/foobar.pid
	eend $?
}

stop() {
	ebegin "Stopping foobar"
	start-stop-daemon --stop --exec "$program" --pidfile "$pid_file" --retry "$stop_signal/$stop_timeout/KILL/2"
	eend $?
}

reload() {
	if [ -z "$reload_signal" ]; then
		eerror "foobar cannot reload: use restart"
		return 3
	fi
	ebegin "Reloading foobar"
	start-stop-daemon --signal "$reload_signal" --exec "$program" --pidfile "$pid_file"
	eend $?
}
# Written by foobarctl. Changes by hand are kept: this checksum shows them: 3a23c0d7b46019ee
