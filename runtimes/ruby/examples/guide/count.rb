def count(event, context)
  Enumerator.new do |out|
    [1, 2, 3].each do |number|
      out << "#{number}\n"
      sleep 0.1 # seconds
    end
  end
end
