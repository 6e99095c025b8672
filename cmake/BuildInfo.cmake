# Writes build_info.h with the version, the commit and how to cite it (CITATION.cff); run at every build, the file
# changes only when they do.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
endif()
file(STRINGS ${SOURCE}/CITATION.cff title REGEX "^title: ")
file(STRINGS ${SOURCE}/CITATION.cff authors REGEX "^  - name: ")
string(REGEX REPLACE "^title: \"(.*)\"$" "\\1" title "${title}")
string(REGEX REPLACE "  - name: \"([^\"]*)\"" "\\1" authors "${authors}")
string(REPLACE ";" ", " authors "${authors}")
set(citation "${authors}: ${title}, version ${VERSION}")
string(CONCAT text
  "#define AD_BUILD_VERSION \"${VERSION}\"\n#define AD_BUILD_COMMIT \"${commit}\"\n"
  "#define AD_BUILD_CITATION \"${citation}\"\n")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
