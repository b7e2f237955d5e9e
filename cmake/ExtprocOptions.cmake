# Options and the compile flags of the project's own targets. Nothing here changes a global flag, so that a parent project
# that uses add_subdirectory keeps its own.

option(EXTPROC_BUILD_COMMAND "Build the extproc command" ${PROJECT_IS_TOP_LEVEL})
option(EXTPROC_TLS "Build extproc::tls, and the command with it (needs OpenSSL 3)" ${PROJECT_IS_TOP_LEVEL})
option(EXTPROC_CODING "Build extproc::coding (needs zlib, brotli and zstd)" ${PROJECT_IS_TOP_LEVEL})
option(EXTPROC_REDACT "Build extproc::redact (needs RE2)" ${PROJECT_IS_TOP_LEVEL})
option(EXTPROC_JWT "Build extproc::jwt (needs OpenSSL 3)" ${PROJECT_IS_TOP_LEVEL})
option(EXTPROC_CLIENT "Build extproc::client (needs OpenSSL 3)" ${PROJECT_IS_TOP_LEVEL})
option(EXTPROC_REDIS "Build extproc::redis (needs extproc::client)" ${EXTPROC_CLIENT})
option(EXTPROC_BUILD_EXAMPLES "Build the example processors" ${PROJECT_IS_TOP_LEVEL})
option(EXTPROC_BUILD_TESTS "Build the tests" OFF)
option(EXTPROC_BUILD_FUZZERS "Build the libFuzzer targets (clang only)" OFF)
option(EXTPROC_BUILD_BENCH "Build the programs of the benchmark" OFF)
option(EXTPROC_INSTALL "Generate install rules" ${PROJECT_IS_TOP_LEVEL})
option(EXTPROC_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
# In unity several sources are one unit to the compiler: what is slow to read is read once, but a change of one source compiles
# them all, and one may use what another includes, so that a build that is not in unity has to pass as well.
set(EXTPROC_UNITY SOME CACHE STRING "ALL: libraries and tests in unity; MOST: without what the budget of instructions counts, \
which the compiler inlines otherwise there; SOME: only sources that share what is slowest to read; NONE")
set_property(CACHE EXTPROC_UNITY PROPERTY STRINGS ALL MOST SOME NONE)
if(NOT EXTPROC_UNITY MATCHES "^(ALL|MOST|SOME|NONE)$")
  message(FATAL_ERROR "EXTPROC_UNITY is ${EXTPROC_UNITY}: it must be ALL, MOST, SOME or NONE")
endif()
set(EXTPROC_SANITIZE "" CACHE STRING "Sanitizers for every target of the project, as in -fsanitize=")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

if(EXTPROC_REDIS AND NOT EXTPROC_CLIENT)
  message(FATAL_ERROR "EXTPROC_REDIS needs EXTPROC_CLIENT: its connections are that component's")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2>=1.52)
if(EXTPROC_CODING)
  pkg_check_modules(CODECS REQUIRED IMPORTED_TARGET zlib libbrotlidec libbrotlienc libzstd)
endif()
if(EXTPROC_REDACT)
  pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
endif()
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_reader.hpp REQUIRED)

# What every target of this project is compiled with; never exported.
add_library(extproc_build_flags INTERFACE)
target_compile_features(extproc_build_flags INTERFACE cxx_std_20)
target_compile_options(extproc_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion -Wno-sign-conversion
  $<$<BOOL:${EXTPROC_WARNINGS_AS_ERRORS}>:-Werror>
  # GCC's coroutine frames trip these two in optimised builds without anything being wrong.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-free-nonheap-object>
  # GCC 12 sees overlapping copies in `"literal" + std::string(...)` at -O3 (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(EXTPROC_UNITY MATCHES "^(ALL|MOST)$" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # To the compiler every source of a unit but the unit itself is a header, where an anonymous namespace is suspicious.
  target_compile_options(extproc_build_flags INTERFACE -Wno-subobject-linkage)
endif()
if(EXTPROC_SANITIZE)
  target_compile_options(extproc_build_flags INTERFACE
    -fsanitize=${EXTPROC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(extproc_build_flags INTERFACE -fsanitize=${EXTPROC_SANITIZE})
  if(EXTPROC_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Boost.Asio fences where ThreadSanitizer cannot follow; the operations around it are atomics that it does.
    target_compile_options(extproc_build_flags INTERFACE -Wno-tsan)
  endif()
endif()
