/* The door to the Lua module "tidal.cli", which holds the verbs:
 *
 *   cli.main(verb, args) -> exit status 0..255
 *   cli.verbs            name -> one line about it
 *   cli.show(value, script) -> true when it printed something,
 *                              exit status or nil for 0
 *
 * The module is required when one of these is needed, never before.
 *
 * Thread: the main thread only. */
#ifndef TD_HOST_CLI_H
#define TD_HOST_CLI_H

#include <lua.h>

typedef enum td_cli_kind {
  TD_CLI_SCRIPT,    /* a file for the interpreter, there or not */
  TD_CLI_VERB,      /* a known verb, or a word that is no file */
  TD_CLI_DIRECTORY  /* of specs */
} td_cli_kind;

/* What the first argument that is no option stands for. */
td_cli_kind td_cli_kind_of(lua_State *L, const char *name);

/* Runs the verb with the arguments of a NULL-ended list; returns the exit
 * status. Reports what goes wrong. */
int td_cli_run(lua_State *L, const char *verb, char **args);

/* Offers the value on top, what a script returned, to cli.show and pops it;
 * returns the exit status. Only a table or userdata can be a layout. */
int td_cli_show(lua_State *L, const char *script);

/* Prints the verbs in alphabetical order, one a line; returns the exit
 * status. */
int td_cli_print_verbs(lua_State *L);

#endif
