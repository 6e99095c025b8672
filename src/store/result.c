/* result.json: what a finished run has come to. */
#include <inttypes.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run_files.h"
#include "rows_internal.h"

static int print_variants(const struct ad_result *r, struct ad_buffer *out) {
  int any = 0;
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    if (v != r->model && r->kept[v]) {
      AD_TRY(ad_buffer_printf(out, "%s\"%s\":\"%016" PRIx64 "\"", any++ ? "," : ",\"variants\":{", ad_variant_name(v),
                              r->digest[v]));
    }
  }
  return any ? ad_buffer_puts(out, "}") : AD_OK;
}

/* The scores of an object, which has none where there are no examples. */
static int print_scores(const char *before, const char *name, const struct ad_scores *scores, struct ad_buffer *out) {
  char text[AD_ROW_TEXT];
  return ad_buffer_printf(out, "%s\"%s\":{%s}", before, name,
                          scores->examples == 0 ? "" : ad_scores_print(scores, text));
}

static int print_dev(const struct ad_result *r, struct ad_buffer *out) {
  int any = 0;
  AD_TRY(print_scores(",", "dev", &r->dev, out));
  AD_TRY(ad_buffer_puts(out, ",\"last\":{"));
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    if (r->last[v].examples > 0) {
      AD_TRY(print_scores(any++ ? "," : "", ad_variant_name(v), &r->last[v], out));
    }
  }
  return ad_buffer_puts(out, "}");
}

int ad_result_print(const struct ad_result *r, struct ad_buffer *out) {
  AD_TRY(ad_buffer_printf(
      out, "{\"step\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"model\":\"%s\",\"parameters\":\"%016" PRIx64 "\"", r->step,
      r->steps, ad_variant_name(r->model), r->digest[r->model]));
  AD_TRY(print_variants(r, out));
  AD_TRY(r->has_dev ? print_dev(r, out) : AD_OK);
  return ad_buffer_puts(out, "}\n");
}

int ad_result_read(struct ad_result *r, const json_t *object) {
  const json_t *dev = json_object_get(object, "dev"), *last = json_object_get(object, "last"),
               *variants = json_object_get(object, "variants");
  *r = (struct ad_result){.has_dev = dev != NULL, .dev = ad_scores_read(dev)};
  ad__row_count(object, "step", &r->step);
  if (!ad__row_count(object, "steps", &r->steps) || !ad__row_variant(object, "model", &r->model) ||
      !ad__row_digest(object, "parameters", &r->digest[r->model])) {
    return ad_fail(AD_EINPUT, "not the result of a run");
  }
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    r->last[v] = ad_scores_read(json_object_get(last, ad_variant_name(v)));
    r->kept[v] = v == r->model || ad__row_digest(variants, ad_variant_name(v), &r->digest[v]);
  }
  return AD_OK;
}

int ad_result_find(struct ad_result *result, const char *run) {
  json_t *object = NULL;
  char *path = ad_path_join(run, AD_RUN_FILE_RESULT);
  int status = path == NULL ? ad_fail_memory(strlen(run) + 16, "a path") : ad_json_read(&object, path);
  if (status == AD_OK && ad_result_read(result, object) != AD_OK) {
    status = ad_fail_prefix(AD_EINPUT, "%s", path);
  }
  json_decref(object);
  ad_free(path);
  return status;
}
