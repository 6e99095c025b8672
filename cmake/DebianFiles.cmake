# What Debian asks of a package beside what is installed: its licence by reference, a changelog, packed manual pages.
file(GLOB_RECURSE licences ${CPACK_TEMPORARY_DIRECTORY}/usr/share/doc/autodidact/LICENSE)
file(REMOVE ${licences})
set(folder ${CPACK_TEMPORARY_DIRECTORY}/usr/share/doc/autodidact)
file(COPY ${CPACK_AD_SOURCE}/packaging/debian/copyright DESTINATION ${folder})
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${folder}/changelog.Debian "autodidact (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; "
  "urgency=medium\n\n  * See CHANGELOG.md of the source.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
file(MAKE_DIRECTORY ${CPACK_TEMPORARY_DIRECTORY}/usr/share/lintian/overrides)
file(COPY_FILE ${CPACK_AD_SOURCE}/packaging/debian/lintian-overrides
     ${CPACK_TEMPORARY_DIRECTORY}/usr/share/lintian/overrides/autodidact)
# The system's own folders and alternatives say where libraries are.
file(RPATH_REMOVE FILE ${CPACK_TEMPORARY_DIRECTORY}/usr/bin/autodidact)
file(GLOB pages ${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/man1/*.1)
execute_process(COMMAND gzip -9n ${pages} ${folder}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND chmod -R go-w,a+rX ${CPACK_TEMPORARY_DIRECTORY}/usr COMMAND_ERROR_IS_FATAL ANY)
