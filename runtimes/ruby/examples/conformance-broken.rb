# A file that cannot be loaded: line 17 is a syntax error, as in every language.
#
# The error must name this file and this line.

def echoes(event, context)
  event[:data]
end

def raises(event, context)
  raise ArgumentError, event[:data]
end

def types(event, context)
  {}
end

this line is not Ruby )
