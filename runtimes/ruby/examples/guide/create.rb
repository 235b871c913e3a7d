def create(event, context)
  [201, { 'Location' => '/orders/7' }, "created\n"]
end
