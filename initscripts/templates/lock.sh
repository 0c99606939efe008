
# By this file rc knows that there is something to stop.
lock_file=@LOCK_FILE@

remember() {
	mkdir -p "${lock_file%/*}" && : >"$lock_file"
}

forget() {
	rm -f "$lock_file"
}

# Whether it was started and nobody has stopped it, though $1 says that it does not run.
forgotten() {
	[ "$1" -eq @STOPPED@ ] && [ -e "$lock_file" ] && say "is dead, and its lock file $lock_file exists"
}
