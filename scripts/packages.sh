# The Debian packages of each group, and the command of a package that shows that it is there where dpkg is not.
# Sourced by install.sh.
# shellcheck shell=bash disable=SC2034

# Compiling the library, the command and the examples, as the builder's image does.
packages_product=(
  g++ cmake ninja-build pkg-config
  libboost1.81-dev libnghttp2-dev libprotozero-dev     # the library
  libyaml-cpp-dev                                      # the command and the test kit
  libyaml-dev                                          # the filter for Envoy, and settings from a file
  libcli11-dev libssl-dev                              # the command, TLS, extproc::client and the examples
  zlib1g-dev libbrotli-dev libzstd-dev                 # extproc::coding
  libre2-dev                                           # extproc::redact
)
# Compiling everything that the presets build: the unit tests, too.
packages_build=(
  "${packages_product[@]}"
  libgtest-dev libgmock-dev libprotobuf-dev protobuf-compiler python3 redis-server  # the unit tests
)
# Envoy, and curl to try it.
packages_run=(python3-venv curl ca-certificates)
packages_test=(python3-venv curl ca-certificates ccache nghttp2-client prometheus iproute2 redis-server)
packages_format=(clang-format-16)
packages_lint=(clang-format-16 clang-tidy-16 clang-16)
# Checks of what is in deploy/: systemd's own, a lint of Dockerfiles, helm, which Go builds. docker-compose needs no engine to read a file.
packages_deploy=(python3-venv systemd procps docker-compose curl ca-certificates)
# Building an image without an engine: its base, and what takes a Dockerfile.
packages_image=(python3-venv buildah mmdebstrap curl ca-certificates)
# What compose.yaml has beside Envoy and processors.
packages_compose=(docker-compose prometheus iproute2 curl ca-certificates)
# A Kubernetes API server and names of a cluster; Go builds the rest.
packages_control_plane=(etcd-server dnsmasq-base iproute2 util-linux procps openssl)
# Debian packages in a bare Debian.
packages_debian=(dpkg-dev file mmdebstrap lintian help2man)
# cpack's .deb: dpkg-shlibdeps, and file, which tells programs from other files.
packages_package=(dpkg-dev file)
packages_bench=(python3-venv nghttp2-client wrk libgrpc++-dev protobuf-compiler-grpc)
packages_instructions=(valgrind)
packages_browser=(chromium chromium-driver)
packages_clang=(clang-16 libclang-rt-16-dev)

# Commands that a group needs, for systems without apt.
commands_build=(g++ cmake ninja pkg-config protoc python3 redis-server)
commands_run=(python3 curl)
commands_test=(python3 curl h2load promtool ss redis-server)
commands_format=(clang-format-16)
commands_lint=(clang-format-16 clang-tidy-16)
commands_deploy=(systemd-analyze docker-compose)
commands_image=(buildah mmdebstrap)
commands_compose=(docker-compose prometheus ip)
commands_control_plane=(etcd dnsmasq ip unshare openssl)
commands_debian=(dpkg-deb mmdebstrap lintian help2man)
commands_package=(dpkg-shlibdeps file)
commands_bench=(python3 h2load wrk grpc_cpp_plugin)
commands_instructions=(valgrind)
commands_browser=(chromium chromedriver)
commands_clang=(clang++-16)
