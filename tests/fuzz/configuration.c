/* Any bytes as a configuration file, and as key=value lines: what is taken prints to a file that reads as the same. */
#include "fuzz.h"

#include "autodidact/base/config.h"
#include "autodidact/base/yaml.h"

static void parse(struct fuzz_part part) {
  char *copy = malloc(part.size + 1); /* without a NUL behind it */
  struct ad_yaml *tree = NULL;
  demand(copy != NULL);
  memcpy(copy, part.data, part.size);
  copy = realloc(copy, part.size + (part.size == 0));
  demand(fuzz_accepted(ad_yaml_parse(&tree, "fuzz", copy, part.size)) == (tree != NULL));
  ad_yaml_destroy(tree);
  free(copy);
}

/* Each line is an assignment; what is refused changes nothing. */
static void override(struct ad_config *config, char *lines) {
  char *rest = lines;
  for (char *line = strtok_r(lines, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    struct ad_buffer before = {0}, after = {0};
    demand(ad_config_print(config, &before) == AD_OK);
    if (!fuzz_accepted(ad_config_override(config, line))) {
      demand(ad_config_print(config, &after) == AD_OK);
      demand(before.size == after.size && memcmp(before.data, after.data, before.size) == 0);
    }
    ad_buffer_destroy(&before);
    ad_buffer_destroy(&after);
  }
}

static void print_again(const struct ad_config *config) {
  struct ad_config again;
  struct ad_buffer first = {0}, second = {0};
  demand(ad_config_print(config, &first) == AD_OK && ad_config_create(&again) == AD_OK);
  demand(ad_config_read(&again, fuzz_put("printed.yaml", first.data, first.size)) == AD_OK);
  demand(ad_config_print(&again, &second) == AD_OK);
  demand(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
  ad_buffer_destroy(&first);
  ad_buffer_destroy(&second);
  ad_config_destroy(&again);
}

void fuzz_input(const uint8_t *data, size_t size) {
  struct fuzz_part parts[2];
  struct ad_config config;
  fuzz_cut(data, size, parts, 2);
  parse(parts[0]);
  demand(ad_config_create(&config) == AD_OK);
  fuzz_accepted(ad_config_read(&config, fuzz_put("read.yaml", parts[0].data, parts[0].size)));
  char *lines = fuzz_text(parts[1]);
  override(&config, lines);
  free(lines);
  print_again(&config);
  ad_config_destroy(&config);
}
