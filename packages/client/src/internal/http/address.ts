/**
 * The reach of IP addresses, including IPv6 addresses that contain an IPv4 address.
 *
 * Only the forms that `URL` and resolvers write are parsed: RFC 4291 and dotted decimals.
 */

/** See `Outbound.Reach`. Ordered by the harm that a request to such an address can do, the most harmful last. */
const byHarm = ["public", "private", "link-local", "loopback"] as const
type Reach = (typeof byHarm)[number]

/** Four or sixteen bytes. */
type Bytes = ReadonlyArray<number>

/** No address is longer, its zone aside. A limit on length keeps the parsing of hostile input cheap. */
const longestAddress = "0000:0000:0000:0000:0000:ffff:255.255.255.255".length

const parse4 = (text: string): Bytes | undefined => {
  const parts = text.split(".")
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
    ? parts.map(Number)
    : undefined
}

/** One side of `::`. An IPv4 address may replace the last two groups. */
const parseGroups = (text: string): Bytes | undefined => {
  if (text === "") return []
  const parts = text.split(":")
  const last = parse4(parts.at(-1) ?? "")
  const groups = last === undefined ? parts : parts.slice(0, -1)
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  const values = groups.map((group) => Number.parseInt(group, 16))
  return [...values.flatMap((value) => [value >> 8, value & 255]), ...(last ?? [])]
}

const parse6 = (text: string): Bytes | undefined => {
  const [head = "", tail, ...more] = text.split("::")
  if (more.length > 0) return undefined
  const left = parseGroups(head)
  const right = parseGroups(tail ?? "")
  if (left === undefined || right === undefined) return undefined
  const missing = 16 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined
  return [...left, ...Array<number>(missing).fill(0), ...right]
}

const parse = (text: string): Bytes | undefined => {
  const [address = ""] = text.split("%", 1)
  return address.length > longestAddress ? undefined : (parse4(address) ?? parse6(address))
}

/** All addresses that begin with the same bits. */
interface Range {
  readonly prefix: Bytes
  readonly bits: number
}

const range = (text: string): Range => {
  const [base = "", bits] = text.split("/")
  return { prefix: parse(base) ?? [], bits: Number(bits) }
}

const isWithin = ({ bits, prefix }: Range, address: Bytes): boolean =>
  prefix.length === address.length &&
  prefix.every((byte, index) => {
    const compared = Math.min(8, Math.max(0, bits - 8 * index))
    return (byte ^ (address[index] ?? 0)) >> (8 - compared) === 0
  })

/**
 * The reach of each range. The first range that contains an address counts.
 *
 * An address that is not globally reachable by IANA's registries of special-purpose addresses (RFC 6890, RFC 8190)
 * counts at least as private, because only private networks route it. Metadata services count as link-local at any
 * address: no private registry may lead there.
 */
const reaches = (
  [
    // "This network" of RFC 1122: Linux connects 0.0.0.0 to itself.
    ["0.0.0.0/8", "loopback"],
    ["127.0.0.0/8", "loopback"],
    ["169.254.0.0/16", "link-local"],
    // Azure, Alibaba Cloud, Oracle Cloud.
    ["168.63.129.16/32", "link-local"],
    ["100.100.100.200/32", "link-local"],
    ["192.0.0.192/32", "link-local"],
    ["10.0.0.0/8", "private"],
    ["100.64.0.0/10", "private"],
    ["172.16.0.0/12", "private"],
    ["192.168.0.0/16", "private"],
    // Protocol assignments, and the nearest relay of 6to4, which no longer exists on the public Internet (RFC 7526).
    ["192.0.0.0/24", "private"],
    ["192.88.99.0/24", "private"],
    // Documentation and benchmarks.
    ["192.0.2.0/24", "private"],
    ["198.18.0.0/15", "private"],
    ["198.51.100.0/24", "private"],
    ["203.0.113.0/24", "private"],
    // Multicast, reserved, broadcast.
    ["224.0.0.0/3", "private"],
    ["0.0.0.0/0", "public"],

    // Judged by the IPv4 address inside, see `embeddings`.
    ["::/96", "public"],
    ["::ffff:0:0/96", "public"],
    ["::ffff:0:0:0/96", "public"],
    ["64:ff9b::/96", "public"],
    ["64:ff9b:1::/48", "public"],
    ["2001::/32", "public"],

    ["fe80::/10", "link-local"],
    // AWS, Google Cloud, Oracle Cloud, Akamai, Alibaba Cloud, Scaleway.
    ["fd00:ec2::/32", "link-local"],
    ["fd20:ce::254/128", "link-local"],
    ["fd00:c1::a9fe:a9fe/128", "link-local"],
    ["fd00:a9fe:a9fe::1/128", "link-local"],
    ["fd00:100::100:200/128", "link-local"],
    ["fd00:42::42/128", "link-local"],
    // Protocol assignments, among them benchmarks and identifiers that are not locators.
    ["2001::/23", "private"],
    // Documentation.
    ["2001:db8::/32", "private"],
    ["3fff::/20", "private"],
    // The only global unicast addresses that IANA has allocated. Unique and site-local addresses, segment routing
    // (5f00::/16), the discard prefix (100::/64) and multicast are outside.
    ["2000::/3", "public"],
    ["::/0", "private"]
  ] satisfies ReadonlyArray<readonly [string, Reach]>
).map(([text, reach]) => ({ ...range(text), reach }))

