# Sourced by the scripts that compile: puts a Rust toolchain and a C linker within reach, on a machine
# that may have neither. Says what it installs; asks for nothing.
# shellcheck shell=sh

say() { printf '%s\n' "$*" >&2; }

# have_cargo: a cargo that knows the edition of this workspace.
have_cargo() {
    command -v cargo >/dev/null 2>&1 || return 1
    # "cargo 1.85.0 (…)" -> 85
    minor=$(cargo --version | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
    [ "${minor:-0}" -ge 85 ]
}

# apt_install PACKAGE...: the packages that are missing; 1 where this user or machine cannot.
apt_install() {
    missing=
    for package; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        say "missing, and only root on a Debian machine can install them here:$missing"
        return 1
    fi
    say "installing:$missing"
    # Lists of a fresh machine are empty or old. Words must be split here.
    apt-get update -qq || return 1
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# need_toolchain: cargo and cc are there when this returns, else it ends the script.
need_toolchain() {
    PATH=$PATH:${HOME:-/nonexistent}/.cargo/bin
    export PATH
    command -v cc >/dev/null 2>&1 || apt_install gcc libc6-dev || { say 'no C linker: install gcc'; exit 1; }
    have_cargo && return 0
    command -v curl >/dev/null 2>&1 || apt_install curl ca-certificates || exit 1
    say 'installing the Rust toolchain with rustup, below ~/.cargo and ~/.rustup'
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal \
        -c rustfmt -c clippy --no-modify-path
    have_cargo || { say 'no cargo 1.85 or newer: see https://rustup.rs'; exit 1; }
}
