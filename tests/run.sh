#!/bin/bash
# Every check of the project, with all of its own set-up: formatting, lints, shellcheck, the oldest
# supported compiler, unit tests, end-to-end tests, real sysvinit boots, the Debian package.
# As root on Debian nothing is skipped; elsewhere each thing left out is named at the end.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=packaging/toolchain.sh
. packaging/toolchain.sh

passed=0 failed=0 skipped=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# check NAME COMMAND...: one check that passes or fails as a whole.
check() {
    local name=$1 from=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    if "$@"; then
        passed=$((passed + 1))
        printf '== %s: ok (%d s)\n' "$name" "$((SECONDS - from))"
    else
        failed=$((failed + 1))
        printf '== %s: FAILED\n' "$name"
    fi
}
skip() { skipped=$((skipped + 1)); printf 'SKIPPED: %s\n' "$*"; }

need_toolchain
apt_install dash busybox shellcheck devscripts lintian insserv startpar mmdebstrap dpkg-dev procps strace \
    init-system-helpers util-linux uidmap zsh fish groff curl wrk socat netcat-openbsd python3 perl ||
    say 'tests that need those packages will name themselves as skipped'

formatting() { cargo fmt --all --check; }
lints() { cargo clippy --quiet --workspace --all-targets -- -D warnings; }
documentation() { RUSTDOCFLAGS='-D warnings' cargo doc --quiet --workspace --no-deps; }
shell_files() {
    local files
    mapfile -t files < <(git ls-files -co --exclude-standard | while IFS= read -r file; do
        [ -f "$file" ] || continue
        case $file in
        # Not shell before their slots are filled; the scripts made of them are in tests/golden.
        initscripts/templates/*) ;;
        # Run by openrc-run; tests/scripts has them checked as what that makes of them.
        tests/golden/openrc/*) ;;
        *.sh) echo "$file" ;;
        *) head -c 80 "$file" | head -n 1 | grep -qaE '^#! ?/bin/(ba|da)?sh' && echo "$file" ;;
        esac
    done)
    printf '%s\n' "${files[@]}"
    shellcheck -x "${files[@]}"
}
# The oldest compiler: what Cargo.toml states, compiled with that very compiler.
oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
oldest_compiler() { cargo "+$oldest" check --quiet --workspace --all-targets --target-dir "${CARGO_TARGET_DIR:-target}/oldest"; }
cargo_tests() {
    # Test by test, the programs side by side. What the runner swallows of a skip is counted from its file.
    cargo test --workspace --no-fail-fast 2>&1 | tee "$log"
    return "${PIPESTATUS[0]}"
}

check 'cargo fmt --check' formatting
check 'clippy, warnings denied' lints
check 'documentation, warnings denied' documentation
if command -v shellcheck >/dev/null 2>&1; then check 'shellcheck' shell_files; else skip 'shellcheck is not installed'; fi
if cargo "+$oldest" --version >/dev/null 2>&1 || rustup toolchain install "$oldest" --profile minimal >/dev/null 2>&1; then
    check "oldest supported compiler ($oldest)" oldest_compiler
else
    skip "Rust $oldest, the oldest supported compiler, cannot be had here"
fi
check 'cargo test' cargo_tests

# Single tests, as the test programs count them; checks of this script are counted beside them.
count() { awk -v word="$1" '/^test result:/ { for (i = 2; i <= NF; i++) if ($i == word ";") sum += $(i - 1) } END { print sum + 0 }' "$log"; }
tests_passed=$(count passed)
tests_failed=$(count failed)
skips=$(grep -ac '^SKIPPED: ' "$log")
[ "$skips" -eq 0 ] || { printf '\n'; grep -a '^SKIPPED: ' "$log"; }
printf '\n%d passed, %d failed, %d skipped\n' "$((passed + tests_passed))" "$((failed + tests_failed))" "$((skipped + skips))"
[ "$failed" -eq 0 ] && [ "$tests_failed" -eq 0 ]
