# The request is a Rack request, the result [status, headers, body] as in Rack.
def rack(event, context)
  request = event[:extensions][:request]
  name = request.params.fetch('name', 'you')
  [201, { 'Content-Type' => 'text/plain', 'X-Path' => request.path }, ["hello #{name}\n"]]
end
