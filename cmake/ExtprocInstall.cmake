# What `cmake --install` puts where: headers, the library and the test kit with their CMake package and pkg-config files, and the
# command. What cpack makes of it is in ExtprocPackages.cmake.
include(CMakePackageConfigHelpers)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/extproc)

# Of everything but the command.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)
install(DIRECTORY include/extproc TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
install(FILES cmake/extproc-envoy-module.map DESTINATION ${cmake_dir})
install(TARGETS extproc_module EXPORT extprocTargets)
set(installed "")
foreach(library IN ITEMS extproc extproc_filter extproc_tls extproc_settings_file extproc_coding extproc_redact extproc_jwt
    extproc_client extproc_redis extproc_testing extproc_testing_inside)
  if(TARGET ${library})
    install(TARGETS ${library} EXPORT extprocTargets)
    list(APPEND installed ${library})
  endif()
endforeach()
if(EXTPROC_BUILD_COMMAND)
  install(TARGETS extproc_command COMPONENT command)
  list(APPEND installed extproc_command)
endif()
if(TARGET extproc_envoy_filter)
  list(APPEND installed extproc_envoy_filter)
endif()
# All that is compiled for it: what makes packages needs no tests.
add_custom_target(extproc_installed DEPENDS ${installed})
# Where modules of the command are looked for as well, and Envoy's search path may lead.
if(TARGET extproc_envoy_filter)
  install(TARGETS extproc_envoy_filter LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/extproc COMPONENT command)
endif()

# find_package(extproc)
install(EXPORT extprocTargets NAMESPACE extproc:: DESTINATION ${cmake_dir})
configure_package_config_file(cmake/extprocConfig.cmake.in extprocConfig.cmake INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(extprocConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/extprocConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/extprocConfigVersion.cmake
  cmake/ExtprocLibYaml.cmake
  cmake/ExtprocModule.cmake
  DESTINATION ${cmake_dir})

# pkg-config.
# Relative to the file's own folder, so that the installed tree can be moved.
file(RELATIVE_PATH EXTPROC_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(pc_files extproc.pc extproc-testing.pc)
if(TARGET extproc_testing_inside)
  list(APPEND pc_files extproc-testing-inside.pc)
endif()
if(TARGET extproc_tls)
  list(APPEND pc_files extproc-tls.pc)
endif()
set(EXTPROC_PC_TLS "")
if(TARGET extproc_tls)
  set(EXTPROC_PC_TLS ", extproc-tls = ${PROJECT_VERSION}")
endif()
if(TARGET extproc_settings_file)
  list(APPEND pc_files extproc-settings-file.pc)
endif()
foreach(block IN ITEMS coding redact jwt client redis)
  if(TARGET extproc_${block})
    list(APPEND pc_files extproc-${block}.pc)
  endif()
endforeach()
foreach(file IN LISTS pc_files)
  configure_file(cmake/${file}.in ${file} @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# Not in trees that have only what is compiled.
if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/deploy/debian)
  include(ExtprocPackages)
endif()
