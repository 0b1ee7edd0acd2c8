#!/bin/sh
# sh scripts/run.sh [SCRIPT.lua [ARGS]]: installs what is missing, builds,
# and runs a script; without one, plans the 3 x 5 cluster. A relative path
# is taken from where you stand.
here=$PWD
# shellcheck source=scripts/build.sh
. "$(dirname "$0")/build.sh"
need_to_build
generate
[ -e bin/tidal-lua ] || echo "building ..." >&2
# shellcheck disable=SC2119
build
root=$PWD
[ $# -gt 0 ] || set -- "$root/scripts/cluster.lua"
cd "$here"
exec "$root/bin/tidal-lua" "$@"
