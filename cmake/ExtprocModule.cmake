# extproc_add_module(<name> <source>...)
#
# Builds processors that are exported with EXTPROC_EXPORT into the module <name>.so, from which
# `extproc serve -s <name>.<Processor>` loads them. A module is compiled with the library's headers and not linked with the
# library: the program that loads it has it, once per process. The file is put into CMAKE_BINARY_DIR.
function(extproc_add_module name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE extproc::module)
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so"
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# extproc_add_envoy_module(<name> <source>...)
#
# Builds processors that are exported with EXTPROC_EXPORT, the filter and the library into one file, lib<name>.so, which Envoy loads
# as a dynamic module: `dynamic_module_config: {name: <name>}`, and `filter_name: <Processor>`. It needs the C library alone, so
# that it fits images of Envoy without a C++ runtime. The file is put into CMAKE_BINARY_DIR.
function(extproc_add_envoy_module name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE extproc::module "$<LINK_LIBRARY:WHOLE_ARCHIVE,extproc::filter>" extproc::extproc)
  # Other files in Envoy may have another version of all of it.
  target_link_options(${name} PRIVATE
    -static-libstdc++ -static-libgcc LINKER:--as-needed LINKER:-Bsymbolic LINKER:--version-script,${EXTPROC_ENVOY_MODULE_SYMBOLS})
  set_target_properties(${name} PROPERTIES
    PREFIX lib SUFFIX .so
    LINK_DEPENDS ${EXTPROC_ENVOY_MODULE_SYMBOLS}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()
set(EXTPROC_ENVOY_MODULE_SYMBOLS ${CMAKE_CURRENT_LIST_DIR}/extproc-envoy-module.map CACHE INTERNAL "")
