# The handlers of docs/conformance.md.

TEXT = 'čšž ελ 日本 🎉'

@lock = Mutex.new
@count = 0
puts 'conformance loaded'

def echoes(event, context)
  event[:data]
end

def types(event, context)
  {
    id: event[:'event-id'],
    type: event[:'event-type'],
    time: event[:'event-time'],
    namespace: event[:'event-namespace'],
    data: event[:data],
    source: event[:extensions][:source]
  }
end

def context(event, context)
  context
end

def raises(event, context)
  raise ArgumentError, event[:data]
end

def exits(event, context)
  exit 3
end

def dies(event, context)
  Process.kill(:KILL, Process.pid)
end

def recurses(event, context)
  recurses(event, context) + 1
end

def prints(event, context)
  puts event[:data]
  warn event[:data]
  'printed'
end

def unicode(event, context)
  puts TEXT
  raise ArgumentError, TEXT if event[:data] == 'raise'

  TEXT
end

def sleeps(event, context)
  sleep event[:data].to_i / 1000.0
  'slept'
end

def bytes(event, context)
  (0..255).to_a.pack('C*')
end

def big(event, context)
  '0123456789' * (event[:data].to_i / 10)
end

def streams(event, context)
  n, m, ms, after = event[:data].split
  Enumerator.new do |out|
    n.to_i.times do |i|
      sleep ms.to_i / 1000.0 if i > 0
      out << (i % 10).to_s * m.to_i
    end
    raise ArgumentError, 'broken off' if after == 'raise'
  end
end

def headers(event, context)
  [201, { 'Content-Type' => 'text/plain', 'X-Name' => 'Ada', 'Set-Cookie' => %w[a=1 b=2] }, ['made']]
end

def request(event, context)
  request = event[:extensions][:request]
  {
    method: request.request_method,
    path: request.path,
    query: request.params['x'],
    header: request.get_header('HTTP_X_NAME')
  }
end

def nonsense(event, context)
  Object.new
end

def spawns(event, context)
  # close_others: false, or Ruby would keep from the child what the worker must keep from it.
  return spawn('sleep', '30', close_others: false).to_s unless event[:data] == 'fork'

  fork do
    sleep 30
    exit!
  end.to_s
end

def stdin(event, context)
  $stdin.read
end

def counts(event, context)
  @lock.synchronize { @count += 1 }.to_s
end
