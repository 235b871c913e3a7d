def greet(event, context)
  { hello: event[:data]['name'] }
end
