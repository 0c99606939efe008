#!/bin/bash
# build-root.sh DIR SUITE: make DIR the root of a small Debian with sysvinit as its init.
#
# The result is only ever the lower layer of an overlay, so one copy serves every test of every run.
# Whoever calls this keeps it under a name made from this text and SUITE. If DIR exists, nothing is done; of
# two that build it at once, the second waits for the first.
set -euo pipefail
export LC_ALL=C
wanted=$1 suite=$2
dir=$wanted.new

exec 8>"$wanted.lock"
flock 8
[[ -d $wanted ]] && exit
rm -rf --one-file-system "$dir"

# procps: ps and pgrep for the tests. orphan-sysvinit-scripts: where Debian keeps /etc/init.d/rsyslog.
# usr-is-merged: without it `essential` pulls in usrmerge, and with that all of perl.
packages=usr-is-merged,sysvinit-core,sysv-rc,startpar,insserv,initscripts,orphan-sysvinit-scripts,procps,rsyslog

# No mirror is named here: the root comes from where this machine gets its own packages.
sources() {
    # shellcheck disable=SC2016  # the dollars are apt's
    apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v suite="$suite" '($2 == suite || index($2, suite "-") == 1) && $3 == "main" && !seen[$0]++ { print "deb", $0 }'
}

install_mmdebstrap() {
    command -v mmdebstrap >/dev/null && [[ $(sources) ]] && return
    apt-get update
    command -v mmdebstrap >/dev/null ||
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mmdebstrap
}

unpack() {
    local options=() path
    for path in doc man info locale i18n zoneinfo lintian bug; do
        options+=("--dpkgopt=path-exclude=/usr/share/$path/*")
    done
    mmdebstrap --quiet --mode=root --variant=essential --format=directory \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
        --aptopt='APT::Install-Recommends "false"' \
        "${options[@]}" "--dpkgopt=path-exclude=/usr/lib/*/gconv/*" \
        --include="$packages" "$suite" "$dir" - < <(sources)
}

# What a container cannot have, and what would reach the machine below it.
trim() {
    local service
    # These set the clock, the sysctls, the backlight and the entropy of the machine that runs the tests.
    for service in hwclock.sh procps brightness urandom; do
        [[ -e $dir/etc/init.d/$service ]] || continue
        chroot "$dir" update-rc.d -f "$service" remove
        rm "$dir/etc/init.d/$service"
    done
    # Which of two equals comes first in startpar's files follows from the order of the directories, so the last
    # word is insserv's on the directories as they are from now on.
    chroot "$dir" insserv
    sed -i 's/^module(load="imklog"/#&/' "$dir/etc/rsyslog.conf"
    echo "# the root is mounted already" >"$dir/etc/fstab"
    echo testbed >"$dir/etc/hostname"
    echo "127.0.0.1 localhost testbed" >"$dir/etc/hosts"
    rm -f "$dir/etc/resolv.conf" "$dir/etc/machine-id"
    # mmdebstrap leaves its path excludes behind; the packages under test are to be unpacked whole.
    rm -f "$dir/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
}

# init runs a `once` entry after the `wait` entries before it have ended, and /etc/init.d/rc is one: a
# line at the end of inittab runs when all scripts of the level are done. In S the shell of
# single-user mode is a `wait` entry itself, so there the mark stands before it.
mark_levels() {
    local level mark=/usr/local/lib/testbed/mark
    install -D -m 755 "$(dirname "$0")/mark" "$dir$mark"
    sed -i -e '/getty/d' -e "/^~~:S:wait:/i m:S:once:$mark S" "$dir/etc/inittab"
    for level in 1 2 3 4 5; do
        echo "m$level:$level:once:$mark $level" >>"$dir/etc/inittab"
    done
}

install_mmdebstrap
unpack
trim
mark_levels
mv "$dir" "$wanted"
