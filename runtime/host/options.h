/* The command line up to the script: `tidal-lua [options] [script [args]]`.
 * The options of lua5.4, and the long ones --help and --version. What stands
 * behind the script belongs to the script and is not looked at.
 *
 * Thread: any. */
#ifndef TD_HOST_OPTIONS_H
#define TD_HOST_OPTIONS_H

#include <stdbool.h>

typedef struct td_options {
  const char *wrong;  /* the first option that cannot be taken, or NULL */
  int script;         /* its place in argv, argc when there is none */
  bool help;          /* --help */
  bool about;         /* --version */
  bool version;       /* -v, or -i which implies it */
  bool interactive;   /* -i */
  bool code;          /* some -e */
  bool bare;          /* -E: no environment variables */
} td_options;

/* Reads argv without changing it. --help and --version end the reading, so
 * that they win over whatever follows. */
td_options td_options_parse(int argc, char **argv);

/* The argument of the -e or -l at argv[*at], glued to it or the next one;
 * leaves *at on the last one used. Only for a line that parsed. */
const char *td_options_value(char **argv, int *at);

/* Says on standard error what is wrong with the option. */
void td_options_complain(const char *wrong);

/* Prints the two halves of --help; the verbs stand between them. */
void td_options_print_usage(void);
void td_options_print_options(void);

#endif
