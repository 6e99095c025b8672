# `cpack` in the build folder of the preset debian (docs/install.md): one Debian package, which lintian accepts. The
# environment variables DEBFULLNAME and DEBEMAIL say who answers for it.
set(CPACK_PACKAGE_NAME autodidact)
set(CPACK_PACKAGE_VENDOR "The autodidact authors")
set(CPACK_PACKAGE_CONTACT "The autodidact authors <root@localhost.localdomain>")
if(DEFINED ENV{DEBEMAIL})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "fine-tune text encoders on CPUs, reproducibly to the bit")
set(CPACK_PACKAGE_DESCRIPTION
"Fine-tunes BERT-type text encoders on CPUs. The same configuration and data
give the same parameters, metrics and log, byte for byte, on any CPU with AVX2
or AVX-512 or of Arm, and on any number of MPI ranks.
.
The package has the program, launchers for one machine and for Slurm, and the
static libraries with their headers.")
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libopenblas0-serial, python3:any")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "openmpi-bin | mpich, python3-pip, curl")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/DebianFiles.cmake)
set(CPACK_AD_SOURCE ${PROJECT_SOURCE_DIR})
include(CPack)
