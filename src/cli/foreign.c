/* Options and commands of other programs: what they are here. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"

/* Words of other programs. `command` is where an option stands, " eval train " for several, or "" for any; NULL where
 * the word stands for a command. */
static const struct foreign_word {
  const char *command, *word, *here;
} foreign_words[] = {
    {NULL, "test", "here it is `autodidact eval RUN --data test`"},
    {NULL, "score", "here it is `autodidact eval RUN --data FILE`"},
    {NULL, "infer", "here it is `autodidact predict RUN --data FILE`"},
    {NULL, "inference", "here it is `autodidact predict RUN --data FILE`"},
    {NULL, "classify", "here it is `autodidact predict RUN --data FILE`"},
    {NULL, "fit", "here it is `autodidact train`"},
    {NULL, "finetune", "here it is `autodidact train`"},
    {NULL, "fine-tune", "here it is `autodidact train`"},
    {NULL, "pretrain", "here it is `autodidact train --train FILE data.task=mlm`"},
    {NULL, "mlm", "here it is `autodidact train --train FILE data.task=mlm`"},
    {NULL, "resume", "here it is `autodidact train`: the same command goes on from the newest checkpoint"},
    {NULL, "plan", "here it is `autodidact train CONFIG.yaml --plan`, or `autodidact study plan STUDY.yaml`"},
    {NULL, "status", "here it is `autodidact runs FOLDER`, or `autodidact study status STUDY.yaml`"},
    {NULL, "list", "here it is `autodidact runs FOLDER`"},
    {NULL, "ls", "here it is `autodidact runs FOLDER`"},
    {NULL, "show", "here it is `autodidact inspect FILE`"},
    {NULL, "info", "here it is `autodidact inspect FILE`"},
    {NULL, "compare", "here it is `autodidact diff RUN_A RUN_B`"},
    {NULL, "plot", "here it is `autodidact report RUN`"},
    {NULL, "tensorboard", "here it is `autodidact export RUN --tensorboard DIR`"},
    {NULL, "convert", "here it is `autodidact export RUN --out DIR`"},
    {NULL, "sweep", "here it is `autodidact study run STUDY.yaml`"},
    {NULL, "cite", "here it is `autodidact --cite`"},
    {NULL, "keys", "here it is `autodidact train --keys`"},
    {NULL, "--keys", "here it is `autodidact train --keys`"},
    {"", "cite", "here it is `autodidact --cite`"},
    {"", "gpu", "nothing here stands for it: computing is on CPUs"},
    {"", "cuda", "nothing here stands for it: computing is on CPUs"},
    {"", "device", "nothing here stands for it: computing is on CPUs"},
    {" train predict report export ", "o", "here it is --out"},
    {" train predict report export ", "output", "here it is --out"},
    {" train eval predict ", "n", "nothing here stands for it: `launch/local -n N` starts N ranks"},
    {" train ", "dry-run", "here it is --plan"},
    {" train ", "task", "here it is data.task=NAME"},
    {" train ", "mlm", "here it is data.task=mlm"},
    {" train ", "eval", "here it is --dev FILE"},
    {" train ", "valid", "here it is --dev FILE"},
    {" train ", "validation", "here it is --dev FILE"},
    {" train ", "resume", "nothing here stands for it: the same command goes on from the newest checkpoint"},
    {" predict ", "json", "here it is --format jsonl"},
    {" predict ", "proba", "here it is --columns class,probabilities"},
    {" predict ", "probs", "here it is --columns class,probabilities"},
    {" predict ", "probabilities", "here it is --columns class,probabilities"},
    {" eval ", "test", "here it is --data test"},
    {" eval ", "dev", "here it is --data dev"},
    {" report ", "html", "here it is --out DIR: DIR/report.html is the page"},
};

const char *find_foreign(const char *command, const char *word) {
  char list[64] = "";
  snprintf(list, sizeof list, " %s ", command == NULL ? "" : command);
  for (size_t i = 0; i < sizeof foreign_words / sizeof *foreign_words; i++) {
    const struct foreign_word *f = &foreign_words[i];
    if (strcmp(f->word, word) == 0 && (command == NULL) == (f->command == NULL) &&
        (command == NULL || f->command[0] == '\0' || strstr(f->command, list) != NULL)) {
      return f->here;
    }
  }
  return NULL;
}
