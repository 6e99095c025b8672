/* A document as files: text, JSON, one page, a CSV file a table, an SVG file a figure. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "document.h"

static int write_file(const char *folder, const char *name, const struct ad_buffer *text) {
  char *path = ad_path_join(folder, name);
  const int status = path == NULL ? ad_fail_memory(strlen(folder) + strlen(name) + 2, "a path")
                                  : ad_file_write(path, text->data, text->size);
  ad_free(path);
  return status;
}

static int write_table(const struct document_table *table, const char *folder) {
  struct ad_buffer csv = {0};
  char name[120];
  snprintf(name, sizeof name, "%s.csv", table->id);
  int status = ad__document_csv(table, &csv);
  status = status == AD_OK ? write_file(folder, name, &csv) : status;
  ad_buffer_destroy(&csv);
  return status;
}

static int write_figures(size_t count, const struct document_figure *figures, const char *folder) {
  for (size_t i = 0; i < count; i++) {
    char name[120];
    snprintf(name, sizeof name, "%s.svg", figures[i].id);
    AD_TRY(write_file(folder, name, &(struct ad_buffer){.data = figures[i].file, .size = strlen(figures[i].file)}));
  }
  return AD_OK;
}

static int write_section(const struct document_section *section, const char *folder) {
  AD_TRY(write_figures(section->figure_count, section->figures, folder));
  for (size_t t = 0; t < section->table_count; t++) {
    AD_TRY(section->tables[t].csv_elsewhere ? AD_OK : write_table(&section->tables[t], folder));
  }
  return AD_OK;
}

int ad__document_write(const struct document *document, const char *folder, const char *told, struct ad_buffer *text) {
  static const struct {
    const char *name;
    int (*print)(const struct document *, struct ad_buffer *);
  } files[] = {
      {AD__REPORT_TEXT, ad__document_text}, {AD__REPORT_JSON, ad__document_json}, {"report.html", ad__document_html}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    struct ad_buffer file = {0};
    int status = files[i].print(document, &file);
    status = status == AD_OK ? write_file(folder, files[i].name, &file) : status;
    if (status == AD_OK && strcmp(files[i].name, told) == 0) {
      status = ad_buffer_append(text, file.data, file.size);
    }
    ad_buffer_destroy(&file);
    AD_TRY(status);
  }
  AD_TRY(write_figures(document->figure_count, document->figures, folder));
  for (size_t s = 0; s < document->count; s++) {
    AD_TRY(write_section(&document->sections[s], folder));
  }
  return AD_OK;
}
