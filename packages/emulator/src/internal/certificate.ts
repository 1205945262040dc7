/**
 * Certificates: those of the emulator's own authority, made on start, or the user's.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate
} from "node:crypto"
import { isIP } from "node:net"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Der from "./der.ts"

export interface Certificate {
  readonly key: string
  /** The server's certificate. The certificates of its authorities may follow. */
  readonly cert: string
  /** The certificate that a client must trust. */
  readonly ca: string
}

const pem = (label: string, der: Uint8Array): string => {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n")
}

/** RFC 5280, section 4.2: an extension, and whether a client that does not know it must refuse the certificate. */
const extension = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  Der.sequence(Der.identifier(id), ...(critical ? [Der.yes] : []), Der.octets(value))

/** Clients find the authority of a certificate by these, because several may have the same name. */
const keyIdentifier = (key: KeyObject): Uint8Array =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20)

const subjectKeyIdentifier = (key: KeyObject) => extension("2.5.29.14", Der.octets(keyIdentifier(key)))
const authorityKeyIdentifier = (key: KeyObject) =>
  extension("2.5.29.35", Der.sequence(Der.element(0x80, keyIdentifier(key))))

const readGroups = (text = ""): ReadonlyArray<number> =>
  text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16))

/** The eight groups of an IPv6 address. `::` replaces those that are zero. */
const groupsOf = (address: string): ReadonlyArray<number> => {
  // The URL parser writes an embedded IPv4 address as two groups.
  const [before, after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::")
  const [head, tail] = [readGroups(before), readGroups(after)]
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
}

/** A host as in RFC 5280, section 4.2.1.6: a name, or the bytes of an address. */
const alternativeName = (host: string): Uint8Array => {
  switch (isIP(host)) {
    case 4:
      return Der.element(0x87, Uint8Array.from(host.split(".").map(Number)))
    case 6:
      return Der.element(0x87, Uint8Array.from(groupsOf(host).flatMap((group) => [group >> 8, group & 0xff])))
    default:
      return Der.element(0x82, Buffer.from(host, "latin1"))
  }
}

const authorityExtensions = (own: KeyObject) => [
  extension("2.5.29.19", Der.sequence(Der.yes), true),
  // keyCertSign and cRLSign, the sixth and the seventh bit.
  extension("2.5.29.15", Der.bits(Uint8Array.of(0b0000_0110), 1), true),
  subjectKeyIdentifier(own)
]

const serverExtensions = (own: KeyObject, authority: KeyObject, hosts: ReadonlyArray<string>) => [
  extension("2.5.29.19", Der.sequence(), true),
  // digitalSignature, the first bit.
  extension("2.5.29.15", Der.bits(Uint8Array.of(0b1000_0000), 7), true),
  // serverAuth
  extension("2.5.29.37", Der.sequence(Der.identifier("1.3.6.1.5.5.7.3.1"))),
  subjectKeyIdentifier(own),
  authorityKeyIdentifier(authority),
  extension("2.5.29.17", Der.sequence(...hosts.map(alternativeName)))
]

/** A name with only a common name. */
const nameOf = (commonName: string): Uint8Array =>
  Der.sequence(Der.set(Der.sequence(Der.identifier("2.5.4.3"), Der.text(commonName))))

const ecdsaWithSha256 = Der.sequence(Der.identifier("1.2.840.10045.4.3.2"))

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const makeKeys = (): Promise<Keys> => promisify(generateKeyPair)("ec", { namedCurve: "prime256v1" })

const hourMillis = 3_600_000

/** RFC 5280, section 4.1. */
const write = (options: {
  readonly subject: Uint8Array
  readonly subjectKey: KeyObject
  readonly issuer: Uint8Array
  readonly issuerKey: KeyObject
  readonly extensions: ReadonlyArray<Uint8Array>
  readonly nowMillis: number
}): string => {
  const certificate = Der.sequence(
    // Version 3, which has extensions.
    Der.element(0xa0, Der.integer(2)),
    // Begins with a byte that is neither zero nor a sign.
    Der.integer(0x40, ...randomBytes(15)),
    ecdsaWithSha256,
    options.issuer,
    // Clocks of containers and virtual machines may be behind. A year is longer than a registry on a developer's machine
    // runs.
    Der.sequence(Der.time(options.nowMillis - hourMillis), Der.time(options.nowMillis + 365 * 24 * hourMillis)),
    options.subject,
    options.subjectKey.export({ type: "spki", format: "der" }),
    Der.element(0xa3, Der.sequence(...options.extensions))
  )
  const signature = sign("sha256", certificate, options.issuerKey)
  return pem("CERTIFICATE", Der.sequence(certificate, ecdsaWithSha256, Der.bits(signature)))
}

/** The names and addresses of every machine. */
const ownHosts = ["localhost", "127.0.0.1", "::1"]

/**
 * A certificate for this machine and other hosts, of an authority that signs nothing else: its key is not kept. Each
 * authority has its own name and key identifier, so that a client can trust several emulators.
 */
export const make = (hosts: ReadonlyArray<string>): Effect.Effect<Certificate> =>
  Effect.promise(async () => {
    const [authority, server] = await Promise.all([makeKeys(), makeKeys()])
    const issuer = nameOf(`Authority of an emulator ${randomBytes(8).toString("hex")}`)
    // Not the clock of the program: clients check the certificate by the clock of the machine.
    const common = { issuer, issuerKey: authority.privateKey, nowMillis: Date.now() }
    return {
      key: server.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      cert: write({
        ...common,
        subject: nameOf("localhost"),
        subjectKey: server.publicKey,
        extensions: serverExtensions(server.publicKey, authority.publicKey, [...new Set([...ownHosts, ...hosts])])
      }),
      ca: write({
        ...common,
        subject: issuer,
        subjectKey: authority.publicKey,
        extensions: authorityExtensions(authority.publicKey)
      })
    }
  })

const attempt = <A>(what: string, read: () => A): Result.Result<A, Error> =>
  Result.try({
    try: read,
    catch: (cause) => new Error(`the ${what} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  })

/** A certificate with its key, both in PEM, if they belong together. */
export const parse = (given: {
  readonly certificate: string
  readonly key: Redacted.Redacted<string>
}): Result.Result<Certificate, Error> =>
  Result.gen(function* () {
    const certificate = yield* attempt("certificate", () => new X509Certificate(given.certificate))
    const key = yield* attempt("key", () => createPrivateKey(Redacted.value(given.key)))
    if (!certificate.checkPrivateKey(key)) return yield* Result.fail(new Error("the key is not the certificate's"))
    return { cert: given.certificate, key: Redacted.value(given.key), ca: given.certificate }
  })

/** Whether clients accept the certificate for a host. */
export const isFor = ({ cert }: Certificate, host: string): boolean => {
  const certificate = new X509Certificate(cert)
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
}
