-- One request over and over, told by the environment; at the end one line of JSON.
local body = os.getenv("BENCH_BODY")
wrk.method = os.getenv("BENCH_METHOD")
if body ~= "" then wrk.body = body end
local authorization = os.getenv("BENCH_AUTHORIZATION")
if authorization ~= "" then wrk.headers["Authorization"] = authorization end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"bytes":%d,"failed":%d,"p50":%.3f,"p95":%.3f,"p99":%.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
