/* bin/tidal-lua: the stand-alone lua5.4 with tidal inside.
 *
 * main makes a state and runs `enter` in it, the one protected C function
 * that does everything else: whatever allocates stands below a pcall, so
 * memory that runs out is an error message and never an abort. The state is
 * closed on every normal end. */
#define _POSIX_C_SOURCE 200809L  /* isatty, _exit */

#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/call.h"
#include "host/cli.h"
#include "host/loader.h"
#include "host/options.h"
#include "host/repl.h"
#include "tidal.h"

#define EXIT_USAGE 2
#define ARGS_MAX (1 << 24)  /* more than a Lua stack takes */
#define ROOM 3              /* for the call itself */
#ifdef LUA_IGMARK
#define SUFFIX_MARK LUA_IGMARK
#else
#define SUFFIX_MARK ""
#endif

typedef struct td_host {
  int argc;
  char **argv;
  td_options options;
  int status;
} td_host;

static void print_banner(void) {
  puts(LUA_COPYRIGHT);
  fflush(stdout);
}

/* Raises what is on top, or calls it and prints what it raises. */
static bool run_loaded(lua_State *L, int status) {
  if (status == LUA_OK) status = td_call_protected(L, 0, 0);
  if (status != LUA_OK) td_call_report(L, TD_PROGRAM);
  return status == LUA_OK;
}

static bool run_text(lua_State *L, const char *text, const char *name) {
  return run_loaded(L, luaL_loadbuffer(L, text, strlen(text), name));
}

/* LUA_INIT of this version of Lua, or the general one: code, or @file. */
static bool run_init(lua_State *L) {
  const char *name = "=LUA_INIT" LUA_VERSUFFIX;
  const char *text = getenv(name + 1);
  if (text == NULL) {
    name = "=LUA_INIT";
    text = getenv(name + 1);
  }
  if (text == NULL) return true;
  if (text[0] == '@') return run_loaded(L, luaL_loadfile(L, text + 1));
  return run_text(L, text, name);
}

/* -l mod and -l name=mod; since Lua 5.4.7, which has the mark, mod-version
 * is for the global mod. */
static bool run_library(lua_State *L, const char *library) {
  const char *equals = strchr(library, '=');
  lua_getglobal(L, "require");
  lua_pushstring(L, equals != NULL ? equals + 1 : library);
  if (td_call_protected(L, 1, 1) != LUA_OK) {
    td_call_report(L, TD_PROGRAM);
    return false;
  }
  size_t size = strcspn(library, equals != NULL ? "=" : SUFFIX_MARK);
  lua_pushglobaltable(L);
  lua_pushlstring(L, library, size);
  lua_pushvalue(L, -3);
  lua_settable(L, -3);
  lua_pop(L, 2);
  return true;
}

/* The -e, -l and -W in the order they were given. */
static bool run_options(lua_State *L, const td_host *host) {
  bool ok = true;
  for (int i = 1; i < host->options.script && ok; i++) {
    switch (host->argv[i][1]) {
      case 'e':
        ok = run_text(L, td_options_value(host->argv, &i), "=(command line)");
        break;
      case 'l':
        ok = run_library(L, td_options_value(host->argv, &i));
        break;
      case 'W': lua_warning(L, "@on", 0); break;
      default: break;
    }
  }
  return ok;
}

