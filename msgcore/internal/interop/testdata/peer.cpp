#include <map>
#include <string>
#include <vector>
#include <zmq.hpp>
#include <zmq_addon.hpp>

int main(int argc, char **argv) {
	const std::map<std::string, zmq::socket_type> types{
		{"SUB", zmq::socket_type::sub}, {"PUB", zmq::socket_type::pub}, {"REQ", zmq::socket_type::req},
		{"REP", zmq::socket_type::rep}, {"DEALER", zmq::socket_type::dealer}, {"PULL", zmq::socket_type::pull},
		{"PUSH", zmq::socket_type::push}};
	zmq::context_t context;
	std::vector<zmq::socket_t> s;
	for (int i = 1; i + 2 < argc; i += 3) {
		s.emplace_back(context, types.at(argv[i]));
		if (std::string(argv[i]) == "SUB")
			s.back().set(zmq::sockopt::subscribe, "");
		if (std::string(argv[i + 1]) == "bind")
			s.back().bind(argv[i + 2]);
		else
			s.back().connect(argv[i + 2]);
	}
	for (;;) {
		zmq::multipart_t m(s[0]);
		for (size_t i = 1; i + 1 < s.size(); i++) {
			m.send(s[i]);
			m.recv(s[i]);
		}
		m.send(s.back());
	}
}
