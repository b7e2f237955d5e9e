-- The first argument is the size of the body that each request has.
function init(arguments)
  local bytes = tonumber(arguments[1])
  if bytes > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("b", bytes)
  end
end

-- What bench/lib/loads.py reads of a run of wrk, as one line of JSON; times in microseconds.
function done(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write +
    summary.errors.status + summary.errors.timeout
  io.write(string.format(
    'report {"requests": %d, "seconds": %f, "errors": %d, "p50": %d, "p99": %d, "p999": %d}\n',
    summary.requests, summary.duration / 1e6, errors,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
