#!/bin/sh
# Installs foobard and foobarctl, their manual pages, completions and examples; or takes them away again.
#
#     install.sh [--prefix DIR] [--from DIR] [--uninstall] [DESTDIR=DIR]
#
# --prefix   where it will live on the machine (/usr/local)
# --from     where the two programs are (default: they are built by build.sh)
# DESTDIR    a directory that stands for the root of that machine, also taken from the environment
#
# Nothing is put under init here: `foobarctl install` does that, and `foobarctl uninstall` undoes it.
set -eu

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }
fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

here=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local from='' remove='' destdir=${DESTDIR:-}
while [ $# -gt 0 ]; do
    case $1 in
    --prefix | --from) [ $# -ge 2 ] || fail "$1 needs a directory" 2 ;;
    esac
    case $1 in
    --prefix) prefix=$2 && shift ;;
    --prefix=*) prefix=${1#*=} ;;
    --from) from=$2 && shift ;;
    --from=*) from=${1#*=} ;;
    DESTDIR=*) destdir=${1#*=} ;;
    --uninstall) remove=yes ;;
    -h | --help) usage && exit ;;
    *) fail "unknown argument '$1': see --help" 2 ;;
    esac
    shift
done
case $prefix in /*) ;; *) fail "the prefix must be an absolute path, not '$prefix'" 2 ;; esac
prefix=${prefix%/}
share=$destdir$prefix/share

# Everything that install puts somewhere and no other package owns.
uninstall() {
    rm -f "$destdir$prefix/sbin/foobard" "$destdir$prefix/sbin/foobarctl" \
        "$share"/man/man8/foobard.8* "$share"/man/man8/foobarctl*.8* "$share"/man/man5/foobar-service.5* \
        "$share"/bash-completion/completions/foobard "$share"/bash-completion/completions/foobarctl \
        "$share"/zsh/site-functions/_foobard "$share"/zsh/site-functions/_foobarctl \
        "$share"/fish/vendor_completions.d/foobard.fish "$share"/fish/vendor_completions.d/foobarctl.fish \
        "$share/doc/foobar/examples/foobar.toml" "$share/doc/foobar/examples/foobard.toml"
    rmdir "$share/doc/foobar/examples" "$share/doc/foobar" 2>/dev/null || :
}

# put MODE FILE TARGET: by way of a temporary name, since a running program cannot be written over.
put() {
    mkdir -p "${3%/*}"
    install -m "$1" "$2" "$3.new"
    mv -f "$3.new" "$3"
}

if [ "$remove" ]; then
    uninstall
    exit
fi
[ -n "$from" ] || from=$("$here/build.sh")
for program in foobard foobarctl; do
    [ -x "$from/$program" ] || fail "there is no program $from/$program: build it with build.sh"
done

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
"$from/foobarctl" man "$pages"
"$from/foobard" --manual >"$pages/foobard.8"
for shell in bash zsh fish; do
    "$from/foobarctl" completions "$shell" >"$pages/foobarctl.$shell"
    "$from/foobard" --completions "$shell" >"$pages/foobard.$shell"
done

for program in foobard foobarctl; do
    put 755 "$from/$program" "$destdir$prefix/sbin/$program"
    put 644 "$pages/$program.bash" "$share/bash-completion/completions/$program"
    put 644 "$pages/$program.zsh" "$share/zsh/site-functions/_$program"
    put 644 "$pages/$program.fish" "$share/fish/vendor_completions.d/$program.fish"
done
for section in 5 8; do
    for page in "$pages"/*."$section"; do
        put 644 "$page" "$share/man/man$section/${page##*/}"
    done
done
for example in foobar.toml foobard.toml; do
    put 644 "$here/$example" "$share/doc/foobar/examples/$example"
done
printf 'installed foobard and foobarctl in %s\n' "$destdir$prefix/sbin"
