/* A model's folder that is not there: what to do depends on what the path looks like. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "autodidact/text/tokenizer.h"

/* The length of a part of a hub's name: letters and digits, with ". _ -" between them. */
static size_t name_length(const char *text) {
  static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  size_t length = strspn(text, LETTERS), more = length;
  while (more > 0) {
    const size_t marks = strspn(text + length, "._-"), letters = strspn(text + length + marks, LETTERS);
    more = letters == 0 ? 0 : marks + letters;
    length += more;
  }
  return length;
}

/* What launch/get-model takes for the path, OWNER/NAME or one word; 0 where it is no name of a model. The first BERTs
 * had names without an owner. */
static int hub_name(const char *path, char *name, size_t size) {
  const size_t owner = name_length(path);
  const size_t rest = owner > 0 && path[owner] == '/' ? name_length(path + owner + 1) : 0;
  const size_t whole = rest > 0 ? owner + 1 + rest : owner;
  if (owner == 0 || path[whole] != '\0') {
    return 0;
  }
  snprintf(name, size, "%s%s", rest == 0 && strncmp(path, "bert-", 5) == 0 ? "google-bert/" : "", path);
  return 1;
}

int ad_is_model_name(const char *text) {
  char name[200];
  return hub_name(text, name, sizeof name);
}

int ad_check_model_folder(const char *path) {
  char name[200];
  if (ad_is_folder(path)) {
    return AD_OK;
  }
  if (ad_is_file(path)) {
    return ad_fail(AD_EINPUT,
                   "%s: expected the folder of a model (config.json, model.safetensors, tokenizer), found a file",
                   path);
  }
  if (hub_name(path, name, sizeof name)) {
    return ad_fail(
        AD_EINPUT,
        "%s: there is no such folder; where it is the name of a model, `launch/get-model %s` brings that and "
        "prints its folder",
        path, name);
  }
  return ad_fail(AD_EINPUT,
                 "%s: there is no such folder, expected the folder of a model (config.json, model.safetensors, "
                 "tokenizer): `launch/get-model NAME` brings a model and prints its folder",
                 path);
}
