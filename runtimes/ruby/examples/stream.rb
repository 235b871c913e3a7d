# Each piece is sent as it is made; while the caller reads slower, the loop waits at its <<.
def stream(event, context)
  Enumerator.new do |out|
    10.times do |count|
      out << "#{count}\n"
      sleep 0.1
    end
  end
end
