#pragma once

// Everything that a synchronous processor needs. Coroutines are in <extproc/async.h>, the test kit
// in <extproc/testing.h>.

#include "extproc/body.h"
#include "extproc/chain.h"
#include "extproc/context.h"
#include "extproc/error.h"
#include "extproc/handlers.h"
#include "extproc/headers.h"
#include "extproc/immediate_response.h"
#include "extproc/log.h"
#include "extproc/module.h"
#include "extproc/needs.h"
#include "extproc/observer.h"
#include "extproc/own_settings.h"
#include "extproc/per_thread.h"
#include "extproc/phase.h"
#include "extproc/processor.h"
#include "extproc/request.h"
#include "extproc/response.h"
#include "extproc/server.h"
#include "extproc/service.h"
#include "extproc/service_manager.h"
#include "extproc/settings.h"
#include "extproc/status.h"
#include "extproc/version.h"
