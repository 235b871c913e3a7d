# The only handler of its file: a worker finds it without FUNC_HANDLER.
def single(event, context)
  'the only one'
end
