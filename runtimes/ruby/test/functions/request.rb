def h(event, context)
  request = event[:extensions][:request]
  { data: event[:data], type: request.content_type, body: request.body.read, length: request.content_length }
end
