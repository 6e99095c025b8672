# A repository of one package: `spack repo add packaging/spack`, then `spack install autodidact` (docs/install.md).
from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Autodidact(CMakePackage):
    """Fine-tunes BERT-type text encoders on CPUs, reproducibly to the bit, on any number of MPI ranks."""

    license("Apache-2.0")

    # The source tree: `spack dev-build autodidact@main` in it, or a develop path of an environment.
    version("main", no_cache=True)

    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi@3:")
    # Ranks use the cores: threads of OpenBLAS would only take them from each other.
    depends_on("openblas threads=none")
    # Nothing of a parallel HDF5 is used; one of the same MPI does as well.
    depends_on("hdf5@1.10.8:")
    depends_on("jansson")
    depends_on("libyaml")
    depends_on("utf8proc")
    depends_on("xxhash")
    depends_on("random123")
    depends_on("sleef")
    depends_on("zlib-api")
    depends_on("cmocka", when="+tests")

    generator("ninja")

    def cmake_args(self):
        return [
            self.define_from_variant("AD_TESTS", "tests"),
            self.define("MPI_C_COMPILER", self.spec["mpi"].mpicc),
            self.define("CMAKE_C_FLAGS_RELEASE", "-O3 -DNDEBUG"),
        ]
