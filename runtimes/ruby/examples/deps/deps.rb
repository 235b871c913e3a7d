# Needs the Gemfile beside it.
require 'words'

def deps(event, context)
  Words.of(event[:data].size)
end
