#include "autodidact/base/build.h"

#include "build_info.h"

const char *ad_build_version(void) {
  return AD_BUILD_VERSION;
}

const char *ad_build_commit(void) {
  return AD_BUILD_COMMIT;
}

const char *ad_build_citation(void) {
  return AD_BUILD_CITATION;
}

const char *ad_build_cite(void) {
  return AD_BUILD_CITE;
}

const char *ad_build_compiler(void) {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

const char *ad_build_flags(void) {
  return AD_BUILD_TYPE ":" AD_BUILD_FLAGS;
}
