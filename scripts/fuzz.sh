#!/bin/sh
# sh scripts/fuzz.sh [SECONDS [TARGET...]]: the fuzz targets of runtime/fuzz,
# each for its share of SECONDS (24), two at once, under ASan and UBSan.
# libFuzzer where clang has it, else gcc and runtime/fuzz/driver.c; CC=gcc asks
# for the latter. A crash leaves its input in build/fuzz and is tried first the
# next time. Prints TAP.
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-24}
[ $# -eq 0 ] || shift
all="batch segment log segname checkpoint cuts layout id ranges lines parcel \
journal json"
targets=${*:-$all}
out=build/fuzz
golden=${TIDAL_GOLDEN:-spec/golden}
sanitize=address,undefined
common="-std=c11 -g -O2 -fno-omit-frame-pointer -fno-sanitize-recover=all"

count=0
for t in $targets; do count=$((count + 1)); done
each=$((seconds / count))
[ "$each" -ge 1 ] || each=1

rm -rf "$out/obj" "$out/corpus" "$out/log"
mkdir -p "$out/obj" "$out/corpus" "$out/log"

# --- which engine ------------------------------------------------------------

cc=${CC:-clang}
printf '#include <stddef.h>\n#include <stdint.h>\n%s\n' \
  'int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);
   int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) { return d && !n; }' \
  >"$out/obj/try.c"
if "$cc" "-fsanitize=fuzzer,$sanitize" "$out/obj/try.c" -o "$out/obj/try" \
     2>"$out/log/try" && "$out/obj/try" -runs=1 >>"$out/log/try" 2>&1; then
  engine=libfuzzer
  compile="-fsanitize=fuzzer-no-link,$sanitize"
  link="-fsanitize=fuzzer,$sanitize"
else
  engine=driver
  cc=${CC:-gcc}
  compile="-fsanitize=$sanitize"
  link="-fsanitize=$sanitize"
fi
echo "# fuzz: $cc, $engine, $each s each"

# --- build -------------------------------------------------------------------

