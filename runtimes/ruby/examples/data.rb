# Gives back what it was sent: JSON arrives parsed, everything else as a String.
def data(event, context)
  event[:data]
end
