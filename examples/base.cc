// The base processor: it handles every phase and changes nothing. With LOG_LEVEL=DEBUG the server
// logs each phase as it comes, which shows what Envoy sends for a configuration.
#include <extproc/extproc.h>

using extproc::BaseExtProcService;

EXTPROC_EXPORT(BaseExtProcService)
