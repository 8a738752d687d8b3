// A RADIO or a DISH of libzmq with drafts, over udp, for the tests of this package.
//
//   node radiodish.js radio ENDPOINT   sends each line of standard input, "group body"
//   node radiodish.js dish ENDPOINT GROUP...   prints "ready", then "group body" of each message
const zmq = require('zeromq/draft')
const readline = require('readline')
const [role, endpoint, ...groups] = process.argv.slice(2)

async function radio() {
  const sock = new zmq.Radio()
  sock.connect(endpoint)
  console.log('ready')
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const i = line.indexOf(' ')
    await sock.send(line.slice(i + 1), { group: line.slice(0, i) })
  }
}

async function dish() {
  const sock = new zmq.Dish()
  await sock.bind(endpoint)
  sock.join(...groups)
  console.log('ready')
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
  for await (const [body, { group }] of sock) {
    console.log(`${group} ${body}`)
  }
}

const run = role === 'radio' ? radio : dish
run().catch((err) => { console.error(err); process.exit(1) })
