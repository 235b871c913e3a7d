# A file that cannot be loaded: its line 17, which is the same in every language, is not Ruby.
#
# What a worker says about it must name this file and that line.

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
