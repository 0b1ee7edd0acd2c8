#!/bin/sh
# sh scripts/mutants.sh [--share N] [--seed N] [WORD...]: takes the protections
# of the log away one by one (spec/mutants) and runs the suite that must notice;
# exit 1 if one does not. --share: N of them, other ones each day.
# shellcheck source=scripts/build.sh
. "$(dirname "$0")/build.sh"
need_to_build
generate
build
exec bin/tidal-lua scripts/tools/mutants.lua "$@"
