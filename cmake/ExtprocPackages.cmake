# cpack: three Debian packages, and a .tar.gz of all but what is Debian's own. What only packages have (manual pages, units, pages of
# documentation) is left out of `cmake --install`. scripts/package.sh makes what is made of the command.
set(package_files ${CMAKE_CURRENT_BINARY_DIR}/package)

# Debian's text of changes; the real ones are in CHANGELOG.md.
string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(deploy/debian/changelog.in ${package_files}/changelog.Debian @ONLY)

foreach(pair IN ITEMS "command;extproc" "development;libextproc-dev" "documentation;extproc-doc")
  list(GET pair 0 component)
  list(GET pair 1 package)
  install(FILES deploy/debian/copyright ${package_files}/changelog.Debian.gz
    DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL OPTIONAL)
endforeach()
install(FILES "deploy/systemd/extproc@.service" "deploy/systemd/extproc@.socket"
  DESTINATION lib/systemd/system COMPONENT command EXCLUDE_FROM_ALL)
install(FILES deploy/systemd/tls.conf deploy/systemd/tcp.conf
  DESTINATION share/doc/extproc/examples COMPONENT command EXCLUDE_FROM_ALL)
install(DIRECTORY ${package_files}/man1 DESTINATION share/man COMPONENT command EXCLUDE_FROM_ALL OPTIONAL)
# Without what images and packages are built from, which takes the project's whole tree.
install(DIRECTORY docs examples deploy
  DESTINATION share/doc/extproc-doc COMPONENT documentation EXCLUDE_FROM_ALL
  PATTERN debian EXCLUDE PATTERN image EXCLUDE PATTERN Dockerfile EXCLUDE)
install(FILES README.md CHANGELOG.md DESTINATION share/doc/extproc-doc COMPONENT documentation EXCLUDE_FROM_ALL)

set(CPACK_PACKAGE_VENDOR "extproc")
set(CPACK_PACKAGE_CONTACT "the maintainers of extproc <maintainers@extproc.invalid>")
# Each package has its own.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL command development documentation)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)

set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME extproc)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION net)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SUGGESTS "extproc-doc, libextproc-dev")
set(CPACK_DEBIAN_COMMAND_DESCRIPTION "server of Envoy External Processors
The extproc command loads processors from modules and serves them to Envoy,
writes and checks Envoy's configuration for them, and asks a server for its
health. With units for systemd.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libextproc-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# For whoever compiles with the headers and links the library.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libboost1.81-dev | libboost-dev (>= 1.81), libnghttp2-dev (>= 1.52)")
# What the test kit and the components are linked with.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS
  "libyaml-cpp-dev, libyaml-dev, libssl-dev, zlib1g-dev, libbrotli-dev, libzstd-dev, libre2-dev, extproc")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "C++20 library for Envoy External Processors
Services that Envoy asks what to do with the headers, bodies and trailers of
each HTTP request and response. Headers, static libraries, the test kit, and
what CMake and pkg-config need to find them.")

set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_NAME extproc-doc)
set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_SECTION doc)
set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DOCUMENTATION_DESCRIPTION "documentation and examples of extproc
The pages on writing, running and testing processors for Envoy, the example
processors, and files to deploy them with.")
include(CPack)
