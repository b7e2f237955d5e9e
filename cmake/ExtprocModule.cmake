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
