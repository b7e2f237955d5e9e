# libyaml, which reads settings: extproc_libyaml, and extproc_libyaml_static for what Envoy loads, so that it needs no library that
# Envoy's image lacks; where there is no static one, the same as the other.
if(NOT TARGET extproc_libyaml)
  find_path(EXTPROC_LIBYAML_INCLUDE_DIR yaml.h)
  find_library(EXTPROC_LIBYAML NAMES yaml)
  find_library(EXTPROC_LIBYAML_STATIC NAMES libyaml.a yaml)
  mark_as_advanced(EXTPROC_LIBYAML_INCLUDE_DIR EXTPROC_LIBYAML EXTPROC_LIBYAML_STATIC)
  if(EXTPROC_LIBYAML AND EXTPROC_LIBYAML_INCLUDE_DIR)
    add_library(extproc_libyaml UNKNOWN IMPORTED GLOBAL)
    set_target_properties(extproc_libyaml PROPERTIES
      IMPORTED_LOCATION "${EXTPROC_LIBYAML}" INTERFACE_INCLUDE_DIRECTORIES "${EXTPROC_LIBYAML_INCLUDE_DIR}")
    add_library(extproc_libyaml_static UNKNOWN IMPORTED GLOBAL)
    set_target_properties(extproc_libyaml_static PROPERTIES
      IMPORTED_LOCATION "${EXTPROC_LIBYAML_STATIC}" INTERFACE_INCLUDE_DIRECTORIES "${EXTPROC_LIBYAML_INCLUDE_DIR}")
  endif()
endif()
