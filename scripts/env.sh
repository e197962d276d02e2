# Sourced by the other scripts: where tools are, how wasm is built, small helpers.
# POSIX sh. Sets PODIUM_ROOT, TOOLS, and the functions say, fail, have, wasm_cargo.

PODIUM_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")" && while [ ! -f index.html ] && [ "$PWD" != / ]; do cd ..; done && pwd)
TOOLS=${PODIUM_TOOLS:-$HOME/.cache/podium}
WASM_BINDGEN=0.2.126
TRUNK=0.21.14
WASM=wasm32-unknown-unknown
PATH=$TOOLS/bin:$HOME/.cargo/bin:$PATH
export PATH

say() { printf '== %s\n' "$*"; }
fail() { printf 'podium: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, if that is possible without asking.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Can the toolchain on the PATH build for wasm? PODIUM_TOOLCHAIN=debian passes it over.
rustup_wasm() {
  [ "${PODIUM_TOOLCHAIN:-}" != debian ] && have rustc && [ -d "$(rustc --print sysroot)/lib/rustlib/$WASM/lib" ]
}

# Can Debian's rustc build for wasm (its std was built by scripts/setup)?
debian_wasm() {
  [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] &&
    ls /usr/lib/rustlib/$WASM/lib/libstd-*.rlib /usr/lib/rustlib/$WASM/podium-small >/dev/null 2>&1
}

# Makes cargo build wasm, whichever compiler can. Two compilers must not share a target folder.
wasm_env() {
  if rustup_wasm; then
    CARGO_TARGET_DIR=${PODIUM_WASM_TARGET:-$PODIUM_ROOT/target/wasm}
  elif debian_wasm; then
    PATH=$TOOLS/debian:$PATH
    RUSTC=/usr/bin/rustc
    CARGO=/usr/bin/cargo
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(command -v wasm-ld-22 || command -v wasm-ld || echo rust-lld)
    CARGO_TARGET_DIR=${PODIUM_WASM_TARGET:-$PODIUM_ROOT/target/wasm-debian}
    export RUSTC CARGO CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
  else
    fail "no compiler here can build for $WASM: run scripts/setup"
  fi
  export CARGO_TARGET_DIR PATH
}

# For optimised builds: panics do not carry the place in the source, which saves bytes, and
# functions have the names that scripts/split knows.
small_env() {
  RUSTC_BOOTSTRAP=1
  RUSTFLAGS="-Zlocation-detail=none -Csymbol-mangling-version=v0"
  # the linker's notes tell which function reaches which data; dividing takes them out again
  if [ -d "$PODIUM_ROOT/tests/e2e/node_modules/binaryen" ]; then
    RUSTFLAGS="$RUSTFLAGS -Clink-arg=--emit-relocs -Clink-arg=--demangle"
  fi
  export RUSTC_BOOTSTRAP RUSTFLAGS
}

# The browser for tests.
chromium_path() {
  for c in chromium chromium-browser google-chrome; do
    if have "$c"; then command -v "$c"; return; fi
  done
}
