/* verify: the run's folder, part by part. verify_inputs.c has what it was given, verify_snapshots.c snapshots and
 * logits. */
#include "autodidact/store/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"
#include "autodidact/store/checkpoint.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_files.h"
#include "autodidact/store/run_state.h"
#include "verify_internal.h"

int ad_verification_add(struct ad_verification *verification, int good, const char *subject, const char *format, ...) {
  char text[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  struct ad_verification *v = verification;
  void *items = v->items;
  AD_TRY(ad_reserve(&items, &v->capacity, v->count + 1, sizeof *v->items));
  v->items = items;
  struct ad_finding *item = &v->items[v->count++];
  *item = (struct ad_finding){good, ad_strdup(subject), ad_strdup(text)};
  v->bad += good ? 0 : 1;
  return item->subject == NULL || item->text == NULL ? ad_fail_memory(sizeof text, "the findings") : AD_OK;
}

int ad__verify_record(struct verifier *v, const char *subject, int status, const char *text) {
  if (status == AD_ENOMEM || status == AD_EIO) {
    return status;
  }
  if (status == AD_OK) {
    return ad_verification_add(v->out, 1, subject, "%s", text);
  }
  char *folder = ad_path_join(v->run, "");
  const char *message = ad_error_message();
  /* The subject stands in front already. */
  const size_t length = folder == NULL ? 0 : strlen(folder);
  if (length > 0 && strncmp(message, folder, length) == 0 && strncmp(message + length, subject, strlen(subject)) == 0 &&
      strncmp(message + length + strlen(subject), ": ", 2) == 0) {
    message += length + strlen(subject) + 2;
  }
  const int added = ad_verification_add(v->out, 0, subject, "%s", message);
  ad_free(folder);
  return added;
}

void ad_verification_destroy(struct ad_verification *verification) {
  for (size_t i = 0; i < verification->count; i++) {
    ad_free(verification->items[i].subject);
    ad_free(verification->items[i].text);
  }
  ad_free(verification->items);
  ad_run_log_destroy(&verification->log);
  *verification = (struct ad_verification){0};
}

/* --- The log --- */

static int verify_log(struct verifier *v) {
  char text[160];
  struct ad_run_log *log = &v->out->log;
  char *path = ad_path_join(v->run, AD_RUN_FILE_LOG);
  int status = path == NULL ? AD_ENOMEM : ad_run_log_read(log, path, UINT64_MAX);
  if (status == AD_OK && log->cut && v->out->finished) {
    status = ad_fail(AD_EINPUT, "%s: the last row is cut short", path);
  }
  snprintf(text, sizeof text, "%zu steps and %zu evaluations: the chain of digests holds%s", log->step_count,
           log->evaluation_count, log->cut ? "; the last row is cut short, and is dropped when the run goes on" : "");
  v->has_log = status == AD_OK;
  ad_free(path);
  return ad__verify_record(v, AD_RUN_FILE_LOG, status, text);
}

/* --- Checkpoints --- */

/* Its numbers against its name and the log; *sampled: the log has its step. */
static int compare_state(const struct verifier *v, const char *path, const struct ad_checkpoint *c, uint64_t step,
                         uint64_t student, int *sampled) {
  struct ad_run_state state;
  const struct ad_log_step *row = v->has_log ? ad_run_log_find(&v->out->log, step) : NULL;
  int status = ad_run_state_read(&state, path, ad_checkpoint_state(c));
  *sampled = row != NULL;
  if (status != AD_OK) {
    *sampled = 0;
  } else if (state.trainer.done != step || ad_checkpoint_step(c) != step) {
    status = ad_fail(AD_EINPUT, "%s: it was written after step %" PRIu64 ", its name says %" PRIu64, path,
                     state.trainer.done, step);
  } else if (v->has_log && (state.log_bytes > v->out->log.bytes || (step > 0 && row == NULL))) {
    status = ad_fail(AD_EINPUT, "%s: log.jsonl has %zu bytes and %zu steps, fewer than when it was written", path,
                     v->out->log.bytes, v->out->log.step_count);
  } else if (row != NULL && state.trainer.chain != row->row.chain) {
    status = ad_fail(AD_EINPUT, "%s: its chain of digests is %016" PRIx64 ", the log has %016" PRIx64, path,
                     state.trainer.chain, row->row.chain);
  } else if (row != NULL && student != row->row.parameters) {
    status = ad_fail(AD_EINPUT, "%s: the digest of its parameters is %016" PRIx64 ", the log has %016" PRIx64, path,
                     student, row->row.parameters);
  }
  ad_run_state_destroy(&state);
  return status;
}

/* "student, moment1, window_ring [3]" */
static void list_vectors(const struct ad_checkpoint *c, char *text, size_t size) {
  const struct ad_state_vector *vectors;
  const size_t count = ad_checkpoint_vectors(c, &vectors);
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < count && used < size; i++) {
    used += (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ", vectors[i].name);
    if (used < size && vectors[i].slots > 1) {
      used += (size_t)snprintf(text + used, size - used, " [%zu]", vectors[i].filled);
    }
  }
}

static int check_checkpoint(const struct verifier *v, const char *path, uint64_t step, char *text, size_t size) {
  struct ad_checkpoint *c;
  struct ad_params params = {0};
  uint64_t student = 0;
  char vectors[256];
  int sampled;
  AD_TRY(ad_checkpoint_probe(path, 1));
  AD_TRY(ad_checkpoint_open(&c, path, NULL));
  int status = ad_checkpoint_params(c, &params);
  status = status == AD_OK ? ad_params_freeze_named(&params, v->config.model_freeze) : status;
  status = status == AD_OK ? ad_checkpoint_check(c, &params, &student) : status;
  status = status == AD_OK ? compare_state(v, path, c, step, student, &sampled) : status;
  if (status == AD_OK) {
    list_vectors(c, vectors, sizeof vectors);
    const int summed = ad_checkpoint_find(c, "window_sum") >= 0 && ad_checkpoint_find(c, "window_ring") >= 0;
    snprintf(text, size, "%s: digests and tensors%s%s", vectors, summed ? ", the window's sum is that of its ring" : "",
             sampled ? ", parameters and chain as in the log" : "");
  }
  ad_params_destroy(&params);
  ad_checkpoint_close(c);
  return status;
}

static int verify_checkpoints(struct verifier *v) {
  uint64_t *steps;
  size_t count;
  AD_TRY(ad_checkpoint_list(v->run, &steps, &count));
  int status = AD_OK;
  for (size_t i = count; i > 0 && status == AD_OK; i--) {
    char text[512], subject[64];
    char *path = ad_checkpoint_path(v->run, steps[i - 1]);
    snprintf(subject, sizeof subject, "%s/%s", AD_RUN_FOLDER_CHECKPOINTS, path == NULL ? "" : ad_path_name(path));
    status = path == NULL ? ad_fail_memory(64, "a path") : check_checkpoint(v, path, steps[i - 1], text, sizeof text);
    status = ad__verify_record(v, subject, status, text);
    ad_free(path);
  }
  ad_free(steps);
  return status;
}

/* --- The result --- */

/* The digest of a weights file's values, which lie in the order of the flat vector, against the one that was kept. */
static int check_weights(const char *path, uint64_t expected) {
  struct ad_safetensors file;
  AD_TRY(ad_safetensors_open(&file, path));
  size_t bytes = 0;
  for (size_t i = 0; i < file.count; i++) {
    bytes += file.tensors[i].bytes;
  }
  const uint64_t found = ad_digest(file.count > 0 ? file.tensors[0].data : "", bytes);
  ad_safetensors_close(&file);
  return found == expected
             ? AD_OK
             : ad_fail(AD_EINPUT, "%s: the digest of its values is %016" PRIx64 ", result.json has %016" PRIx64, path,
                       found, expected);
}

static int verify_weights(struct verifier *v, const char *folder, uint64_t expected) {
  char subject[64];
  snprintf(subject, sizeof subject, "%s/model.safetensors", folder);
  char *path = ad_path_join(v->run, subject);
  const int status = path == NULL ? ad_fail_memory(64, "a path") : check_weights(path, expected);
  ad_free(path);
  return ad__verify_record(v, subject, status, "the digest of its values is that in result.json");
}

static int verify_result(struct verifier *v) {
  struct ad_result result;
  int status = ad_result_find(&result, v->run);
  if (status == AD_OK && v->has_log && result.steps != v->out->log.step_count) {
    status = ad_fail(AD_EINPUT, "%" PRIu64 " steps, the log has %zu", result.steps, v->out->log.step_count);
  }
  const int good = status == AD_OK;
  status = ad__verify_record(v, AD_RUN_FILE_RESULT, status, "as many steps as the log");
  for (enum ad_variant variant = 0; good && status == AD_OK && variant < AD_VARIANTS; variant++) {
    char folder[AD_RUN_MODEL_NAME];
    if (result.kept[variant]) {
      status = verify_weights(v, ad_run_model_name(variant, result.model, folder), result.digest[variant]);
    }
  }
  return status;
}

/* --- Which files there are --- */

static int has_bad(const struct verifier *v, const char *subject) {
  for (size_t i = 0; i < v->out->count; i++) {
    if (!v->out->items[i].good && strcmp(v->out->items[i].subject, subject) == 0) {
      return 1;
    }
  }
  return 0;
}

/* A sealed file: there, and the same. What is known of it already is not said twice. */
static int verify_sealed(struct verifier *v, const struct ad_ledger_entry *entry) {
  struct stat info;
  uint64_t digest = 0;
  char found[17], expected[17];
  char *path = ad_path_join(v->run, entry->name);
  int status = path == NULL ? ad_fail_memory(64, "a path") : AD_OK;
  if (status == AD_OK && lstat(path, &info) != 0) {
    status = ad_fail(AD_EINPUT, "missing: the run has made it, with %" PRIu64 " bytes", entry->bytes);
  } else if (status == AD_OK && (uint64_t)info.st_size != entry->bytes) {
    status = ad_fail(AD_EINPUT, "%lld bytes, the run has made it with %" PRIu64, (long long)info.st_size, entry->bytes);
  } else if (status == AD_OK) {
    status = ad_digest_file(path, &digest);
  }
  if (status == AD_OK && digest != entry->digest) {
    status = ad_fail(AD_EINPUT, "changed: its digest is %s, files.jsonl has %s", ad_digest_text(digest, found),
                     ad_digest_text(entry->digest, expected));
  }
  ad_free(path);
  return status == AD_OK || has_bad(v, entry->name) ? AD_OK : ad__verify_record(v, entry->name, status, "");
}

/* Files that the run has not made, and links. Of a run at work the list is read again, as it may have got longer
 * meanwhile. */
static int verify_foreign(struct verifier *v, const struct ad_ledger *ledger, int which) {
  const int links = which == AD_LEDGER_LINKS;
  struct ad_ledger_names names;
  struct ad_ledger now = {.fd = -1};
  int status = ad_ledger_list(ledger, which, &names);
  status = status == AD_OK && names.count > 0 ? ad_ledger_open(&now, v->run) : status;
  for (size_t i = 0; status == AD_OK && i < names.count; i++) {
    if (links || ad_ledger_find(&now, names.items[i]) == NULL) {
      status = ad_verification_add(
          v->out, 0, names.items[i], "%s",
          links ? "a symbolic link, in place of what the run has made" : "not of the run: it has made no such file");
    }
  }
  ad_ledger_names_destroy(&names);
  ad_ledger_close(&now);
  return status;
}

static int verify_files(struct verifier *v) {
  struct ad_ledger ledger;
  char text[160];
  size_t sealed = 0;
  const size_t bad = v->out->bad;
  int status = ad_ledger_open(&ledger, v->run);
  const struct ad_ledger_entry *result = ad_ledger_find(&ledger, AD_RUN_FILE_RESULT);
  if (status == AD_OK && !ledger.there) {
    status = ad_fail(AD_EINPUT, "missing: which files the run has made is not known");
  } else if (status == AD_OK && v->out->finished && (result == NULL || !result->sealed)) {
    status = ad_fail(AD_EINPUT, "cut short: it ends before the line of result.json");
  }
  if (status != AD_OK) {
    ad_ledger_close(&ledger);
    return ad__verify_record(v, AD_RUN_FILE_LEDGER, status, "");
  }
  for (size_t i = 0; status == AD_OK && v->out->finished && i < ledger.count; i++) {
    sealed += (size_t)ledger.entries[i].sealed;
    status = ledger.entries[i].sealed ? verify_sealed(v, &ledger.entries[i]) : AD_OK;
  }
  status = status == AD_OK ? verify_foreign(v, &ledger, AD_LEDGER_FOREIGN) : status;
  status = status == AD_OK ? verify_foreign(v, &ledger, AD_LEDGER_LINKS) : status;
  ad_ledger_close(&ledger);
  snprintf(text, sizeof text, v->out->finished ? "%zu files, with their sizes and digests" : "no file but the run's",
           sealed);
  return status == AD_OK && v->out->bad == bad ? ad__verify_record(v, AD_RUN_FILE_LEDGER, AD_OK, text) : status;
}

int ad_verify_run(const char *run, struct ad_verification *out) {
  struct verifier v = {.run = run, .out = out};
  *out = (struct ad_verification){0};
  AD_TRY(ad_config_create(&v.config));
  int status = ad_run_config(run, &v.config);
  out->finished = ad_run_find(run) == AD_FOUND_FINISHED;
  int (*const parts[])(struct verifier *) = {ad__verify_inputs, verify_log, verify_checkpoints, ad__verify_snapshots,
                                             ad__verify_logits};
  for (size_t i = 0; i < sizeof parts / sizeof *parts && status == AD_OK; i++) {
    status = parts[i](&v);
  }
  if (status == AD_OK && out->finished) {
    status = verify_result(&v);
  }
  status = status == AD_OK ? verify_files(&v) : status;
  ad_config_destroy(&v.config);
  return status;
}
