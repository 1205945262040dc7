/**
 * The steps of a diagnosis below HTTP: the name, and the connection with TLS.
 */
import { type ConnectionProblem, connectionProblemOf } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Certificates from "../certificates.ts"
import * as Probe from "../probe.ts"
import type * as Proxies from "../proxies.ts"
import { failed, ok, type Outcome, refused, skipped, unavailable } from "./step.ts"

export const nameAdvice =
  "check the name; on a private network, the DNS zone (privatelink.azurecr.io) must be linked to the network of this machine"

const addressFact = ({ address, reach }: Probe.Address): string => `${address} (${reach ?? "unknown"})`

export const nameStep = (url: URL, proxy: Proxies.Proxy | undefined): Effect.Effect<Outcome> =>
  Effect.match(Probe.addressesOf(url), {
    onFailure: ({ description }) =>
      proxy === undefined
        ? failed(description, nameAdvice)
        : skipped(`this machine does not know the name (${description}); the proxy ${proxy.name} resolves it`),
    onSuccess: (addresses) => ok(...addresses.map(addressFact))
  })

export const connectionAdvice = (proxy: Proxies.Proxy | undefined): string =>
  proxy === undefined
    ? "check firewalls and, for a registry of Azure, its public access, its network rules and its private endpoint; behind a proxy, set HTTPS_PROXY"
    : `check the proxy ${proxy.name} (HTTPS_PROXY); NO_PROXY names hosts that are reached without it`

const distrustAdvice = (code: string, problem: ConnectionProblem | undefined): string => {
  if (problem === "UntrustedIssuer") {
    return "if the certificate is right, trust its authority: by the option ca or by NODE_EXTRA_CA_CERTS"
  }
  return code === "ERR_TLS_CERT_ALTNAME_INVALID"
    ? "use a name that the certificate is for, or check that no other server answers under this name"
    : "the certificate must be renewed at the server, unless the clock of this machine is wrong"
}

const dayOf = (date: Date): string => (Number.isNaN(date.getTime()) ? "unknown" : date.toISOString().slice(0, 10))

const certificateFacts = ({ issuer, names, validFrom, validTo }: Probe.Certificate): ReadonlyArray<string> => [
  `certificate for ${names}`,
  `issued by ${issuer}`,
  `valid from ${dayOf(validFrom)} to ${dayOf(validTo)}`
]

const connectionFacts = (
  { address, certificate, protocol }: Probe.Connected,
  proxy: Proxies.Proxy | undefined
): ReadonlyArray<string> => [
  proxy === undefined ? `connected to ${address}` : `connected by the proxy ${proxy.name}`,
  protocol ?? "without TLS",
  ...(certificate === undefined ? [] : certificateFacts(certificate))
]

/** A connection that was opened, and whose certificate is not trusted. */
const distrusted = (code: string, facts: ReadonlyArray<string>): Outcome => {
  const problem = Option.getOrUndefined(connectionProblemOf(code))
  const why = `the certificate is not trusted: ${code}`
  return { ...failed(why, distrustAdvice(code, problem), facts), error: unavailable(why, { code, problem }) }
}

/** A connection that could not be opened. */
const unopened = ({ code, description }: Probe.Problem, proxy: Proxies.Proxy | undefined): Outcome => {
  const problem = Option.getOrUndefined(connectionProblemOf(code))
  // OpenSSL would describe the record that it could not read.
  const why = problem === "WithoutTls" ? "the server does not speak TLS" : description
  return refused(unavailable(why, { code, problem }), connectionAdvice(proxy))
}

export const connectionStep = (
  url: URL,
  proxy: Proxies.Proxy | undefined,
  { other }: Certificates.Certificates
): Effect.Effect<Outcome> =>
  Effect.match(Probe.connect(url, proxy, other), {
    onFailure: (problem) => unopened(problem, proxy),
    onSuccess: (connected) => {
      const facts = connectionFacts(connected, proxy)
      const distrust = connected.certificate?.distrust
      return distrust === undefined ? ok(...facts) : distrusted(distrust, facts)
    }
  })