/** An IPv4 address that an IPv6 address contains, at the given bytes. */
interface Embedding extends Range {
  readonly at: ReadonlyArray<number>
  /** Whether its bits are inverted. */
  readonly isInverted?: boolean
  /** Whether 0.0.0.0/8 is padding here and not an address. */
  readonly isPadded?: boolean
}

const lastFour = [12, 13, 14, 15]

/**
 * Where an IPv6 address may contain the IPv4 address that receives its packets. A network may also translate with its
 * own prefix (RFC 6052), which the address does not show.
 */
const embeddings: ReadonlyArray<Embedding> = [
  // IPv4-compatible, with :: and ::1; mapped; translated (RFC 4291, RFC 2765).
  { ...range("::/96"), at: lastFour },
  { ...range("::ffff:0:0/96"), at: lastFour },
  { ...range("::ffff:0:0:0/96"), at: lastFour },
  // NAT64 by the well-known prefix.
  { ...range("64:ff9b::/96"), at: lastFour },
  // NAT64 by a prefix for local use (RFC 8215), of any length of RFC 6052, which skips byte 8.
  { ...range("64:ff9b:1::/48"), at: [6, 7, 9, 10], isPadded: true },
  { ...range("64:ff9b:1::/48"), at: [7, 9, 10, 11], isPadded: true },
  { ...range("64:ff9b:1::/48"), at: [9, 10, 11, 12], isPadded: true },
  { ...range("64:ff9b:1::/48"), at: lastFour, isPadded: true },
  // Teredo: its server and its client (RFC 4380).
  { ...range("2001::/32"), at: [4, 5, 6, 7] },
  { ...range("2001::/32"), at: lastFour, isInverted: true },
  // 6to4 (RFC 3056).
  { ...range("2002::/16"), at: [2, 3, 4, 5] }
]

/** ISATAP addresses have any prefix, and 0000:5efe or 0200:5efe before an IPv4 address (RFC 5214). */
const isIsatap = (address: Bytes): boolean =>
  ((address[8] ?? 0) & 0xfc) === 0 && address[9] === 0 && address[10] === 0x5e && address[11] === 0xfe

const embeddedIn = (address: Bytes): ReadonlyArray<Bytes> => {
  const bytesAt = (positions: ReadonlyArray<number>, mask = 0) =>
    positions.map((position) => (address[position] ?? 0) ^ mask)
  const found = embeddings
    .filter((embedding) => isWithin(embedding, address))
    .map(({ at, isInverted, isPadded }) => ({ bytes: bytesAt(at, isInverted === true ? 255 : 0), isPadded }))
    .filter(({ bytes, isPadded }) => isPadded !== true || bytes[0] !== 0)
    .map(({ bytes }) => bytes)
  return isIsatap(address) ? [...found, bytesAt(lastFour)] : found
}

const reachOfBytes = (address: Bytes): Reach =>
  reaches.find((candidate) => isWithin(candidate, address))?.reach ?? "loopback"

/** An address and those that it contains. */
const carriedBy = (address: Bytes): ReadonlyArray<Bytes> =>
  address.length === 16 ? [address, ...embeddedIn(address)] : [address]

const reachOfAddress = (address: Bytes): Reach | undefined => {
  const found = carriedBy(address).map(reachOfBytes)
  return byHarm.findLast((reach) => found.includes(reach))
}

/** A host as `URL` or a resolver writes it: without the brackets of an address, and without the root's dot. */
const normalise = (hostname: string): string =>
  hostname
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase()
    .replace(/\.$/, "")

const isLocalName = (host: string): boolean => host === "localhost" || host.endsWith(".localhost")

/** The reach of an address, or of the most harmful address that it contains, or of a name of this machine. */
export const reachOfHost = (hostname: string): Reach | undefined => {
  const host = normalise(hostname)
  if (isLocalName(host)) return "loopback"
  const address = parse(host)
  return address === undefined ? undefined : reachOfAddress(address)
}

const thisMachine = ["127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104"].map(range)

/**
 * Whether traffic to a host certainly stays on this machine. This is stricter than "loopback": packets to an address
 * that contains a loopback address may leave the machine, and the unspecified addresses are not destinations.
 */
export const isThisMachine = (hostname: string): boolean => {
  const host = normalise(hostname)
  const address = parse(host)
  return isLocalName(host) || (address !== undefined && thisMachine.some((known) => isWithin(known, address)))
}

/** The identities of a host: its name, or its address and those that it contains, normalized. */
export const identitiesOf = (hostname: string): ReadonlyArray<string> => {
  const host = normalise(hostname)
  const address = parse(host)
  return address === undefined ? [host] : carriedBy(address).map((bytes) => bytes.join("."))
}
