# Returns the body: JSON arrives parsed, everything else as a String.
def data(event, context)
  event[:data]
end
