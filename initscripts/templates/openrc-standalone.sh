#!/sbin/openrc-run
# Runs the service @NAME@ with OpenRC's start-stop-daemon(8) and no foobarctl. There is no LSB header: Debian's
# OpenRC would run a script with one by another shell.
# Runlevel: @LEVEL@

description=@DESCRIPTION@
program=@PROGRAM@
pid_file=@PID_FILE@
reload_signal=@RELOAD_SIGNAL@
extra_started_commands="reload"

# What @DEFAULTS@ may have set.
[ -n "${command_args+set}" ] || command_args=@COMMAND_ARGS@
[ -n "$retry" ] || retry=@RETRY@

depend() {
@DEPEND@
}

# When its first process exits, the program is ready and its PID file is there.
start() {
	ebegin "Starting @NAME@"
	eval "start-stop-daemon --start --exec \"\$program\" --pidfile \"\$pid_file\" -- $command_args"
	eend $?
}

stop() {
	ebegin "Stopping @NAME@"
	start-stop-daemon --stop --exec "$program" --pidfile "$pid_file" --retry "$retry"
	eend $?
}

reload() {
	if [ -z "$reload_signal" ]; then
		eerror "@NAME@ cannot reload: use restart"
		return @UNIMPLEMENTED@
	fi
	ebegin "Reloading @NAME@"
	start-stop-daemon --signal "$reload_signal" --exec "$program" --pidfile "$pid_file"
	eend $?
}
