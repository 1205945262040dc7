/**
 * A stretch of wire that is long: what goes in at one end comes out at the other after a while, however much it is. In a
 * process of its own.
 *
 * Arguments: the port that it leads to, and the milliseconds of a round trip. Prints its port when it listens.
 */
import { connect, createServer, type Socket } from "node:net"

const [, , port = "", roundTripMillis = ""] = process.argv

/** What is on the way is bounded, at far more than a round trip of this machine's own loopback holds. */
const mostBytes = 64 * 1024 * 1024

/** What arrives leaves half a round trip later, in order. */
const carry = (from: Socket, to: Socket) => {
  const onTheWay: Array<{ readonly chunk: Buffer; readonly due: number }> = []
  let bytes = 0
  let ended = false
  let timer: NodeJS.Timeout | undefined

  const deliver = () => {
    timer = undefined
    const now = performance.now()
    let free = true
    while (free && onTheWay[0] !== undefined && onTheWay[0].due <= now) {
      const { chunk } = onTheWay[0]
      onTheWay.shift()
      bytes -= chunk.length
      free = to.write(chunk)
    }
    if (bytes < mostBytes) from.resume()
    if (!free) to.once("drain", deliver)
    else if (onTheWay[0] !== undefined) timer = setTimeout(deliver, Math.max(0, onTheWay[0].due - performance.now()))
    else if (ended) to.end()
  }

  from.on("data", (chunk: Buffer) => {
    onTheWay.push({ chunk, due: performance.now() + Number(roundTripMillis) / 2 })
    bytes += chunk.length
    if (bytes >= mostBytes) from.pause()
    if (onTheWay.length === 1 && timer === undefined) timer = setTimeout(deliver, Number(roundTripMillis) / 2)
  })
  from.on("end", () => {
    ended = true
    if (onTheWay.length === 0) to.end()
  })
  from.on("error", () => to.destroy())
  from.on("close", () => {
    if (!ended) to.destroy()
  })
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const upstream = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
  carry(client, upstream)
  carry(upstream, client)
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`)
})
