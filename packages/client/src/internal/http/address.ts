/**
 * Reads IP addresses, as text forms of RFC 4291 and dotted decimals. `URL` and resolvers write them in few ways, so only
 * those are read.
 */

const octets = (text: string): ReadonlyArray<number> | undefined => {
  const parts = text.split(".")
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
    ? parts.map(Number)
    : undefined
}

const groupsOf = (text: string): ReadonlyArray<number> | undefined => {
  if (text === "") return []
  const parts = text.split(":")
  const last = octets(parts.at(-1) ?? "")
  const words = (last === undefined ? parts : parts.slice(0, -1)).map((part) =>
    /^[0-9a-f]{1,4}$/i.test(part) ? Number.parseInt(part, 16) : Number.NaN
  )
  if (words.some(Number.isNaN)) return undefined
  if (last === undefined) return words
  const [a = 0, b = 0, c = 0, d = 0] = last
  return [...words, a * 256 + b, c * 256 + d]
}

/** The eight groups of an IPv6 address. */
const groups = (text: string): ReadonlyArray<number> | undefined => {
  const [head = "", tail, ...more] = text.replace(/%.*$/, "").split("::")
  if (more.length > 0) return undefined
  const left = groupsOf(head)
  const right = groupsOf(tail ?? "")
  if (left === undefined || right === undefined) return undefined
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  return [...left, ...Array<number>(missing).fill(0), ...right]
}

/** Whether a text is an address, not a name. */
export const isAddress = (text: string): boolean => octets(text) !== undefined || groups(text) !== undefined

const reachOfOctets = ([a = 0, b = 0, c = 0, d = 0]: ReadonlyArray<number>) => {
  if (a === 127 || a === 0) return "loopback"
  if (a === 169 && b === 254) return "link-local"
  // Azure's own services for a virtual machine: not routed anywhere else.
  if (a === 168 && b === 63 && c === 129 && d === 16) return "link-local"
  const isPrivate =
    a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128)
  // Multicast, reserved and broadcast addresses are nobody's host.
  return isPrivate || a >= 224 || (a === 198 && (b === 18 || b === 19)) || (a === 192 && b === 0 && c === 0)
    ? "private"
    : "public"
}

/** The IPv4 address inside an IPv6 one: mapped, compatible, or translated by the well-known prefix. */
const embedded = (all: ReadonlyArray<number>): ReadonlyArray<number> | undefined => {
  const [g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, g5 = 0, g6 = 0, g7 = 0] = all
  const inLast = [g6 >> 8, g6 & 255, g7 >> 8, g7 & 255]
  const zeros = g0 === 0 && g1 === 0 && g2 === 0 && g3 === 0
  if (zeros && (g4 === 0 || g4 === 0xffff) && (g5 === 0xffff || g5 === 0) && (g6 !== 0 || g7 > 1)) return inLast
  if (g0 === 0x64 && g1 === 0xff9b) return inLast
  return g0 === 0x2002 ? [g1 >> 8, g1 & 255, g2 >> 8, g2 & 255] : undefined
}

/** The reach of an address; an address that can't be read has none but this machine's. */
export const reachOfAddress = (text: string) => {
  const four = octets(text)
  if (four !== undefined) return reachOfOctets(four)
  const all = groups(text)
  if (all === undefined) return "loopback"
  const inside = embedded(all)
  if (inside !== undefined) return reachOfOctets(inside)
  const first = all[0] ?? 0
  if (all.slice(0, 7).every((group) => group === 0)) return "loopback"
  if ((first & 0xffc0) === 0xfe80) return "link-local"
  return (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfec0 || (first & 0xff00) === 0xff00
    ? "private"
    : "public"
}
