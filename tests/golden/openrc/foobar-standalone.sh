#!/sbin/openrc-run
# Runs the service foobar with OpenRC's start-stop-daemon(8) and no foobarctl. There is no LSB header: Debian's
# OpenRC would run a script with one by another shell.
# Runlevel: default

description='foobar network echo server'
program=/usr/sbin/foobard
pid_file=/var/run/foobar.pid
reload_signal=HUP
extra_started_commands="reload"

# What /etc/conf.d/foobar may have set.
[ -n "${command_args+set}" ] || command_args='--config /etc/foobard.toml --pid-file /var/run/foobar.pid'
[ -n "$retry" ] || retry=TERM/5/KILL/2

depend() {
	use localmount netmount logger net
}

# When its first process exits, the program is ready and its PID file is there.
start() {
	ebegin "Starting foobar"
	eval "start-stop-daemon --start --exec \"\$program\" --pidfile \"\$pid_file\" -- $command_args"
	eend $?
}

stop() {
	ebegin "Stopping foobar"
	start-stop-daemon --stop --exec "$program" --pidfile "$pid_file" --retry "$retry"
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
# Written by foobarctl. Changes by hand are kept: this checksum shows them: 5a8a3f69f7cf4d0c
