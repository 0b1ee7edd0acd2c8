#!/bin/sh
# sh scripts/soak.sh [MINUTES [STEP...]]: the batteries of the log for so long
# (60 minutes), the time shared between the steps: all of them, or those named.
# Each goes on with new seeds until its time is over; TIDAL_SEED=N is the
# first one. Prints what ran and how much of it; ends with "N passed, N
# failed", exit 1 if any failed. Logs are in build/test/.
#   flips cuts bursts     damage: every bit, every length, ten kinds
#   crash recovery        power failures at every call, twice and three times
#   faults memory         an error at every call, two at once; no memory
#   kill strace           kill -9 and errors of the kernel, on the real disk
#   layouts               hostile and generated scripts, each in its process;
#                         one layout in 200 processes; once, however long
#   fuzz mutants          fuzz targets; every mutant once, however long
# shellcheck source=scripts/build.sh
. "$(dirname "$0")/build.sh"
# shellcheck source=scripts/steps.sh
. scripts/steps.sh

minutes=${1:-60}
[ $# -eq 0 ] || shift
all="flips cuts bursts crash recovery faults memory kill strace layouts fuzz"
all="$all mutants"
steps=${*:-$all}
timed=0
for s in $steps; do
  case $s in layouts | mutants) ;; *) timed=$((timed + 1)) ;; esac
done
seconds=$((minutes * 60 / (timed > 0 ? timed : 1)))

# battery SUITE CASES: its time is shared between so many cases that loop.
battery() {
  TIDAL_SOAK=$((seconds / $2)) step "$1" bin/tidal-unit "$1"
  grep '^# ' "build/test/$1.txt" || true
}

need_to_build
need strace clang
need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
generate
build
echo "soak: $steps: $minutes minutes, $seconds s each"
for s in $steps; do
  case $s in
    flips | cuts | bursts | crash | memory | kill | strace) battery "$s" 1 ;;
    recovery | faults) battery "$s" 2 ;;
    layouts) step layouts env TIDAL_SOAK=1 TIDAL_LUA=bin/tidal-lua \
               bin/tidal-lua test --output=TAP spec/hostile_spec.lua \
               spec/lua/hermetic/cell_spec.lua spec/host/pattern_spec.lua ;;
    fuzz) step fuzz sh scripts/fuzz.sh "$seconds"
          grep '^ok' build/test/fuzz.txt || true ;;
    mutants) step mutants bin/tidal-lua scripts/tools/mutants.lua
             grep -v '^ok' build/test/mutants.txt || true ;;
    *) echo "soak: no step '$s'" >&2; exit 2 ;;
  esac
done
finish
