#include "autodidact/store/provenance.h"

#include <stddef.h>
#include <string.h>

enum ad_fact_kind ad_fact_kind(const char *name) {
  static const struct {
    const char *name;
    enum ad_fact_kind kind;
  } facts[] = {
#define AD_FACT_ROW(name, kind) {#name, kind},
      AD_FACT_MAP(AD_FACT_ROW)
#undef AD_FACT_ROW
  };
  for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
    if (strcmp(name, facts[i].name) == 0) {
      return facts[i].kind;
    }
  }
  return AD_FACT_CONFIGURATION;
}
