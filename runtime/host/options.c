#include "host/options.h"

#include <stdio.h>
#include <string.h>

#include "host/call.h"

/* Takes the short option at argv[*at]; false when it is not one of ours. */
static bool take_short(td_options *options, char **argv, int *at) {
  const char *option = argv[*at];
  bool alone = option[2] == '\0';
  switch (option[1]) {
    case 'E': options->bare = true; return alone;
    case 'W': return alone;
    case 'v': options->version = true; return alone;
    case 'i':
      options->interactive = options->version = true;
      return alone;
    case 'e': options->code = true; break;
    case 'l': break;
    default: return false;
  }
  if (!alone) return true;
  const char *value = argv[++*at];
  return value != NULL && value[0] != '-';
}

td_options td_options_parse(int argc, char **argv) {
  td_options options = {.script = argc};
  for (int i = 1; i < argc; i++) {
    const char *option = argv[i];
    if (option[0] != '-' || option[1] == '\0') {
      options.script = i;
      return options;
    }
    if (strcmp(option, "--") == 0) {
      options.script = i + 1;
      return options;
    }
    options.help = strcmp(option, "--help") == 0;
    options.about = strcmp(option, "--version") == 0;
    if (options.help || options.about) return options;
    if (!take_short(&options, argv, &i)) {
      options.wrong = option;
      return options;
    }
  }
  return options;
}

const char *td_options_value(char **argv, int *at) {
  const char *glued = argv[*at] + 2;
  return *glued != '\0' ? glued : argv[++*at];
}

void td_options_complain(const char *wrong) {
  bool lacks = strcmp(wrong, "-e") == 0 || strcmp(wrong, "-l") == 0;
  fprintf(stderr,
          lacks ? TD_PROGRAM ": '%s' needs argument\n"
                : TD_PROGRAM ": unrecognized option '%s'\n", wrong);
  fputs("usage: " TD_PROGRAM " [options] [script [args]]\n"
        "       " TD_PROGRAM " --help says more\n", stderr);
}

void td_options_print_usage(void) {
  fputs("tidal-lua: plan, prove and run the layout of a tidalDB cluster\n"
        "\n"
        "usage: tidal-lua [options] [script [args]]\n"
        "       tidal-lua [options] VERB [args]\n"
        "       tidal-lua [options] DIRECTORY [busted arguments]\n"
        "\n"
        "  tidal-lua cluster.lua   run a script; print the layout it returns\n"
        "  tidal-lua spec/         run a directory of specs\n"
        "  tidal-lua -e 'stat'     run a string\n"
        "  tidal-lua               standard input; a prompt on a terminal\n"
        "\n", stdout);
}

void td_options_print_options(void) {
  fputs("options, the same as lua5.4's, before the script:\n"
        "  -e stat    run the string 'stat'\n"
        "  -l mod     require 'mod' into the global 'mod'\n"
        "  -l g=mod   require 'mod' into the global 'g'\n"
        "  -i         go on at a prompt after the script\n"
        "  -v         say which Lua this is\n"
        "  -E         ignore LUA_INIT, LUA_PATH and LUA_CPATH\n"
        "  -W         turn warnings on\n"
        "  --         end of the options\n"
        "  -          end of the options, run standard input\n"
        "  --help, --version\n"
        "exit codes: 0 done, 1 failed, 2 wrong usage\n", stdout);
}
