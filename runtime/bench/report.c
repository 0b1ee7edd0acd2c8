/* What was measured and on which machine, as JSON: format tidal-bench/1. */
#define _GNU_SOURCE  /* getloadavg */
#include "bench/bench.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* From libxxhash: 10000 * major + 100 * minor + patch. */
extern unsigned XXH_versionNumber(void);

/* The text behind `key` in the first line of a file that starts with it. */
static void read_line(const char *path, const char *key, char *out,
                      size_t size) {
  char line[1024];
  FILE *file = fopen(path, "r");
  out[0] = '\0';
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    const char *at = line + strlen(key) + strspn(line + strlen(key), " \t:");
    snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
    break;
  }
  if (file) fclose(file);
}

double bench_steal_ms(void) {
  char line[512];
  unsigned long long field[8] = {0};
  read_line("/proc/stat", "cpu", line, sizeof line);
  char *at = line;
  for (int i = 0; i < 8; i++) field[i] = strtoull(at, &at, 10);
  return (double)field[7] * 1000.0 / (double)sysconf(_SC_CLK_TCK);
}

static void json_text(const char *text) {
  putchar('"');
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') putchar('\\');
    if (c < 32) printf("\\u%04x", c); else putchar(c);
  }
  putchar('"');
}

static void json_pair(const char *name, const char *text) {
  json_text(name);
  putchar(':');
  json_text(text);
}

static void json_result(const bench_result *r) {
  static const char *const oks[] = {"true", "false", "null", "null"};
  printf("{");
  json_pair("id", r->id);
  printf(",");
  json_pair("name", r->name);
  printf(",");
  json_pair("unit", r->unit);
  if (r->verdict == BENCH_SKIP) {
    printf(",\"ours\":null,\"peer\":null,\"ratio\":null,"
           "\"median_ratio\":null,\"gate\":null,\"ok\":null,"
           "\"skip\":\"SKIP\"}");
    return;
  }
  printf(",\"ours\":%.2f,\"peer\":%.2f,\"ratio\":%.4f,\"median_ratio\":%.4f",
         r->ours, r->peer, r->ratio, r->median_ratio);
  if (r->gate > 0) {
    printf(",\"gate\":%g,\"rule\":\"%s\"", r->gate,
           r->rule == BENCH_AT_LEAST ? ">=" : "<=");
  } else {
    printf(",\"gate\":null");
  }
  printf(",\"ok\":%s}", oks[r->verdict]);
}

static void json_versions(void) {
  char number[32];
  struct utsname system;
  unsigned xxhash = XXH_versionNumber();
  snprintf(number, sizeof number, "%u.%u.%u", xxhash / 10000,
           xxhash / 100 % 100, xxhash % 100);
  printf("\"versions\":{");
  json_pair("compiler", __VERSION__);
  printf(",");
  json_pair("libc", gnu_get_libc_version());
  printf(",");
  json_pair("xxhash", number);
  printf(",");
  json_pair("kernel", uname(&system) == 0 ? system.release : "");
  printf("}");
}

void bench_print_json(const bench *b, double steal_ms) {
  char text[512];
  double load[3];
  printf("{");
  json_pair("format", "tidal-bench/1");
  printf(",");
  read_line("/proc/cpuinfo", "model name", text, sizeof text);
  json_pair("cpu", text);
  printf(",");
  read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", text,
            sizeof text);
  json_pair("governor", text);
  printf(",");
  if (getloadavg(load, 3) == 3) {
    printf("\"loadavg\":[%.2f,%.2f,%.2f],", load[0], load[1], load[2]);
  }
  printf("\"steal_ms\":%.0f,", steal_ms);
  json_versions();
  printf(",\"results\":[");
  for (uint32_t i = 0; i < b->count; i++) {
    if (i > 0) printf(",");
    json_result(&b->results[i]);
  }
  printf("]}\n");
}
