require "ffi-rzmq"

context = ZMQ::Context.new
sockets = ARGV.each_slice(3).map do |type, method, endpoint|
  s = context.socket(ZMQ.const_get(type))
  s.setsockopt(ZMQ::SUBSCRIBE, "") if type == "SUB"
  raise "#{method} #{endpoint}: #{ZMQ::Util.error_string}" if s.public_send(method, endpoint) < 0
  s
end

receive = lambda do |s|
  frames = []
  raise ZMQ::Util.error_string if s.recv_strings(frames) < 0
  frames
end

loop do
  m = receive.call(sockets[0])
  (sockets[1..-2] || []).each do |s|
    s.send_strings(m)
    m = receive.call(s)
  end
  sockets[-1].send_strings(m)
end
