import org.zeromq.ZMQ;
import org.zeromq.ZMsg;

class Peer {
	public static void main(String[] args) throws Exception {
		ZMQ.Context context = ZMQ.context(1);
		ZMQ.Socket[] s = new ZMQ.Socket[args.length / 3];
		for (int i = 0; i < s.length; i++) {
			String type = args[3 * i];
			s[i] = context.socket(ZMQ.class.getField(type).getInt(null));
			if (type.equals("SUB")) {
				s[i].subscribe(new byte[0]);
			}
			if (args[3 * i + 1].equals("bind")) {
				s[i].bind(args[3 * i + 2]);
			} else {
				s[i].connect(args[3 * i + 2]);
			}
		}
		for (;;) {
			ZMsg m = ZMsg.recvMsg(s[0]);
			for (int i = 1; i < s.length - 1; i++) {
				m.send(s[i]);
				m = ZMsg.recvMsg(s[i]);
			}
			m.send(s[s.length - 1]);
		}
	}
}
