/**
 * The steps of a diagnosis below HTTP: the name, and the connection with TLS.
 */
import * as Effect from "effect/Effect"
import type * as Certificates from "../certificates.ts"
import * as Probe from "../probe.ts"
import type * as Proxies from "../proxies.ts"
import { failed, ok, type Outcome, skipped } from "./step.ts"

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

const untrusted = /^(?:SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)/

const distrustAdvice = (code: string): string => {
  if (untrusted.test(code)) {
    return "if the certificate is right, trust its authority: by the option ca (--ca-file of eacr) or by NODE_EXTRA_CA_CERTS"
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

export const connectionStep = (
  url: URL,
  proxy: Proxies.Proxy | undefined,
  { other }: Certificates.Certificates
): Effect.Effect<Outcome> =>
  Effect.match(Probe.connect(url, proxy, other), {
    onFailure: ({ description }) => failed(description, connectionAdvice(proxy)),
    onSuccess: (connected) => {
      const facts = connectionFacts(connected, proxy)
      const distrust = connected.certificate?.distrust
      return distrust === undefined
        ? ok(...facts)
        : failed(`the certificate is not trusted: ${distrust}`, distrustAdvice(distrust), facts)
    }
  })
