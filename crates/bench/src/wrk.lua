-- Sends what the lines make, in turn; tells what came back as one line of JSON.
local requests, at = {}, 0
local rest = tonumber(os.getenv("BENCH_REST_MS"))
local path, asker = os.getenv("BENCH_PATH"), os.getenv("BENCH_KEY")

-- With an asker each line is a body, without one a key.
function init()
  local from = { ["Authorization"] = "Bearer " .. (asker or ""), ["Content-Type"] = "application/json" }
  for line in io.lines(os.getenv("BENCH_LINES")) do
    requests[#requests + 1] = asker and wrk.format("POST", path, from, line)
      or wrk.format("GET", path, { ["X-API-Key"] = line })
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
