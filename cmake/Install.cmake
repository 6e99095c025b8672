# The program, the three libraries, the headers, and a pkg-config file for each library.
install(TARGETS autodidact_cli autodidact autodidact_mpi autodidact_run
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/autodidact DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")

# The prefix is found from the file's own place, so that `cmake --install --prefix` and a moved tree work.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
           OUTPUT_VARIABLE AD_PC_PREFIX)
list(JOIN ad_pc_requires " " AD_PC_REQUIRES)
list(JOIN ad_pc_libs " " AD_PC_LIBS)
list(JOIN MPI_C_LIBRARIES " " AD_PC_MPI_LIBS)
list(TRANSFORM MPI_C_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE includes)
list(JOIN includes " " AD_PC_MPI_CFLAGS)
foreach(name autodidact autodidact_mpi autodidact_run)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/datasets DESTINATION ${CMAKE_INSTALL_DATADIR}/autodidact)
# What fetches models by name (run/model_name.h).
install(PROGRAMS ${PROJECT_SOURCE_DIR}/launch/get-model DESTINATION ${CMAKE_INSTALL_DATADIR}/autodidact/launch)
install(FILES ${PROJECT_SOURCE_DIR}/launch/models.txt DESTINATION ${CMAKE_INSTALL_DATADIR}/autodidact/launch)
