# Every library of the project, each with the name of its Debian package in the message when it is missing.
find_package(PkgConfig QUIET)
if(NOT PkgConfig_FOUND)
  message(FATAL_ERROR "pkg-config was not found: install the Debian package pkg-config, or run launch/install")
endif()

function(ad_require_pkg target module package)
  pkg_check_modules(${target} QUIET IMPORTED_TARGET ${module})
  if(NOT ${target}_FOUND)
    message(FATAL_ERROR "${module} was not found: install the Debian package ${package}, or run launch/install")
  endif()
endfunction()

function(ad_require_header target header library package)
  find_path(${target}_INCLUDE ${header})
  if(library)
    find_library(${target}_LIBRARY ${library})
  endif()
  if(NOT ${target}_INCLUDE OR (library AND NOT ${target}_LIBRARY))
    message(FATAL_ERROR "${header} was not found: install the Debian package ${package}, or run launch/install")
  endif()
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE})
  if(library)
    target_link_libraries(${target} INTERFACE ${${target}_LIBRARY})
  endif()
endfunction()

find_package(MPI QUIET COMPONENTS C)
if(NOT MPI_C_FOUND)
  message(FATAL_ERROR "MPI was not found: install the Debian package libopenmpi-dev, or run launch/install")
endif()
# The serial one where it is there: ranks use the cores, and the threaded one starts threads when it is loaded, each with 128
# MiB, and waits for ever where these cannot be had.
set(ENV{PKG_CONFIG_PATH} "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-serial/pkgconfig:$ENV{PKG_CONFIG_PATH}")
ad_require_pkg(OPENBLAS openblas libopenblas-serial-dev)
ad_require_pkg(HDF5 hdf5-openmpi libhdf5-openmpi-dev)
ad_require_pkg(JANSSON jansson libjansson-dev)
ad_require_pkg(YAML yaml-0.1 libyaml-dev)
ad_require_pkg(UTF8PROC libutf8proc libutf8proc-dev)
ad_require_pkg(XXHASH libxxhash libxxhash-dev)
# Without the BLAS that gsl's pkg-config file names: a slow one, which must not take OpenBLAS's place.
ad_require_header(GSL gsl/gsl_cdf.h gsl libgsl-dev)
target_link_libraries(GSL INTERFACE PkgConfig::OPENBLAS)
ad_require_header(RANDOM123 Random123/philox.h "" librandom123-dev)
ad_require_header(SLEEF sleef.h sleef libsleef-dev)
ad_require_header(CSV csv.h csv libcsv-dev)

# Product kernels made at run time, for x86-64 only; elsewhere OpenBLAS does all products. The library is a static one and
# wants a BLAS behind it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  ad_require_header(LIBXSMM libxsmm.h xsmm libxsmm-dev)
  target_link_libraries(LIBXSMM INTERFACE PkgConfig::OPENBLAS pthread rt dl m)
endif()
