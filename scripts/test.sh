#!/bin/sh
# sh scripts/test.sh: installs what is missing, builds, and runs every test,
# in release and under sanitizers. Ends with "N passed, N failed"; exit 1 if
# any failed. Logs are in build/test/.
#
#   TIDAL_SEED=N    seed of the random cases
#   TIDAL_FUZZ=N    seconds of fuzzing, 0 = none
#   TIDAL_MUTANTS=N mutants that are tried, other ones each day; 0 = none
#   TIDAL_PARTS=N   so many parts at once, instead of one per processor
#   CI_STRICT=1     what cannot run here counts as failed
# Longer runs of the same: scripts/soak.sh.
# shellcheck source=scripts/build.sh
. "$(dirname "$0")/build.sh"
# shellcheck source=scripts/steps.sh
. scripts/steps.sh
need_to_build
need lua5.4 lua-busted clang strace
need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"

# One result for a command that prints no TAP.
once() {
  if "$@"; then echo "ok 1 - $*"; else echo "not ok 1 - $*"; fi
  echo 1..1
}

# The specs in two lists, each of which takes about as long as the other.
first=spec/lua
second=$(find spec -name '*_spec.lua' ! -path 'spec/lua/*' | LC_ALL=C sort)

# specs HOST SPEC...: inside a build of the host.
specs() {
  host=$1
  shift
  TIDAL_LUA=$host exec "$host" test --output=TAP "$@"
}

# The same with Debian's interpreter and lib/lua/5.4/tidal/core.so.
stock_specs() {
  TIDAL_LUA=bin/tidal-lua LUA_PATH="lua/?.lua;lua/?/init.lua;;" \
    LUA_CPATH="lib/lua/5.4/?.so;;" \
    exec lua5.4 /usr/bin/busted --ignore-lua --output=TAP "$@"
}

# unit PROGRAM [SUITE...]: C tests write to build/ where they stand, so each
# program has a place of its own.
unit() {
  program=$PWD/$1
  place=build/place/$1
  shift
  export TIDAL_GOLDEN="${TIDAL_GOLDEN:-$PWD/spec/golden}"
  mkdir -p "$place/build"
  cd "$place"
  # Word splitting wanted: a command or nothing.
  # shellcheck disable=SC2086
  exec ${below:-} "$program" "$@"
}

# ThreadSanitizer wants less address randomisation than newer kernels have.
tsan_unit() {
  if setarch -R true 2>/dev/null; then below="setarch -R"; fi
  unit build/tsan/bin/tidal-unit replication log_threads follow_threads \
    migrate_threads
}

# Every C file once through clang, for its warnings, with the flags of the
# host's makefile.
clang_warnings() {
  flags=$(sed -n 's/^ *\(ALL_\)*CFLAGS *+= .*\(-std=c11.*\)$/\2/p' \
    build/host.make | head -n 1 | sed 's/.(WERROR)//')
  # Word splitting wanted: flags and files.
  # shellcheck disable=SC2086
  find runtime build/embedded.c -name '*.c' ! -path '*/fuzz/*' -print0 |
    xargs -0 -n 8 clang -fsyntax-only -Werror -Iruntime $flags
}

generate
echo "building ..."
build
build config=asan
build config=tsan unit
echo "testing ..."
# Word splitting wanted: files.
# shellcheck disable=SC2086
{
  part "unit" unit bin/tidal-unit
  part "specs of lua/, ASan+UBSan" specs build/asan/bin/tidal-lua $first
  part "specs of lua/ in the host" specs bin/tidal-lua $first
  part "specs of lua/ in lua5.4" stock_specs $first
  part "unit, ASan+UBSan" unit build/asan/bin/tidal-unit
  part "other specs, ASan+UBSan" specs build/asan/bin/tidal-lua $second
  part "other specs in the host" specs bin/tidal-lua $second
  part "other specs in lua5.4" stock_specs $second
}
part "threads, TSan" tsan_unit
part "clang warnings" once clang_warnings
[ "${TIDAL_MUTANTS:-10}" = 0 ] ||
  part "mutants" bin/tidal-lua scripts/tools/mutants.lua \
    --share "${TIDAL_MUTANTS:-10}"
[ "${TIDAL_FUZZ:-24}" = 0 ] ||
  part "fuzz" sh scripts/fuzz.sh "${TIDAL_FUZZ:-24}"
finish
