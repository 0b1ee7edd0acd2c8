# shellcheck shell=sh
# Sourced by test.sh and soak.sh: commands that print TAP, one after the other
# or beside each other, their results and how long each took. Logs are in
# build/test/.
most=${TIDAL_PARTS:-$(nproc)}
pids=  # of what runs
trap 'kill $pids 2>/dev/null; exit 130' INT TERM
passed=0
failed=0
skipped=0
steps_start=$(date +%s)
mkdir -p build/test

# count FILE STATUS NAME SECONDS: adds the TAP lines of a log. A command that
# failed without a red line, or did not do all that it plans, counts as one.
# CI_STRICT=1: what was skipped, too.
count() {
  ok=$(grep -c '^ok ' "$1" || true)
  red=$(grep -c '^not ok ' "$1" || true)
  skip=$(grep -Ec '^ok .*# SKIP' "$1" || true)
  plan=$(sed -n 's/^1\.\.\([1-9][0-9]*\)$/\1/p' "$1" | tail -n 1)
  if [ "$2" -ne 0 ] || [ "${plan:-none}" != $((ok + red)) ]; then
    echo "# $3: $((ok + red)) results, planned: ${plan:-none}; status $2"
    if [ "$red" -eq 0 ]; then red=1; fi
  fi
  ok=$((ok - skip))
  if [ -n "${CI_STRICT:-}" ]; then red=$((red + skip)); fi
  if [ "$red" -gt 0 ]; then
    grep -vE '^ok ' "$1" | head -n 200
  fi
  passed=$((passed + ok))
  skipped=$((skipped + skip))
  failed=$((failed + red))
  printf '%-28s %5d passed, %d failed%s  %4d s\n' "$3" "$ok" "$red" \
    "$([ "$skip" -eq 0 ] || echo ", $skip skipped")" "$4"
  grep -E '^ok .*# SKIP' "$1" || true
}

running() { echo "$pids" | wc -w; }

# part NAME COMMAND...: starts it, when fewer run than the machine has
# processors (or TIDAL_PARTS). It is counted when it has ended.
part() {
  while [ "$(running)" -ge "$most" ]; do reap; done
  name=$1
  shift
  log=build/test/$(echo "$name" | tr ' /' '--').txt
  "$@" >"$log" 2>&1 &
  pids="$pids $!"
  echo "$(date +%s) $log $name" >build/test/part-$!
}

# Waits until one of those that run has ended, and counts it.
reap() {
  ended=
  while [ -z "$ended" ]; do
    sleep 0.2  # meanwhile the shell notes which have ended
    for pid in $pids; do
      kill -0 "$pid" 2>/dev/null || ended=$pid
    done
  done
  pids=$(echo " $pids " | sed "s/ $ended / /")
  status=0
  wait "$ended" || status=$?
  read -r start log name <build/test/part-"$ended"
  rm build/test/part-"$ended"
  count "$log" "$status" "$name" $(($(date +%s) - start))
}

# joined: waits for all of them.
joined() {
  while [ "$(running)" -gt 0 ]; do reap; done
}

# step NAME COMMAND...: one that runs alone.
step() {
  joined
  part "$@"
  joined
}

# The last lines, and the exit status.
finish() {
  joined
  echo
  echo "$(($(date +%s) - steps_start)) seconds"
  echo "$passed passed, $failed failed$([ $skipped -eq 0 ] ||
    echo ", $skipped skipped")"
  [ "$failed" -eq 0 ]
}
