def refuse(event, context)
  raise KeyError, 'no such order'
end
