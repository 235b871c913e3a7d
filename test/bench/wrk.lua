-- A body to send, where BENCH_BODY names its file, and the figures as one line of JSON (latencies
-- in µs).
local file = os.getenv("BENCH_BODY")
if file then
	local opened = assert(io.open(file, "rb"))
	wrk.method = "POST"
	wrk.body = opened:read("*a")
	wrk.headers["Content-Type"] = os.getenv("BENCH_TYPE")
	opened:close()
end

done = function(summary, latency)
	local errors = summary.errors
	io.write(string.format(
		'{"calls":%d,"seconds":%f,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\n',
		summary.requests,
		summary.duration / 1e6,
		latency:percentile(50),
		latency:percentile(99),
		errors.status,
		errors.connect + errors.read + errors.write + errors.timeout
	))
end
