# libyaml, which reads settings. The static one where there is one, so that what Envoy loads needs no library that its image lacks.
if(NOT TARGET extproc_libyaml)
  find_path(EXTPROC_LIBYAML_INCLUDE_DIR yaml.h)
  find_library(EXTPROC_LIBYAML NAMES libyaml.a yaml)
  mark_as_advanced(EXTPROC_LIBYAML_INCLUDE_DIR EXTPROC_LIBYAML)
  if(EXTPROC_LIBYAML AND EXTPROC_LIBYAML_INCLUDE_DIR)
    add_library(extproc_libyaml UNKNOWN IMPORTED GLOBAL)
    set_target_properties(extproc_libyaml PROPERTIES
      IMPORTED_LOCATION "${EXTPROC_LIBYAML}" INTERFACE_INCLUDE_DIRECTORIES "${EXTPROC_LIBYAML_INCLUDE_DIR}")
  endif()
endif()
