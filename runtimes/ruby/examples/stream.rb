# Each piece is sent at once. If the caller reads slowly, the loop waits at <<.
def stream(event, context)
  Enumerator.new do |out|
    10.times do |count|
      out << "#{count}\n"
      sleep 0.1
    end
  end
end
