/* The program: finds the command, starts what it needs, turns its status into a message and an exit code. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/build.h"
#include "autodidact/base/float_state.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/gemm.h"
#include "autodidact/mpi/runtime.h"
#include "commands.h"

struct command {
  const char *name;
  int parallel;
  int (*run)(int argc, char **argv);
  const char *usage, *text;
};

static const struct command commands[] = {
#define AD_COMMAND_ROW(name, parallel, usage, text) {#name, parallel, ad_command_##name, usage, text},
    AD_COMMAND_MAP(AD_COMMAND_ROW)
#undef AD_COMMAND_ROW
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_help(FILE *out) {
  fprintf(out, "autodidact %s: fine-tunes BERT-type text encoders on CPUs, reproducibly to the bit\n\nCommands:\n",
          ad_build_version());
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    fprintf(out, "  %-9s %-34s %s\n", commands[i].name, commands[i].usage, commands[i].text);
  }
  fprintf(out,
          "\n`autodidact help COMMAND` explains a command, `autodidact train --keys` lists all configuration keys.\n"
          "Exit codes: 0 done, 1 bad input or configuration, 2 failure of the machine, 3 training diverged, 75 stopped with a checkpoint.\n"
          "mpirun that gets TERM itself gives 1 in place of 75: send it USR1, or start it by launch/local.\n");
}

static const struct command *find(const char *name) {
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    if (strcmp(commands[i].name, name) == 0) {
      return &commands[i];
    }
  }
  return NULL;
}

static int fail_unknown(const char *name) {
  char list[512] = "";
  const char *meant = NULL;
  size_t used = 0, most = most_slips(name);
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    meant = is_nearer(name, commands[i].name, &most) ? commands[i].name : meant;
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", commands[i].name);
  }
  if (meant == NULL) {
    return ad_fail(AD_ECONFIG, "unknown command '%s', expected one of %s", name, list);
  }
  return ad_fail(AD_ECONFIG, "unknown command '%s', did you mean %s? Expected one of %s", name, meant, list);
}

/* Under a launcher a command that is not parallel is the first process's business. */
static int is_first_process(void) {
  const char *rank = ad_mpi_launched_rank();
  return rank == NULL || strcmp(rank, "0") == 0;
}

/* Whether the arguments only ask for help, keys or a key's value: then MPI is not needed. */
static int asks_for_text(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (is_help(argv[i]) || is_version(argv[i]) || strncmp(argv[i], "--keys", 6) == 0 ||
        strncmp(argv[i], "--get", 5) == 0) {
      return 1;
    }
  }
  return 0;
}

static int needs_ranks(const struct command *command, int argc, char **argv) {
  const int parallel = command->parallel == 2 ? argc > 2 && strcmp(argv[2], "run") == 0 : command->parallel;
  return parallel && !asks_for_text(argc - 1, argv + 1);
}

/* Standard output and messages are the first rank's; errors are told by the rank that main chooses. */
static int speak_alone(int rank) {
  if (rank == 0) {
    return AD_OK;
  }
  ad_log_mute(1);
  return freopen("/dev/null", "w", stdout) == NULL ? ad_fail(AD_EIO, "/dev/null: could not be opened") : AD_OK;
}

static int flush_output(void) {
  return fflush(stdout) != 0 || ferror(stdout) ? ad_fail(AD_EIO, "standard output could not be written") : AD_OK;
}

static int report(int status) {
  status = status == AD_OK ? flush_output() : status;
  if (status != AD_OK) {
    const char *message = ad_error_message();
    ad_log(AD_LOG_ERROR, "%s", message[0] != '\0' ? message : ad_status_text(status));
  }
  return ad_status_exit_code(status);
}

/* `help COMMAND ...` is `COMMAND ... --help`. argv[0]: help. */
static int help_with(int argc, char **argv) {
  enum { MOST = 8 };
  static char asked[] = "--help";
  char *asking[MOST + 2];
  if (argc < 2 || strcmp(argv[1], "help") == 0) {
    print_help(stdout);
    return AD_OK;
  }
  const struct command *command = find(argv[1]);
  int count = 0;
  if (command == NULL) {
    return fail_unknown(argv[1]);
  }
  for (int i = 1; i < argc && count < MOST; i++) {
    asking[count++] = argv[i];
  }
  asking[count++] = asked;
  asking[count] = NULL;
  return command->run(count, asking);
}

int main(int argc, char **argv) {
  /* A file larger than `ulimit -f` allows is then a write that fails, and is told as one. */
  signal(SIGXFSZ, SIG_IGN);
  if (argc < 2) {
    print_help(stderr);
    return ad_status_exit_code(AD_ECONFIG);
  }
  const int floats = ad_float_start();
  if (floats != AD_OK) {
    return report(floats);
  }
  if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
    return is_first_process() ? report(help_with(argc - 1, argv + 1)) : 0;
  }
  if (is_version(argv[1])) {
    print_version();
    return report(AD_OK);
  }
  /* MPI and OpenBLAS crash or wait for ever where they may map too little. */
  const int room = ad_memory_mappable((size_t)160 << 20);
  if (room != AD_OK) {
    return report(room);
  }
  const struct command *command = find(argv[1]);
  if (command == NULL) {
    return report(fail_unknown(argv[1]));
  }
  if (!needs_ranks(command, argc, argv)) {
    return is_first_process() ? report(command->run(argc - 1, argv + 1)) : 0;
  }
  int rank = 0, size = 1, alone = 0;
  int status = ad_mpi_start(&argc, &argv, &rank, &size);
  if (status != AD_OK) {
    return report(status);
  }
  status = speak_alone(rank);
  status = status == AD_OK ? ad_mpi_reserve() : status;
  status = status == AD_OK ? ad_float_start() : status;
  status = status == AD_OK ? ad_gemm_start() : status;
  status = status == AD_OK ? ad_arithmetic_check() : status;
  status = status == AD_OK ? command->run(argc - 1, argv + 1) : status;
  status = status == AD_OK ? flush_output() : status;
  const int speaker = ad_mpi_end(status, &alone);
  const int exit_code = speaker == rank || speaker < 0 ? report(status) : ad_status_exit_code(status);
  if (alone) {
    ad_mpi_abort(exit_code);
  }
  ad_mpi_finish();
  return exit_code;
}
