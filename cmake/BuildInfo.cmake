# Writes build_info.h with the version, the commit and how to cite it (CITATION.cff); run at every build, the file
# changes only when they do.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
endif()

# cff_value(result pattern): the text behind the pattern in the first line of CITATION.cff that has it, without quotes.
function(cff_value result pattern)
  file(STRINGS ${SOURCE}/CITATION.cff lines REGEX "^${pattern}")
  if(NOT lines)
    message(FATAL_ERROR "CITATION.cff has no line that begins with \"${pattern}\"")
  endif()
  list(GET lines 0 line)
  string(REGEX REPLACE "^${pattern}" "" line "${line}")
  string(REGEX REPLACE "^\"(.*)\"$" "\\1" line "${line}")
  set(${result} "${line}" PARENT_SCOPE)
endfunction()

# cff_authors(indent plain bibtex): the authors whose lines are indented so, persons or others, as "Yige Xu, ..." and as
# "Xu, Yige and ...".
function(cff_authors indent plain bibtex)
  file(STRINGS ${SOURCE}/CITATION.cff lines REGEX "^${indent}(- |  )(name|family-names|given-names): ")
  set(names "")
  set(entries "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[- ]*[a-z-]+: \"?([^\"]*)\"?$" "\\1" value "${line}")
    if(line MATCHES "- name: ")
      list(APPEND names "${value}")
      list(APPEND entries "{${value}}")
    elseif(line MATCHES "family-names: ")
      set(family "${value}")
    else()
      list(APPEND names "${value} ${family}")
      list(APPEND entries "${family}, ${value}")
    endif()
  endforeach()
  list(JOIN names ", " names)
  list(JOIN entries " and " entries)
  set(${plain} "${names}" PARENT_SCOPE)
  set(${bibtex} "${entries}" PARENT_SCOPE)
endfunction()

cff_value(title "title: ")
cff_value(date "date-released: ")
cff_authors("  " authors entries)
cff_value(paper_title "    title: ")
cff_value(paper_year "    year: ")
cff_value(paper_number "        value: ")
cff_value(paper_url "    url: ")
cff_authors("      " paper_authors paper_entries)
string(SUBSTRING "${date}" 0 4 year)
string(REPLACE "arXiv:" "" paper_eprint "${paper_number}")
set(citation "${authors}: ${title}, version ${VERSION}")
set(cite "${authors} (${year}). ${title}. Version ${VERSION}, ${date}.
${paper_authors} (${paper_year}). ${paper_title}. ${paper_number}, ${paper_url}

@software{autodidact,
  author = {${entries}},
  title = {{${title}}},
  version = {${VERSION}},
  date = {${date}},
  year = {${year}}
}
@misc{autodidact_paper,
  author = {${paper_entries}},
  title = {{${paper_title}}},
  year = {${paper_year}},
  eprint = {${paper_eprint}},
  archiveprefix = {arXiv},
  url = {${paper_url}}
}
")
string(REPLACE "\n" "\\n\"\n  \"" cite "${cite}")
string(CONCAT text
  "#define AD_BUILD_VERSION \"${VERSION}\"\n#define AD_BUILD_COMMIT \"${commit}\"\n"
  "#define AD_BUILD_CITATION \"${citation}\"\n")
string(REPLACE "\n" " \\\n" cite "  \"${cite}\"")
string(APPEND text "#define AD_BUILD_CITE \\\n${cite}\n")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
