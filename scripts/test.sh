#!/bin/sh
# sh scripts/test.sh: installs what is missing, builds, and runs every test,
# in release and under sanitizers. Ends with "N passed, N failed"; exit 1 if
# any failed. Logs are in build/test/.
#
#   TIDAL_SEED=N    seed of the random cases      TIDAL_SOAK=1    longer runs
#   TIDAL_FUZZ=N    seconds of fuzzing, 0 = none
# shellcheck source=scripts/build.sh
. "$(dirname "$0")/build.sh"
need_to_build
need lua5.4 lua-busted clang
need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"

passed=0
failed=0
skipped=0
mkdir -p build/test

# count FILE STATUS NAME: adds the TAP lines of a log; a command that failed
# without a red line counts as one.
count() {
  ok=$(grep -c '^ok ' "$1" || true)
  red=$(grep -c '^not ok ' "$1" || true)
  skip=$(grep -Ec '^ok .*# SKIP' "$1" || true)
  if [ "$2" -ne 0 ] && [ "$red" -eq 0 ]; then red=1; fi
  if [ "$red" -gt 0 ]; then
    grep -vE '^ok ' "$1" | head -n 200
  fi
  passed=$((passed + ok - skip))
  skipped=$((skipped + skip))
  failed=$((failed + red))
  printf '%-28s %5d passed, %d failed%s\n' "$3" $((ok - skip)) "$red" \
    "$([ "$skip" -eq 0 ] || echo ", $skip skipped")"
  grep -E '^ok .*# SKIP' "$1" || true
}

# step NAME COMMAND...
step() {
  name=$1
  shift
  log=build/test/$(echo "$name" | tr ' /' '--').txt
  status=0
  "$@" >"$log" 2>&1 || status=$?
  count "$log" "$status" "$name"
}

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
  set -- build/tsan/bin/tidal-unit replication log_threads follow_threads
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
step "unit" bin/tidal-unit
step "specs in the host" specs bin/tidal-lua
step "specs in lua5.4" stock_specs
step "clang warnings" once clang_warnings
echo "building with sanitizers ..."
build config=asan
step "unit, ASan+UBSan" build/asan/bin/tidal-unit
step "specs, ASan+UBSan" specs build/asan/bin/tidal-lua
build config=tsan unit
step "threads, TSan" tsan_unit
[ "${TIDAL_FUZZ:-24}" = 0 ] ||
  step "fuzz" fuzz "${TIDAL_FUZZ:-24}"
echo
echo "$passed passed, $failed failed$([ $skipped -eq 0 ] ||
  echo ", $skipped skipped")"
[ "$failed" -eq 0 ]
