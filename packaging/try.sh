#!/bin/bash
# The main job in a minute: builds foobar, installs it below a scratch directory, and takes it through its
# life there, showing each command and what it answers. Nothing of this machine is changed; nothing of it
# runs as root, even when root calls it. (bash, for its /dev/tcp: the client of the TCP exchange.)
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=packaging/toolchain.sh
. packaging/toolchain.sh
need_toolchain

# Not the optimised build, which takes some times as long and does the same.
say 'building foobard and foobarctl: the first time takes some minutes'
cargo build --locked -p foobard -p foobarctl
built=${CARGO_TARGET_DIR:-target}/debug

scratch=$(mktemp -d "${TMPDIR:-/tmp}/foobar-try.XXXXXX")
prefix=$scratch/machine
as_user=()
finish() {
    # The daemon, should a step have failed, is ended by its own manager; by PID, never by name.
    [ ! -x "$prefix/sbin/foobarctl" ] || for name in foobar clock; do
        "${as_user[@]}" "$prefix/sbin/foobarctl" --prefix "$prefix" --quiet stop "$name" 2>/dev/null || :
    done
    rm -rf "$scratch"
}
trap finish EXIT
mkdir -p "$prefix/sbin"
cp "$built/foobard" "$built/foobarctl" "$prefix/sbin/"
if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$scratch"
    chown -R nobody "$scratch"
    as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/)
fi

# show COMMAND...: print the command, run it as the ordinary user, print a status that is not 0.
show() {
    printf '\n\033[1m$ %s\033[0m\n' "${*//$prefix/\$P}"
    local code=0
    (cd / && exec "${as_user[@]}" "$@") || code=$?
    [ "$code" -eq "${expect:-0}" ] || { say "exit status $code, not ${expect:-0}: this is a defect of foobar"; exit 1; }
    [ "$code" -eq 0 ] || printf '(exit status %s)\n' "$code"
}

port=4007
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done

printf '\nAn ordinary user (%s), and a machine of its own below P=%s\n' "$("${as_user[@]}" id -un)" "$prefix"
PATH=$prefix/sbin:$PATH
show foobarctl --prefix "$prefix" install --runlevels 2345 --dry-run
show foobarctl --prefix "$prefix" install --runlevels 2345
show sed -i "s/:4007/:$port/" "$prefix/etc/foobard.toml"
show ls -l "$prefix/etc/rc2.d" "$prefix/etc/rc0.d"
show "$prefix/etc/init.d/foobar" start
show foobarctl --prefix "$prefix" status
# shellcheck disable=SC2016
show bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; echo "hello, daemon" >&3; read -r answer <&3; echo "it answered: $answer"' exchange "$port"
show "$prefix/etc/init.d/foobar" reload
show foobarctl --prefix "$prefix" restart
show "$prefix/etc/init.d/foobar" status
show tail -n 5 "$prefix/var/log/foobard.log"
show foobarctl --prefix "$prefix" list
show "$prefix/etc/init.d/foobar" stop
expect=3 show foobarctl --prefix "$prefix" status
show foobarctl --prefix "$prefix" uninstall --purge

printf '\nAny other program, which is no daemon at all, becomes a service as well:\n'
# shellcheck disable=SC2016
show foobarctl --prefix "$prefix" install clock --runlevels 2345 -- sh -c 'while date; do sleep 1; done'
show "$prefix/etc/init.d/clock" start
show foobarctl --prefix "$prefix" status clock
show foobarctl --prefix "$prefix" signal KILL clock
show foobarctl --prefix "$prefix" wait clock --for ready --timeout 10
show foobarctl --prefix "$prefix" status clock
show foobarctl --prefix "$prefix" stop clock
show foobarctl --prefix "$prefix" uninstall clock --purge
show find "$prefix" -type f
printf '\nThat was the main job. As root, without --prefix, the same commands are for real.\n'
