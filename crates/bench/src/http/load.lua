-- Sends the prepared bodies in turn; tells what came back as one line of JSON.
local requests, at = {}, 0
local rest = tonumber(os.getenv("BENCH_REST_MS"))

function init()
  local headers = {
    ["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY"),
    ["Content-Type"] = "application/json",
  }
  for body in io.lines(os.getenv("BENCH_BODIES")) do
    requests[#requests + 1] = wrk.format("POST", "/" .. os.getenv("BENCH_PATH"):sub(2), headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

if rest > 0 then
  function delay()
    return rest
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"per_second":%.1f,"p50_us":%d,"p99_us":%d,"errors":%d}\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
