-- What the bench adds to wrk: an address per thread, a body or a set of hosts, and the figures as one line of JSON. Its
-- settings come as environment variables, because setup() does not get the arguments.

local function words(name)
  local list = {}
  for word in (os.getenv(name) or ""):gmatch("%S+") do
    list[#list + 1] = word
  end
  return list
end

local addresses = words("BENCH_ADDRESSES")
local threads = 0

function setup(thread)
  if #addresses == 0 then
    return
  end
  thread.addr = wrk.lookup(addresses[threads % #addresses + 1], wrk.port)[1]
  threads = threads + 1
end

function init(args)
  local bytes = tonumber(os.getenv("BENCH_BODY_BYTES") or "0")
  if bytes > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("x", bytes)
  end
end

local hosts = tonumber(os.getenv("BENCH_HOSTS") or "0")
if hosts > 0 then
  local requests = {}
  local next = 0

  function request()
    -- A prime step visits every host, and no two neighbours after each other.
    next = (next + 7919) % hosts
    local made = requests[next]
    if made == nil then
      wrk.headers["Host"] = "host-" .. next .. ".bench.test"
      made = wrk.format()
      requests[next] = made
    end
    return made
  end
end

local varied = os.getenv("BENCH_VARIED") or ""
if varied ~= "" then
  local count = 0
  local started = os.time()

  function request()
    count = count + 1
    wrk.headers["X-Request-Id"] = string.format("%016x%016x", started * 2654435761 + count * 40503, count)
    return wrk.format(nil, varied .. count .. "?page=" .. count % 97)
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(
    string.format(
      '\njson {"requests":%d,"seconds":%.6f,"errors":%d,"p50":%.3f,"p99":%.3f,"p999":%.3f}\n',
      summary.requests,
      summary.duration / 1e6,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50) / 1000,
      latency:percentile(99) / 1000,
      latency:percentile(99.9) / 1000
    )
  )
end