/* The global `arg`: the script at 0, or the program when there is none. */
static void set_arg(lua_State *L, const td_host *host) {
  int script = host->options.script < host->argc ? host->options.script : 0;
  lua_createtable(L, host->argc - script, script + 1);
  for (int i = 0; i < host->argc; i++) {
    lua_pushstring(L, host->argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

/* Pushes what `arg` holds now: -e or LUA_INIT may have changed it. */
static int push_args(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) {
    luaL_error(L, "'arg' is not a table");
  }
  int table = lua_gettop(L), count = 0;
  lua_Integer length = luaL_len(L, table);
  luaL_checkstack(L, length < ARGS_MAX ? (int)length + ROOM : ARGS_MAX,
                  "too many arguments to script");
  while (count < length) lua_rawgeti(L, table, ++count);
  lua_remove(L, table);
  return count;
}

/* Runs a file, standard input when it is NULL, and shows what it returns. */
static int run_script(lua_State *L, const char *file, bool with_args) {
  int status = luaL_loadfile(L, file);
  if (status == LUA_OK) {
    int count = with_args ? push_args(L) : 0;
    status = td_call_protected(L, count, 1);
  }
  if (status == LUA_OK) return td_cli_show(L, file ? file : "stdin");
  td_call_report(L, TD_PROGRAM);
  return EXIT_FAILURE;
}

/* No script on the command line. */
static int run_input(lua_State *L, const td_options *options) {
  if (options->interactive || options->code || options->version) {
    return EXIT_SUCCESS;
  }
  if (!isatty(STDIN_FILENO)) return run_script(L, NULL, false);
  print_banner();
  td_repl_run(L);
  return EXIT_SUCCESS;
}

static int run_target(lua_State *L, const td_host *host) {
  int script = host->options.script;
  if (script >= host->argc) return run_input(L, &host->options);
  char **args = host->argv + script;
  if (strcmp(args[0], "-") == 0 && strcmp(args[-1], "--") != 0) {
    return run_script(L, NULL, true);
  }
  switch (td_cli_kind_of(L, args[0])) {
    case TD_CLI_VERB: return td_cli_run(L, args[0], args + 1);
    case TD_CLI_DIRECTORY: return td_cli_run(L, "test", args);
    case TD_CLI_SCRIPT: break;
  }
  return run_script(L, args[0], true);
}

static int run(lua_State *L, const td_host *host) {
  const td_options *options = &host->options;
  if (options->version) print_banner();
  if (!options->bare && !run_init(L)) return EXIT_FAILURE;
  if (!run_options(L, host)) return EXIT_FAILURE;
  int status = run_target(L, host);
  if (status == EXIT_SUCCESS && options->interactive) td_repl_run(L);
  return status;
}

static int print_help(lua_State *L) {
  td_options_print_usage();
  int status = td_cli_print_verbs(L);
  td_options_print_options();
  return status;
}

static int enter(lua_State *L) {
  td_host *host = lua_touserdata(L, 1);
  const td_options *options = &host->options;
  luaL_checkversion(L);
  if (options->bare) {  /* the mark that the package library looks for */
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  td_loader_install(L);
  set_arg(L, host);
  lua_gc(L, LUA_GCGEN, 0, 0);
  host->status = options->help ? print_help(L) : run(L, host);
  return 0;
}

/* At every end of the process, os.exit too: what could not be written is a
 * failure. exit() may not be called from here. */
static void check_output(void) {
  bool failed = fflush(stdout) != 0;
  int why = failed ? errno : 0;
  if (!failed && !ferror(stdout)) return;
  fprintf(stderr, TD_PROGRAM ": cannot write standard output%s%s\n",
          why ? ": " : "", why ? strerror(why) : "");
  fflush(NULL);
  _exit(EXIT_FAILURE);
}

/* As many open files as the system allows: each log has one. */
static void allow_files(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv) {
  td_host host = {argc, argv, td_options_parse(argc, argv), EXIT_FAILURE};
  allow_files();
  atexit(check_output);
  if (host.options.wrong != NULL) {
    td_options_complain(host.options.wrong);
    return EXIT_USAGE;
  }
  if (host.options.about) {
    puts(TD_PROGRAM " " TD_VERSION " (" LUA_RELEASE ")");
    return EXIT_SUCCESS;
  }
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    td_call_complain(TD_PROGRAM, "cannot make a Lua state: no memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, enter);
  lua_pushlightuserdata(L, &host);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    td_call_report(L, TD_PROGRAM);
    host.status = EXIT_FAILURE;
  }
  lua_close(L);
  return host.status;
}
