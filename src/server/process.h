#pragma once

namespace extproc::server {

// What a process that serves is made to be, before all else. Nothing of it is undone.

/// Standard input, output and error are open: on /dev/null where they were not. Else what is opened
/// next would be one of them, and lines meant for people be written to it.
void open_standard_files();

/// SIGHUP, SIGUSR1 and SIGUSR2 do not end it, nor does SIGPIPE, of a log that is a closed pipe.
void ignore_signals();

}  // namespace extproc::server
