# The program, the two libraries, the headers, and a pkg-config file.
install(TARGETS autodidact_cli autodidact autodidact_mpi
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/autodidact DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
configure_file(${PROJECT_SOURCE_DIR}/cmake/autodidact.pc.in ${PROJECT_BINARY_DIR}/autodidact.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/autodidact.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