# One directory of sources to objects of its own.
compile_dir() {
  mkdir -p "$out/obj/$1"
  (
    cd "$out/obj/$1"
    # shellcheck disable=SC2086
    "$cc" $common $compile $lua_headers -I../../../../runtime -c \
      ../../../../runtime/"$1"/*.c
  )
}

lua_headers=$(pkg-config --cflags lua5.4)
mkdir -p "$out/obj/test"
pids=
for dir in base format model io flow sim bind fuzz; do
  compile_dir $dir &
  pids="$pids $!"
done
# shellcheck disable=SC2086
"$cc" $common $compile -Iruntime -c runtime/test/memory_store.c \
  -o "$out/obj/test/memory_store.o"
for pid in $pids; do wait "$pid"; done

rm -f "$out/libfuzz.a"
ar rc "$out/libfuzz.a" "$out"/obj/base/*.o "$out"/obj/format/*.o \
  "$out"/obj/model/*.o "$out"/obj/io/*.o "$out"/obj/flow/*.o \
  "$out"/obj/sim/*.o "$out"/obj/bind/*.o "$out/obj/test/memory_store.o" \
  "$out/obj/fuzz/fuzz.o" "$out/obj/fuzz/json_oracle.o"
for t in $targets; do
  driver=
  [ $engine = libfuzzer ] || driver="$out/obj/fuzz/driver.o"
  libraries=-lxxhash
  [ "$t" != json ] || libraries="$libraries $(pkg-config --libs lua5.4)"
  # shellcheck disable=SC2086
  "$cc" $link "$out/obj/fuzz/fuzz_$t.o" $driver "$out/libfuzz.a" $libraries \
    -o "$out/fuzz_$t"
done

# --- where to start ----------------------------------------------------------

# The first bytes of a file under a name that says where it is from.
take() {
  [ -d "$out/corpus/$1" ] || return 0
  dd if="$2" of="$out/corpus/$1/$(echo "$2" | tr '/' '_')" bs=8192 count=1 \
    2>/dev/null
}

seed_count=0
text() {
  [ -d "$out/corpus/$1" ] || return 0
  seed_count=$((seed_count + 1))
  # shellcheck disable=SC2059
  printf "$2" >"$out/corpus/$1/text-$seed_count"
}

for t in $targets; do
  mkdir -p "$out/corpus/$t"
  for old in "$out/crash-$t"-*; do
    if [ -e "$old" ]; then mv "$old" "$out/corpus/$t/"; fi
  done
done
for file in "$golden"/*/*.seg "$golden"/damaged/*/*.seg; do
  [ -e "$file" ] || continue
  for t in batch segment log; do take $t "$file"; done
  text segname "$(basename "$file")"
done
for file in "$golden"/*/checkpoint*; do
  if [ -e "$file" ]; then take checkpoint "$file"; fi
done
for file in "$golden"/live/*/cuts-* "$golden"/live/*/layout-*; do
  [ -e "$file" ] || continue
  name=$(basename "$file")
  take "${name%%-*}" "$file"
  text "${name%%-*}" "$name"
done
for id in r0 s3 r65535 s65535 r0:s3 r0:s0:42 0x2a 0xffffffffffffffff \
          18446744073709551615 r65535:s65535:18446744073709551615; do
  text id "$id"
done
text journal '{"step":"begin"}\n{"step":"lap"}\n'
text journal '{"step":"begin"}\n!\n{"step":"lap"}'
text json '{"a":[1,-2.5e3,"x\\u00e4",true,null,{}],"b":[9223372036854775808]}'
text json '["\\ud83d\\ude00",1e999,{"":{},"\\u0061":-0}]'
text json '"\\ud800\\ud800"'
for i in 100 101; do  # spelled as so many lists in each other
  text json "$(printf "%${i}s" | tr ' ' '\004')"
done
for i in 00 01 02 03 04 05 06; do
  text json "\\2$i\\1$i\\3$i\\0$i\\3$i\\377\\001\\142\\0$i\\1$i\\3$i\\2$i"
done
for mode in 000 001 002 004 010 020 040 060 050; do
  text ranges "\\$mode\\001abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
done

# --- run ---------------------------------------------------------------------

options=quarantine_size_mb=16
[ $engine = libfuzzer ] || options=$options:abort_on_error=1
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}$options"

run_target() {
  if [ $engine = libfuzzer ]; then
    set -- "$1" "-max_total_time=$each" "-artifact_prefix=$out/crash-$1-" \
      -max_len=8192 -timeout=10 -rss_limit_mb=512 "$out/corpus/$1"
    [ -z "${TIDAL_SEED:-}" ] || set -- "$@" "-seed=$TIDAL_SEED"
  else
    set -- "$1" --seconds "$each" --seed "${TIDAL_SEED:-$$}" \
      --keep "$out/crash-$1-input" "$out/corpus/$1"/*
  fi
  log="$out/log/$1"
  program="$out/fuzz_$1"
  shift
  "$program" "$@" >"$log" 2>&1
}

# Prints the result of a target that ended with status $2.
report() {
  number=$((number + 1))
  if [ "$2" -eq 0 ]; then
    runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$out/log/$1")
    echo "ok $number - fuzz $1: $runs runs"
    return
  fi
  failed=1
  echo "not ok $number - fuzz $1"
  tail -n 40 "$out/log/$1" >&2
  for input in "$out/crash-$1"-*; do
    [ -e "$input" ] || input="no input kept, see $out/log/$1"
    echo "# FAILED: $input"
  done
}

failed=0
number=0
# shellcheck disable=SC2086
set -- $targets
while [ $# -gt 0 ]; do
  one=$1 two=${2:-} status=0
  shift
  run_target "$one" &
  pid_one=$!
  if [ -n "$two" ]; then
    shift
    run_target "$two" &
    pid_two=$!
  fi
  wait "$pid_one" || status=$?
  report "$one" "$status"
  [ -n "$two" ] || break
  status=0
  wait "$pid_two" || status=$?
  report "$two" "$status"
done
echo "1..$number"
exit $failed
