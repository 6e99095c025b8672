# Toolchain: aarch64 by Debian's cross compiler, with a folder of unpacked arm64 packages in place of a system
# (tests/arm/sysroot makes it). Programs run by qemu. -DAD_SYSROOT=FOLDER or the environment variable names the folder.
if(NOT AD_SYSROOT)
  set(AD_SYSROOT $ENV{AD_SYSROOT})
endif()
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_SYSROOT ${AD_SYSROOT})
set(CMAKE_C_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AD_SYSROOT)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${AD_SYSROOT})

# What Debian's alternatives would link is found where it lies: nothing was installed, so no link was made.
set(ad_libraries ${AD_SYSROOT}/usr/lib/aarch64-linux-gnu)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${AD_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
    ${ad_libraries}/pkgconfig:${ad_libraries}/openblas-serial/pkgconfig:${AD_SYSROOT}/usr/share/pkgconfig)
set(MPI_SKIP_COMPILER_WRAPPER TRUE)
set(MPI_C_HEADER_DIR ${ad_libraries}/openmpi/include CACHE PATH "Headers of MPI")
set(MPI_C_LIB_NAMES mpi CACHE STRING "Libraries of MPI")
set(MPI_mpi_LIBRARY ${ad_libraries}/openmpi/lib/libmpi.so CACHE FILEPATH "The library of MPI")
string(CONCAT ad_link "-Wl,-rpath-link,${ad_libraries}:${ad_libraries}/openmpi/lib:${ad_libraries}/openblas-serial:"
  "${ad_libraries}/hdf5/openmpi:${AD_SYSROOT}/lib/aarch64-linux-gnu")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${ad_link}")
