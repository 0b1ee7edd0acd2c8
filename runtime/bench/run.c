/* The command line of a program of benchmarks:
 *
 *   tidal-bench [--json] [--dir DIR] [--peers] [GATE | GROUP]...
 *
 * Exit code 0; 1 when a gate was missed in every attempt; 2 for usage. */
#define _GNU_SOURCE  /* readlink */
#include "bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void usage(const bench_program *program, FILE *to) {
  fprintf(to, "usage: %s [--json] [--dir DIR]%s [GATE | GROUP]...\n\n",
          program->name, program->peers ? " [--peers]" : "");
  for (uint32_t i = 0; i < program->group_count; i++) {
    fprintf(to, "  %-12s %s\n", program->groups[i].name,
            program->groups[i].gates);
  }
  fprintf(to, "\nCompares with peers, side by side in one run. Exit code 1 if"
              " a gate\nis missed in three attempts. Files are written below"
              " DIR, by default\nthe current directory, and removed.\n%s",
          program->notes ? program->notes : "");
}

/* Whether a word is a group or one of the gates in its list. */
static bool known(const bench_program *program, const char *word) {
  for (uint32_t i = 0; i < program->group_count; i++) {
    if (strcmp(program->groups[i].name, word) == 0) return true;
    size_t size = strlen(word);
    const char *at = program->groups[i].gates;
    while (at) {
      if (strncmp(at, word, size) == 0 && size > 0
          && (at[size] == ' ' || at[size] == '\0')) {
        return true;
      }
      at = strchr(at, ' ');
      if (at) at++;
    }
  }
  return false;
}

static void find_directory(bench *b) {
  ssize_t size = readlink("/proc/self/exe", b->directory,
                          sizeof b->directory - 1);
  b->directory[size > 0 ? size : 0] = '\0';
  char *slash = strrchr(b->directory, '/');
  if (slash) *slash = '\0'; else snprintf(b->directory, 2, ".");
}

/* Becomes the program beside this one that measures peers. */
static int run_peers(const bench *b, const char *peers, int argc,
                     char **argv) {
  char path[BENCH_PATH_MAX + 32];
  int kept = 1;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--peers") != 0) argv[kept++] = argv[i];
  }
  argv[kept] = NULL;
  snprintf(path, sizeof path, "%s/%s", b->directory, peers);
  execv(path, argv);
  fprintf(stderr, "tidal-bench: %s: %s\n", path, strerror(errno));
  return 1;
}

/* True when the words are understood. */
static bool read_words(bench *b, const bench_program *program, int argc,
                       char **argv) {
  b->wanted = argv + 1;
  b->disk = ".";
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--json") == 0) {
      b->quiet = true;
    } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
      b->disk = argv[++i];
    } else if (known(program, argv[i])) {
      b->wanted[b->wanted_count++] = argv[i];
    } else {
      fprintf(stderr, "%s: unknown gate or group: %s\n", program->name,
              argv[i]);
      return false;
    }
  }
  return true;
}

static bool has_word(int argc, char **argv, const char *word) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], word) == 0) return true;
  }
  return false;
}

int bench_main(const bench_program *program, int argc, char **argv) {
  static bench b;
  bool missed = false;
  find_directory(&b);
  if (program->peers && has_word(argc, argv, "--peers")) {
    return run_peers(&b, program->peers, argc, argv);
  }
  if (has_word(argc, argv, "--help")) {
    usage(program, stdout);
    return 0;
  }
  if (!read_words(&b, program, argc, argv)) {
    usage(program, stderr);
    return 2;
  }
  b.cpu = bench_cpu(0);
  b.other_cpu = bench_cpu(1);
  if (!program->pinned || !bench_pin(b.cpu)) b.cpu = -1;
  double steal = bench_steal_ms();
  for (uint32_t i = 0; i < program->group_count; i++) {
    program->groups[i].run(&b);
  }
  for (uint32_t i = 0; i < b.count; i++) {
    if (b.results[i].verdict == BENCH_BELOW) missed = true;
  }
  if (b.quiet) bench_print_json(&b, bench_steal_ms() - steal);
  return missed ? 1 : 0;
}
