const zmq = require('zeromq')
const draft = require('zeromq/draft')

const names = {
	REQ: 'Request', REP: 'Reply', DEALER: 'Dealer', PULL: 'Pull', PUSH: 'Push', PUB: 'Publisher', SUB: 'Subscriber',
	SERVER: 'Server', CLIENT: 'Client', GATHER: 'Gather', SCATTER: 'Scatter', RADIO: 'Radio', DISH: 'Dish',
}

async function main(args) {
	const sockets = []
	for (let i = 0; i + 2 < args.length; i += 3) {
		const [type, method, endpoint] = args.slice(i, i + 3)
		const s = new ((zmq[names[type]]) || draft[names[type]])()
		if (type === 'SUB') s.subscribe()
		if (type === 'DISH') s.join('group')
		if (method === 'bind') await s.bind(endpoint)
		else s.connect(endpoint)
		sockets.push(s)
	}
	const last = sockets.length - 1
	for (;;) {
		let m = await sockets[0].receive()
		for (let i = 1; i < last; i++) {
			await sockets[i].send(m.length === 1 ? m[0] : m)
			m = await sockets[i].receive()
		}
		const s = sockets[last]
		if (s instanceof draft.Server) await s.send(m[0], m[1]) // what came with the message tells its peer
		else if (s instanceof draft.Radio) await s.send(m[0], m[1])
		else await s.send(m)
	}
}

main(process.argv.slice(2))
