# shellcheck shell=sh
# Sourced by the other scripts: install what is missing (Debian), generate
# the makefiles, build. Quiet unless something is done or fails.
set -eu
cd "$(dirname "$0")/.."

# need PACKAGE...: installs those that are not.
need() {
  missing=
  for p; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
      missing="$missing $p"
  done
  [ -n "$missing" ] || return 0
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  echo "installing:$missing" >&2
  $sudo apt-get update -qq >/dev/null
  # Word splitting wanted: a list of packages.
  # shellcheck disable=SC2086
  $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

need_to_build() {
  need gcc libc6-dev make pkgconf premake4 liblua5.4-dev lua5.4 libxxhash-dev \
    lua-lpeg
}

# generate: makefiles and embedded Lua, only what changed.
generate() {
  mkdir -p build
  if command -v premake5 >/dev/null; then
    premake5 gmake
  else
    premake4 --file=premake5.lua gmake
  fi >build/generate.txt 2>&1 || { cat build/generate.txt >&2; exit 1; }
}

# build [make arguments]: prints the whole log if it fails. Warnings are
# errors where CI is set.
build() {
  log=build/log.txt
  {
    # premake5's makefiles do not rebuild when only the flags changed.
    if [ -e lib/libtidal.a ] &&
       [ -n "$(find build -maxdepth 1 -name '*.make' -newer lib/libtidal.a)" ]
    then make clean; fi
    make -j"$(nproc)" ${CI:+WERROR=-Werror} "$@"
  } >$log 2>&1 || { cat $log >&2; exit 1; }
}
