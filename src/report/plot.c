/* Figures by gnuplot, which is called as a program. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "document.h"

/* Light lines, one set of colours (Okabe, Ito 2008: told apart by colour-blind readers), no title inside the picture.
 */
static const char PREAMBLE[] =
    "set encoding utf8\n"
    "set border 3 lc rgb '#5b6775' lw 1\n"
    "set tics nomirror out scale 0.6 tc rgb '#1c2530'\n"
    "set grid ytics lc rgb '#e3e8ee' lt 1 lw 1\n"
    "set key outside right top vertical Left reverse samplen 1.6 spacing 1.15 tc rgb '#1c2530'\n"
    "set style line 1 lc rgb '#0072b2' lw 2 pt 7 ps 0.5\n"
    "set style line 2 lc rgb '#d55e00' lw 2 pt 7 ps 0.5\n"
    "set style line 3 lc rgb '#009e73' lw 2 pt 7 ps 0.5\n"
    "set style line 4 lc rgb '#cc79a7' lw 2 pt 7 ps 0.5\n"
    "set style line 5 lc rgb '#b8860b' lw 2 pt 7 ps 0.5\n"
    "set style line 6 lc rgb '#56b4e9' lw 2 pt 7 ps 0.5\n"
    "set style line 7 lc rgb '#4d4d4d' lw 2 pt 7 ps 0.5\n"
    "set style line 8 lc rgb '#8c564b' lw 2 pt 7 ps 0.5\n"
    "set style fill transparent solid 0.18 noborder\n";

/* In single quotes, where gnuplot looks for nothing but the end. `percent` stands for a percent sign. */
static int quote_text(struct ad_buffer *script, const char *text, const char *percent) {
  AD_TRY(ad_buffer_puts(script, "'"));
  for (text = ad_shown(text); *text != '\0'; text++) {
    const char *other = *text == '\'' ? "\u2019" : *text == '"' ? "\u201d" : *text == '%' ? percent : NULL;
    AD_TRY(other != NULL ? ad_buffer_puts(script, other) : ad_buffer_append(script, text, 1));
  }
  return ad_buffer_puts(script, "'");
}

int ad__plot_quote(struct ad_buffer *script, const char *text) {
  return quote_text(script, text, "%");
}

/* What stands at a mark is a format of the mark's value. */
int ad__plot_tic(struct ad_buffer *script, const char *text) {
  return quote_text(script, text, "%%");
}

struct files {
  char *script, *picture, *log;
};

/* Runs gnuplot on the script; what it draws goes to the picture, what it says to the log. *made 1 where it ended well.
 */
static int run_gnuplot(const struct files *files, int *made) {
  /* -d: no start files of the user, whose terminal or style would change the picture. */
  char program[] = "gnuplot", defaults[] = "-d";
  char *copy = ad_strdup(files->script);
  if (copy == NULL) {
    return ad_fail_memory(strlen(files->script), "a path");
  }
  char *const arguments[] = {program, defaults, copy, NULL};
  posix_spawn_file_actions_t actions;
  pid_t child = 0;
  int state = 0, error = posix_spawn_file_actions_init(&actions);
  if (error == 0) {
    error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    const int how = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
    error = error != 0 ? error : posix_spawn_file_actions_addopen(&actions, 1, files->picture, how, 0600);
    error = error != 0 ? error : posix_spawn_file_actions_addopen(&actions, 2, files->log, how, 0600);
    error = error != 0 ? error : posix_spawnp(&child, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
  }
  ad_free(copy);
  if (error != 0) {
    ad_log(AD_LOG_WARNING, "gnuplot could not be started (%s): the report has no plots", strerror(error));
    return AD_OK;
  }
  pid_t ended;
  do {
    ended = waitpid(child, &state, 0);
  } while (ended < 0 && errno == EINTR);
  *made = ended == child && WIFEXITED(state) && WEXITSTATUS(state) == 0;
  return AD_OK;
}

static int starts(const char *at, const char *end, const char *with) {
  const size_t length = strlen(with);
  return (size_t)(end - at) >= length && memcmp(at, with, length) == 0;
}

/* Copies gnuplot's <svg> so that it can stand in HTML beside others: ids and what refers to them get a prefix, name
 * spaces and the program's own title go. */
static int clean_svg(const char *text, size_t size, const char *id, struct ad_buffer *out) {
  static const char *const dropped[] = {" xmlns=\"http://www.w3.org/2000/svg\"",
                                        " xmlns:xlink=\"http://www.w3.org/1999/xlink\""};
  static const char *const named[] = {"id='", "id=\"", "href='#", "href=\"#", "url(#"};
  const char *end = text + size, *at = strstr(text, "<svg");
  int tag = 0; /* inside of <...>: texts stay as they are */
  if (at == NULL) {
    return ad_fail(AD_EINTERNAL, "gnuplot's output holds no <svg");
  }
  while (at < end) {
    const char *skip = NULL;
    tag = *at == '<' || (tag && *at != '>');
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++) {
      skip = starts(at, end, dropped[i]) ? at + strlen(dropped[i]) : skip;
    }
    if (starts(at, end, "<title>")) {
      const char *close = strstr(at, "</title>");
      skip = close == NULL ? skip : close + strlen("</title>");
    }
    if (starts(at, end, "<desc>")) {
      const char *close = strstr(at, "</desc>");
      skip = close == NULL ? skip : close + strlen("</desc>");
    }
    if (tag && starts(at, end, "xlink:href")) {
      at += strlen("xlink:");
    }
    if (skip != NULL) {
      at = skip;
      continue;
    }
    int done = 0;
    for (size_t i = 0; i < sizeof named / sizeof *named && tag && !done; i++) {
      if (starts(at, end, named[i])) {
        AD_TRY(ad_buffer_printf(out, "%s%s-", named[i], id));
        at += strlen(named[i]);
        done = 1;
      }
    }
    if (!done) {
      AD_TRY(ad_buffer_append(out, at++, 1));
    }
  }
  return AD_OK;
}

