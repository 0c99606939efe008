#!/bin/bash
# launch.sh RUN LOWER CGROUP [COMMAND...]: start the system whose files are RUN/upper over LOWER.
#
# Runs in a mount namespace of its own, still among the PIDs of the machine. Without COMMAND it
# becomes script(1), whose terminal is the console of the new system and whose log is RUN/console;
# with COMMAND it runs that in the root of the system, with no init at all.
#
# One rule keeps the machine safe: nothing of its own is mounted inside. An init remounts what it finds
# at shutdown, and a remount changes the file system itself, in every namespace. So the root is an
# overlay, /dev is a new tmpfs with nodes made by mknod, and the terminals are a new devpts instance.
set -euo pipefail
run=$1 lower=$2 cgroup=$3
shift 3
root=$run/merged
here=$(dirname "$(readlink -f "$0")")

# The test runner's pipes must not live on in a daemon: it would wait for their end.
for descriptor in /proc/self/fd/*; do
    descriptor=${descriptor##*/}
    ((descriptor > 2)) && eval "exec $descriptor>&-"
done

node() { mknod -m 666 "$root/dev/$1" c "$2" "$3"; }

mount -t overlay -o "lowerdir=$lower,upperdir=$run/upper,workdir=$run/work" testbed "$root"
mount -t tmpfs -o mode=755,nosuid dev "$root/dev"
node null 1 3
node zero 1 5
node full 1 7
node random 1 8
node urandom 1 9
node tty 5 0
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
: >"$root/dev/console"

if (($#)); then
    export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
    # shellcheck disable=SC2016  # expanded by the shell that unshare starts
    exec setpriv --bounding-set "$TESTBED_DROP" --inh-caps -all \
        unshare --fork --kill-child=KILL --pid --ipc --net \
        bash -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@"
fi

# script(1) is to take its terminal from the devpts of the new system; only this namespace sees that.
mount --bind "$root/dev/pts" /dev/pts
mount --bind "$root/dev/pts/ptmx" /dev/ptmx
export SHELL=/bin/sh TESTBED_RUN=$run TESTBED_CGROUP=$cgroup TESTBED_ENTER=$here/enter.sh
# Each link of the chain dies with the one above it, so killing any of them leaves nothing behind.
# shellcheck disable=SC2016  # expanded by the shell that script starts
exec script --quiet --return --flush --log-out "$run/console" --command \
    'exec setpriv --pdeathsig KILL unshare --fork --kill-child=KILL --pid --mount --uts --ipc --net bash "$TESTBED_ENTER"' \
    </dev/null >/dev/null
