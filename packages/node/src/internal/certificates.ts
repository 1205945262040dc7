/**
 * The certificates of TLS connections: the authorities that the client trusts, and the certificate that it presents.
 *
 * They are read once, because a context with the authorities of Node takes some 20 milliseconds to make, and undici
 * would make one for each connection.
 */
import * as tls from "node:tls"
import { InvalidRequest } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Undici from "undici"

/** See `NodeRegistryHttpClient.Options`. */
export interface Options {
  readonly ca?: string | ReadonlyArray<string>
  readonly caOnly?: string | ReadonlyArray<string>
  readonly clientCertificate?: {
    readonly certificate: string
    readonly key: Redacted.Redacted<string>
    readonly passphrase?: Redacted.Redacted<string>
  }
}

/** How connections are made. */
export interface Certificates {
  /** To hosts that the user named. The client presents its certificate to them. */
  readonly named: Undici.buildConnector.BuildOptions
  /** To all others. */
  readonly other: Undici.buildConnector.BuildOptions
}

const isPem = (text: string): boolean => /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(text)

const authorities = Effect.fnUntraced(function* (argument: string, given: string | ReadonlyArray<string>) {
  const texts = typeof given === "string" ? [given] : [...given]
  return texts.every(isPem)
    ? texts
    : yield* new InvalidRequest({ argument, description: "it is not a certificate in PEM" })
})

/**
 * The authorities that the runtime trusts by itself. Deno lists them only for programs with `--allow-sys`; for others
 * the authorities of the program stand alone.
 */
const machine = Effect.orElseSucceed(
  Effect.try(() => tls.getCACertificates("default")),
  (): ReadonlyArray<string> => []
)

/** Describes what OpenSSL refuses. Its messages do not say which option is wrong, so only its code is shown. */
const unfit = (error: unknown): InvalidRequest => {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? ` (${error.code})` : ""
  return new InvalidRequest({
    argument: "clientCertificate",
    description: `the certificate and the key, in PEM, cannot be used together, or the passphrase is wrong${code}`
  })
}

/** Reads the certificates. Fails with `InvalidRequest` if they cannot be used. */
export const read = Effect.fnUntraced(function* ({
  ca,
  caOnly,
  clientCertificate
}: Options): Effect.fn.Return<Certificates, InvalidRequest> {
  const more = ca === undefined ? [] : yield* authorities("ca", ca)
  const only = caOnly === undefined ? undefined : yield* authorities("caOnly", caOnly)
  const trusted = only ?? (ca === undefined ? undefined : yield* machine)
  const trust = trusted === undefined ? {} : { ca: [...trusted, ...more] }
  const other = trusted === undefined ? {} : { secureContext: tls.createSecureContext(trust) }
  if (clientCertificate === undefined) return { named: other, other }

  const { certificate, key, passphrase } = clientCertificate
  if (certificate.trim() === "" || Redacted.value(key).trim() === "") {
    const description = "the certificate or the key is empty"
    return yield* new InvalidRequest({ argument: "clientCertificate", description })
  }
  const own = yield* Effect.try({
    try: () =>
      tls.createSecureContext({
        ...trust,
        cert: certificate,
        key: Redacted.value(key),
        ...(passphrase === undefined ? {} : { passphrase: Redacted.value(passphrase) })
      }),
    catch: unfit
  })
  return { named: { secureContext: own }, other }
})
