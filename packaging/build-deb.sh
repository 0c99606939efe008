#!/bin/bash
# Builds the Debian package from the tree: build-deb.sh [--version V] [--from DIR] [--to DIR]
#
# --version   another version than that of Cargo.toml (to test upgrades)
# --from      where foobard and foobarctl are (default: build.sh makes them)
# --to        where the package goes (default: beside them)
#
# Init script, links and configuration are not in the package: its scripts have foobarctl write them.
# The same sources and compiler give the same bytes. Standard output is the path of the package, alone.
set -euo pipefail
export LC_ALL=C
umask 022
here=$(cd "$(dirname "$0")" && pwd)

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml")
from='' to=''
while (($#)); do
    (($# >= 2)) || { echo "build-deb.sh: $1 needs a value" >&2; exit 2; }
    case $1 in
    --version) version=$2 ;;
    --from) from=$2 ;;
    --to) to=$2 ;;
    *) echo "build-deb.sh: unknown argument '$1'" >&2; exit 2 ;;
    esac
    shift 2
done
[[ $from ]] || from=$("$here/build.sh")
to=${to:-$from}

# Time of the last entry of the changelog, for all files: nothing in the package tells when it was built.
SOURCE_DATE_EPOCH=$(date -d "$(sed -n '/^ -- /{s/.*>  //p;q}' "$here/debian/changelog")" +%s)
export SOURCE_DATE_EPOCH
architecture=$(dpkg --print-architecture)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root

programs_and_pages() {
    DESTDIR=$root "$here/install.sh" --prefix /usr --from "$from" >&2
    # The place where Debian differs from the rest of the world.
    mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
    gzip -9n "$root"/usr/share/man/man[58]/*.[58]
    # The one section that Cargo's own stripping leaves.
    strip --remove-section=.comment "$root"/usr/sbin/*
}

documents() {
    local doc=$root/usr/share/doc/foobar
    {
        if ! grep -q "^foobar ($version)" "$here/debian/changelog"; then
            printf 'foobar (%s) unstable; urgency=medium\n\n  * Built from the tree.\n\n' "$version"
            printf '%s\n\n' "$(sed -n '/^ -- /{p;q}' "$here/debian/changelog")"
        fi
        cat "$here/debian/changelog"
    } | gzip -9n >"$doc/changelog.gz"
    # The licence text has one home; the machine-readable form wants it indented and without empty lines.
    sed -n '/^Permission/,$p' "$here/../LICENSE-MIT" | sed -e 's/^$/./' -e 's/^/ /' >"$stage/licence"
    sed -e "/^@MIT@$/{r $stage/licence" -e 'd}' "$here/debian/copyright" >"$doc/copyright"
    install -D -m 644 "$here/debian/lintian-overrides" "$root/usr/share/lintian/overrides/foobar"
}

control() {
    local size
    mkdir "$root/DEBIAN"
    size=$(du -k -s --apparent-size --exclude=DEBIAN "$root" | cut -f1)
    sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" \
        "$here/debian/control" >"$root/DEBIAN/control"
    install -m 755 "$here"/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
    (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
}

programs_and_pages
documents
control
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$to"
package=$to/foobar_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >&2
readlink -f "$package"
