#!/bin/sh
# sh scripts/test.sh: installs what is missing, builds, and runs every test,
# in release and under sanitizers. Ends with "N passed, N failed"; exit 1 if
# any failed. Logs are in build/test/.
#
#   TIDAL_SEED=N    seed of the random cases
#   TIDAL_FUZZ=N    seconds of fuzzing, 0 = none
#   TIDAL_MUTANTS=N mutants that are tried, other ones each day; 0 = none
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
}

# specs HOST: every spec inside a build of the host.
specs() { TIDAL_LUA=$1 "$1" test --output=TAP spec; }

# The same with Debian's interpreter and lib/lua/5.4/tidal/core.so.
stock_specs() {
  TIDAL_LUA=bin/tidal-lua LUA_PATH="lua/?.lua;lua/?/init.lua;;" \
    LUA_CPATH="lib/lua/5.4/?.so;;" \
    lua5.4 /usr/bin/busted --ignore-lua --output=TAP spec
}

# One result per fuzz target: "fuzz NAME: 123 runs, ok".
fuzz() {
  status=0
  sh scripts/fuzz.sh "$1" >build/test/fuzz-out.txt 2>&1 || status=$?
  sed 's/^\(fuzz [a-z]*: .*, ok\)$/ok 1 - \1/' build/test/fuzz-out.txt
  return $status
}

# ThreadSanitizer wants less address randomisation than newer kernels have.
tsan_unit() {
  set -- build/tsan/bin/tidal-unit replication log_threads follow_threads \
      migrate_threads
  if setarch -R true 2>/dev/null; then set -- setarch -R "$@"; fi
  "$@"
}

# Every C file once through clang, for its warnings, with the flags of the
# host's makefile.
clang_warnings() {
  flags=$(sed -n 's/^ *\(ALL_\)*CFLAGS *+= .*\(-std=c11.*\)$/\2/p' \
    build/host.make | head -n 1 | sed 's/.(WERROR)//')
  # Word splitting wanted: flags and files.
  # shellcheck disable=SC2086
  find runtime build/embedded.c -name '*.c' ! -path '*/fuzz/*' -print0 |
    xargs -0 -n 8 -P "$(nproc)" clang -fsyntax-only -Werror -Iruntime $flags
}

generate
echo "building release ..."
build
beside "unit" bin/tidal-unit
step "specs in the host" specs bin/tidal-lua
joined
beside "specs in lua5.4" stock_specs
echo "building with sanitizers ..."
build config=asan
step "unit, ASan+UBSan" build/asan/bin/tidal-unit
joined
beside "specs, ASan+UBSan" specs build/asan/bin/tidal-lua
step "clang warnings" once clang_warnings
build config=tsan unit
step "threads, TSan" tsan_unit
[ "${TIDAL_MUTANTS:-10}" = 0 ] ||
  step "mutants" bin/tidal-lua scripts/tools/mutants.lua \
    --share "${TIDAL_MUTANTS:-10}"
joined
[ "${TIDAL_FUZZ:-24}" = 0 ] ||
  step "fuzz" fuzz "${TIDAL_FUZZ:-24}"
finish
