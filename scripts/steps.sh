# shellcheck shell=sh
# Sourced by test.sh and soak.sh: steps that print TAP, their results and how
# long each took. Logs are in build/test/.
passed=0
failed=0
skipped=0
steps_start=$(date +%s)
mkdir -p build/test

# count FILE STATUS NAME SECONDS: adds the TAP lines of a log; a command that
# failed without a red line counts as one. CI_STRICT=1: what was skipped, too.
count() {
  ok=$(grep -c '^ok ' "$1" || true)
  red=$(grep -c '^not ok ' "$1" || true)
  skip=$(grep -Ec '^ok .*# SKIP' "$1" || true)
  ok=$((ok - skip))
  if [ -n "${CI_STRICT:-}" ]; then red=$((red + skip)); fi
  if [ "$2" -ne 0 ] && [ "$red" -eq 0 ]; then red=1; fi
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

# step NAME COMMAND...
step() {
  name=$1
  shift
  log=build/test/$(echo "$name" | tr ' /' '--').txt
  status=0
  start=$(date +%s)
  "$@" >"$log" 2>&1 || status=$?
  count "$log" "$status" "$name" $(($(date +%s) - start))
}

# beside NAME COMMAND...: the same, while the steps that follow run; joined
# waits for it and counts. One at a time: the machine may have two cores.
beside() {
  beside_name=$1
  shift
  beside_log=build/test/$(echo "$beside_name" | tr ' /' '--').txt
  beside_start=$(date +%s)
  (
    status=0
    "$@" >"$beside_log" 2>&1 || status=$?
    echo "$status $(($(date +%s) - beside_start))" >"$beside_log.end"
  ) &
  beside_pid=$!
}

joined() {
  wait "$beside_pid" || true
  read -r beside_status beside_seconds <"$beside_log.end"
  rm -f "$beside_log.end"
  count "$beside_log" "$beside_status" "$beside_name" "$beside_seconds"
}

# The last lines, and the exit status.
finish() {
  echo
  echo "$(($(date +%s) - steps_start)) seconds"
  echo "$passed passed, $failed failed$([ $skipped -eq 0 ] ||
    echo ", $skipped skipped")"
  [ "$failed" -eq 0 ]
}
