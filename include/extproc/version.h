#pragma once

/// The version of the library that these headers belong to. A module is accepted only by a host of
/// the same version.
#define EXTPROC_VERSION_MAJOR 0
#define EXTPROC_VERSION_MINOR 1
#define EXTPROC_VERSION_PATCH 0
#define EXTPROC_VERSION_STRING "0.1.0"
