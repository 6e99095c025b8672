# What `cmake --install` puts where. Everything is found from the place of the file that asks, so that a prefix may be
# chosen late (`cmake --install --prefix`) or moved.
include(CMakePackageConfigHelpers)
set(ad_data ${CMAKE_INSTALL_DATADIR}/autodidact)
set(ad_config ${CMAKE_INSTALL_LIBDIR}/cmake/autodidact)

# The program, the three libraries, the headers.
install(TARGETS autodidact_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS autodidact autodidact_mpi autodidact_run EXPORT autodidact
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/autodidact DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
configure_file(${PROJECT_SOURCE_DIR}/cmake/version.h.in ${PROJECT_BINARY_DIR}/version.h @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/version.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/autodidact)

# For CMake: find_package(autodidact), targets autodidact::autodidact, ..._mpi and ..._run.
set_target_properties(autodidact_mpi PROPERTIES EXPORT_NAME mpi)
set_target_properties(autodidact_run PROPERTIES EXPORT_NAME run)
install(EXPORT autodidact NAMESPACE autodidact:: FILE autodidact-targets.cmake DESTINATION ${ad_config})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/autodidact-config.cmake.in
  ${PROJECT_BINARY_DIR}/autodidact-config.cmake INSTALL_DESTINATION ${ad_config})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/autodidact-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/autodidact-config.cmake ${PROJECT_BINARY_DIR}/autodidact-config-version.cmake
        DESTINATION ${ad_config})
install(FILES ${PROJECT_SOURCE_DIR}/cmake/Dependencies.cmake DESTINATION ${ad_config}
        RENAME AutodidactDependencies.cmake)

# For pkg-config.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
           OUTPUT_VARIABLE AD_PC_PREFIX)
list(JOIN ad_pc_requires " " AD_PC_REQUIRES)
list(JOIN ad_pc_libs " " AD_PC_LIBS)
list(JOIN MPI_C_LIBRARIES " " AD_PC_MPI_LIBS)
list(TRANSFORM MPI_C_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE ad_mpi_includes)
list(JOIN ad_mpi_includes " " AD_PC_MPI_CFLAGS)
foreach(name autodidact autodidact_mpi autodidact_run)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# Descriptors of data sets, licence and citation.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/datasets DESTINATION ${ad_data} USE_SOURCE_PERMISSIONS)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The launchers; the link `program` beside them says where the program is.
install(PROGRAMS ${PROJECT_SOURCE_DIR}/launch/local ${PROJECT_SOURCE_DIR}/launch/submit
        ${PROJECT_SOURCE_DIR}/launch/get-model DESTINATION ${ad_data}/launch)
install(FILES ${PROJECT_SOURCE_DIR}/launch/models.txt DESTINATION ${ad_data}/launch)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/launch/slurm DESTINATION ${ad_data}/launch USE_SOURCE_PERMISSIONS)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_BINDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${ad_data}/launch
           OUTPUT_VARIABLE ad_to_bin)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_DATADIR BASE_DIRECTORY ${CMAKE_INSTALL_FULL_BINDIR}
           OUTPUT_VARIABLE ad_to_data)
function(ad_install_link to at)
  install(CODE "file(MAKE_DIRECTORY \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    file(CREATE_LINK \"${to}\" \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${at}\" SYMBOLIC)")
endfunction()
ad_install_link(${ad_to_bin}/autodidact ${ad_data}/launch/program)
foreach(name local submit get-model)
  ad_install_link(${ad_to_data}/autodidact/launch/${name} ${CMAKE_INSTALL_BINDIR}/autodidact-${name})
endforeach()

# Manual pages, as the program that was built prints them, and completion, for which shells ask the program itself.
set(ad_manuals ${PROJECT_BINARY_DIR}/man)
file(MAKE_DIRECTORY ${ad_manuals})
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/manuals.stamp
  COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:autodidact_cli> "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
          -DFOLDER=${ad_manuals} -DLAUNCH=${PROJECT_SOURCE_DIR}/launch -P ${PROJECT_SOURCE_DIR}/cmake/ManPages.cmake
  COMMAND ${CMAKE_COMMAND} -E touch ${PROJECT_BINARY_DIR}/manuals.stamp
  DEPENDS autodidact_cli ${PROJECT_SOURCE_DIR}/cmake/ManPages.cmake ${PROJECT_SOURCE_DIR}/launch/local
          ${PROJECT_SOURCE_DIR}/launch/submit ${PROJECT_SOURCE_DIR}/launch/get-model VERBATIM)
add_custom_target(manuals ALL DEPENDS ${PROJECT_BINARY_DIR}/manuals.stamp)
install(DIRECTORY ${ad_manuals}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
set(ad_completion ${PROJECT_SOURCE_DIR}/cmake/completion)
install(FILES ${ad_completion}/autodidact.bash RENAME autodidact
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${ad_completion}/_autodidact DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${ad_completion}/autodidact.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# For environment modules and Lmod.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${ad_data}/modulefiles/autodidact
           OUTPUT_VARIABLE AD_MODULE_PREFIX)
configure_file(${PROJECT_SOURCE_DIR}/cmake/modulefile.in ${PROJECT_BINARY_DIR}/modulefile @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/modulefile RENAME ${PROJECT_VERSION}
        DESTINATION ${ad_data}/modulefiles/autodidact)
