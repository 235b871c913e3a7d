# The only handler of its file: a worker finds it without being told its name.
def single(event, context)
  'the only one'
end