static int write_script(const struct files *files, unsigned width, unsigned height, const struct ad_buffer *script) {
  struct ad_buffer all = {0};
  int status;
  AD_TRY_GOTO(ad_buffer_printf(&all,
                               "set terminal svg noenhanced dynamic size %u,%u font 'DejaVu Sans,Liberation "
                               "Sans,Arial,sans-serif,13'\n%s",
                               width, height, PREAMBLE),
              out);
  AD_TRY_GOTO(ad_buffer_append(&all, script->data, script->size), out);
  AD_TRY_GOTO(ad_buffer_puts(&all, "\n"), out);
  status = ad_file_write(files->script, all.data, all.size);
out:
  ad_buffer_destroy(&all);
  return status;
}

static int draw_figure(const struct files *files, const char *id, unsigned width, unsigned height,
                       const struct ad_buffer *script, struct ad_buffer *read, struct ad_buffer *svg) {
  int made = 0;
  AD_TRY(write_script(files, width, height, script));
  AD_TRY(run_gnuplot(files, &made));
  if (made && ad_is_file(files->picture)) {
    AD_TRY(ad_file_read(files->picture, read));
    AD_TRY(ad_buffer_puts(read, ""));
    return clean_svg(read->data, read->size, id, svg);
  }
  if (ad_is_file(files->log)) {
    AD_TRY(ad_file_read(files->log, read));
    ad_log(AD_LOG_WARNING, "gnuplot could not plot \"%s\": %.300s", id, read->data == NULL ? "no message" : read->data);
  }
  return AD_OK;
}

int ad__plot_svg(const char *folder, const char *id, unsigned width, unsigned height, const struct ad_buffer *script,
                 char **svg) {
  struct files files = {ad_path_join(folder, ".plot.gp"), ad_path_join(folder, ".plot.svg"),
                        ad_path_join(folder, ".plot.log")};
  struct ad_buffer read = {0}, cleaned = {0};
  int status = AD_OK;
  *svg = NULL;
  if (files.script == NULL || files.picture == NULL || files.log == NULL) {
    status = ad_fail_memory(strlen(folder) + 16, "a path");
  } else {
    ad_ignore(unlink(files.picture));
    ad_ignore(unlink(files.log));
    status = draw_figure(&files, id, width, height, script, &read, &cleaned);
    ad_ignore(unlink(files.script));
    ad_ignore(unlink(files.picture));
    ad_ignore(unlink(files.log));
  }
  if (status == AD_OK && cleaned.size > 0) {
    *svg = ad_strndup(cleaned.data, cleaned.size);
    status = *svg == NULL ? ad_fail_memory(cleaned.size, "a plot") : AD_OK;
  }
  ad_buffer_destroy(&read);
  ad_buffer_destroy(&cleaned);
  ad_free(files.script);
  ad_free(files.picture);
  ad_free(files.log);
  return status;
}
