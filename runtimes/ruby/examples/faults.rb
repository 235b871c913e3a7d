# The function of test/chaos, whose README describes it.

VERSION = 'one'

def notes(event, context)
  id, action, number = event[:data].lines.first.split
  line = "#{id} #{VERSION}\n"
  File.open("#{ENV['FAULTS_NOTES']}/#{Process.pid}", 'a') { |file| file.syswrite(line) }
  case action
  when 'echo' then return event[:data]
  when 'sleep' then sleep number.to_i / 1000.0
  when 'stream' then return Array.new(number.to_i, line).each
  when 'raise' then raise ArgumentError, id
  when 'die' then Process.kill(:KILL, Process.pid)
  when 'hoard' then return ('x' * (1 << 50)).length.to_s
  when 'print' then $stdout.write(("{\"\xFF\0\n".b * number.to_i)[0, number.to_i])
  when 'spawn' then Process.detach(spawn('sleep', '30'))
  when 'wire' then sockets.each { |fd| IO.for_fd(fd, 'w', autoclose: false).syswrite("no frame\n") }
  when 'answer' then return line * number.to_i
  end
  line
end

def sockets
  Dir.children('/proc/self/fd').map(&:to_i).select do |fd|
    fd > 2 && File.readlink("/proc/self/fd/#{fd}").start_with?('socket:')
  rescue SystemCallError
    false # It was only open for children().
  end
end
