// A socket of a libzmq with drafts, for the tests of this package.
//
//   node draft.js CLASS OPTIONS bind|connect ENDPOINT
//
// CLASS is one of module zeromq, OPTIONS a JSON object of option numbers and
// their values, strings or numbers. It prints "ready ENDPOINT", then each message
// as a JSON list of its frames, and sends each line of standard input, which is
// such a list, "subscribe PREFIX" or "close".
const zmq = { ...require('zeromq'), ...require('zeromq/draft') }
const readline = require('readline')
const [kind, options, verb, endpoint] = process.argv.slice(2)

async function receive(sock) {
  for await (const msg of sock) {
    console.log(JSON.stringify(msg.filter(Buffer.isBuffer).map((f) => f.toString('latin1'))))
  }
}

async function main() {
  const sock = new zmq[kind]()
  for (const [option, value] of Object.entries(JSON.parse(options))) {
    if (typeof value === 'string') {
      sock.setStringOption(Number(option), Buffer.from(value, 'latin1'))
    } else {
      sock.setInt32Option(Number(option), value)
    }
  }
  if (verb === 'bind') {
    await sock.bind(endpoint)
  } else {
    sock.connect(endpoint)
  }
  console.log('ready ' + sock.lastEndpoint)
  if (typeof sock.receive === 'function') {
    receive(sock).catch(() => {})
  }
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line === 'close') {
      sock.close()
    } else if (line.startsWith('subscribe ')) {
      sock.subscribe(line.slice(10))
    } else {
      await sock.send(JSON.parse(line).map((f) => Buffer.from(f, 'latin1')))
    }
  }
  process.exit(0)
}

main().catch((err) => { console.error(err); process.exit(1) })
