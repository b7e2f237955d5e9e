"""The library as a conan package. Its dependencies may be the system's: a profile says so with [platform_requires], as
scripts/conan_check.sh does."""

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import load


class Extproc(ConanFile):
    name = "extproc"
    description = "The C++20 SDK for Envoy External Processors"
    package_type = "static-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"command": [True, False], "tls": [True, False], "testing": [True, False]}
    default_options = {"command": False, "tls": True, "testing": True}
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "proto/*", "src/*"

    def set_version(self):
        text = load(self, f"{self.recipe_folder}/CMakeLists.txt")
        self.version = text.split("project(extproc VERSION ")[1].split()[0]

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("boost/[>=1.81 <2]", transitive_headers=True)
        self.requires("libnghttp2/[>=1.52 <2]")
        self.requires("protozero/[>=1.7 <2]")
        self.requires("libyaml/[>=0.2.5 <1]")
        if self.options.testing or self.options.command:
            self.requires("yaml-cpp/[>=0.7 <1]")
        if self.options.tls:
            self.requires("openssl/[>=3 <4]")
        if self.options.command:
            self.requires("cli11/[>=2.3 <3]")

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["EXTPROC_BUILD_COMMAND"] = bool(self.options.command)
        toolchain.cache_variables["EXTPROC_TLS"] = bool(self.options.tls)
        # Their libraries are the system's.
        for block in ("CODING", "REDACT"):
            toolchain.cache_variables[f"EXTPROC_{block}"] = False
        for block in ("JWT", "CLIENT", "REDIS"):
            toolchain.cache_variables[f"EXTPROC_{block}"] = bool(self.options.tls)
        toolchain.cache_variables["EXTPROC_BUILD_EXAMPLES"] = False
        # It is compiled from nothing, and once.
        toolchain.cache_variables["EXTPROC_UNITY"] = "ALL"
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # It has files of its own for find_package() and pkg-config.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/extproc"]
        self.cpp_info.libs = ["extproc"]
