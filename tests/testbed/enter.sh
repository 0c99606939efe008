#!/bin/bash
# enter.sh: the first process of the new PID namespace. It mounts what a kernel would have mounted, moves
# into the new root and becomes /sbin/init. Run by launch.sh only, which sets the variables.
set -euo pipefail
root=$TESTBED_RUN/merged

if [[ -z ${TESTBED_INSIDE:-} ]]; then
    # /proc is still that of the machine, and so is the PID in it: the one the harness needs.
    read -r stat </proc/self/stat
    fields=("${stat##*) }")
    read -ra fields <<<"${fields[0]}"
    echo "${stat%% *} ${fields[19]}" >"$TESTBED_RUN/init.new"
    mv "$TESTBED_RUN/init.new" "$TESTBED_RUN/init"
    [[ $TESTBED_CGROUP ]] && echo 0 >"$TESTBED_CGROUP/cgroup.procs"
    # Once more from the top: what follows sees its own cgroup as the root, and has lost the capabilities
    # that reach the clock, the disks, the modules and the log of the machine.
    TESTBED_INSIDE=1 exec setpriv --bounding-set "$TESTBED_DROP" --inh-caps -all unshare --cgroup bash "$0"
fi

mount --bind "$root$(tty)" "$root/dev/console"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
[[ $TESTBED_CGROUP && -d $root/sys/fs/cgroup ]] && mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"

# The knobs of the machine's kernel: to be looked at, or not even that.
for knob in sys irq bus fs; do
    [[ -d $root/proc/$knob ]] || continue
    mount --bind "$root/proc/$knob" "$root/proc/$knob"
    mount -o remount,bind,ro "$root/proc/$knob"
done
for knob in sysrq-trigger kmsg kcore swaps; do
    [[ -e $root/proc/$knob ]] && mount --bind "$root/dev/null" "$root/proc/$knob"
done
# A machine has a new boot id after each boot; the kernel below has not been booted.
cat /proc/sys/kernel/random/uuid >"$root/dev/.boot_id"
chmod 444 "$root/dev/.boot_id"
mount --bind "$root/dev/.boot_id" "$root/proc/sys/kernel/random/boot_id"

hostname testbed
ip link set lo up

cd "$root"
mkdir run/.old
pivot_root . run/.old
exec </dev/console >/dev/console 2>&1
# The files of the machine go out of sight last, and init gets the environment a kernel gives it.
# shellcheck disable=SC2016  # expanded by the shell inside
exec chroot . /bin/sh -c 'umount -l /run/.old && rmdir /run/.old && cd / && exec "$@"' sh \
    env -i HOME=/ TERM=linux container=testbed /sbin/init
