/**
 * Chooses the proxy for a server, by the environment or by the options of the program.
 *
 * The variables mean what they mean in Go (`golang.org/x/net/http/httpproxy`), because docker, podman, oras and the
 * kubelet are written in Go, and one setting should serve all of them. In curl a leading dot in `NO_PROXY` also matches
 * the host itself; here, as in Go, it matches subdomains alone.
 */
import { BlockList, isIP, isIPv4 } from "node:net"
import * as Outbound from "@effect-acr/client/Outbound"
import { InvalidRequest } from "@effect-acr/client/RegistryError"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

export interface Proxy {
  /** Its origin, without the login: `http://proxy.example:3128`. */
  readonly origin: string
  /** Its name in errors: `proxy.example:3128`. */
  readonly name: string
  /** The value of its `Proxy-Authorization` header. */
  readonly authorization: Redacted.Redacted<string> | undefined
}

/** Returns the proxy for a server; `undefined` for a direct connection. */
export type Route = (server: URL) => Proxy | undefined

export const direct: Route = () => undefined

export const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, "$1")
const withoutDot = (host: string): string => host.replace(/\.$/, "")

const familyOf = (address: string) => (isIPv4(address) ? "ipv4" : "ipv6")

/** Whether an entry of `NO_PROXY` matches a host, which is in lower case, without brackets and without a final dot. */
type Rule = (host: string, port: string) => boolean

const never: Rule = () => false

const within = (fill: (list: BlockList) => void): Rule => {
  const list = new BlockList()
  fill(list)
  return (host) => isIP(host) !== 0 && list.check(host, familyOf(host))
}

const hostRule = (host: string): Rule => {
  if (isIP(host) !== 0) return within((list) => list.addAddress(host, familyOf(host)))
  const name = host.replace(/^\*\./, ".")
  if (name === "" || name === ".") return never
  return name.startsWith(".")
    ? (other) => other.endsWith(name)
    : (other) => other === name || other.endsWith(`.${name}`)
}

const ruleOf = (entry: string): Rule => {
  if (entry === "*") return () => true
  const [, network = "", bits = ""] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? []
  if (isIP(network) !== 0) {
    return Number(bits) > (isIPv4(network) ? 32 : 128)
      ? never
      : within((list) => list.addSubnet(network, Number(bits), familyOf(network)))
  }
  const [, named, port] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? []
  const rule = hostRule(withoutDot(withoutBrackets(named ?? entry)))
  return port === undefined ? rule : (host, other) => other === port && rule(host, other)
}

export const portOf = ({ port, protocol }: URL): string => (port !== "" ? port : protocol === "https:" ? "443" : "80")

/** Tests whether `NO_PROXY` names a server. A text may hold several entries, separated by commas or spaces. */
export const bypass = (entries: ReadonlyArray<string>): ((server: URL) => boolean) => {
  const rules = entries
    .flatMap((entry) => entry.toLowerCase().split(/[\s,]+/))
    .filter((entry) => entry !== "")
    .map(ruleOf)
  return (server) => {
    const host = withoutDot(withoutBrackets(server.hostname.toLowerCase()))
    return rules.some((rule) => rule(host, portOf(server)))
  }
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Reads the URL of a proxy. The scheme is optional. Errors have no details, because these could quote a login. */
const parse = (text: string): Option.Option<Proxy> => {
  const written = text.trim()
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`)
  if (url === null || url.hostname === "" || !/^https?:$/.test(url.protocol)) return Option.none()
  // A slash in a password that is not encoded would leave a part of the login as the host.
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") return Option.none()
  const username = decoded(url.username)
  const password = decoded(url.password)
  if (username === undefined || password === undefined) return Option.none()
  const login = username === "" && password === "" ? undefined : `${username}:${password}`
  return Option.some({
    origin: url.origin,
    name: `${url.hostname}:${portOf(url)}`,
    authorization: login === undefined ? undefined : Redacted.make(`Basic ${Buffer.from(login).toString("base64")}`)
  })
}

const proxyOf = (argument: string, url: string): Effect.Effect<Proxy, InvalidRequest> =>
  Effect.mapError(
    Effect.fromOption(parse(url)),
    () =>
      new InvalidRequest({
        argument,
        description: "it is not the URL of a proxy with the scheme http or https (a login must be percent-encoded)"
      })
  )

/** The route through the proxy that the program names. */
export const through = (url: string, noProxy: ReadonlyArray<string>): Effect.Effect<Route, InvalidRequest> => {
  const isDirect = bypass(noProxy)
  return Effect.map(
    proxyOf("proxy", url),
    (proxy): Route =>
      (server) =>
        isDirect(server) ? undefined : proxy
  )
}

const variable = (name: string) =>
  Config.map(
    Config.option(Config.String(name)),
    Option.map((value) => ({ name, value }))
  )

const either = (upper: string, lower: string) =>
  Config.map(Config.all([variable(upper), variable(lower)]), ([one, other]) => Option.orElse(one, () => other))

/**
 * `HTTP_PROXY` is ignored in a CGI program (`REQUEST_METHOD` is set): there it is the `Proxy` header of the client's
 * request. No header sets the lower-case variable.
 */
const variables = Config.all({
  http: Config.flatMap(Config.option(Config.String("REQUEST_METHOD")), (method) =>
    Option.isSome(method) ? variable("http_proxy") : either("HTTP_PROXY", "http_proxy")
  ),
  https: either("HTTPS_PROXY", "https_proxy"),
  no: either("NO_PROXY", "no_proxy")
})

const proxyIn = (found: Option.Option<{ readonly name: string; readonly value: string }>) =>
  Effect.transposeOption(Option.map(found, ({ name, value }) => proxyOf(name, value)))

/**
 * The route that the environment configures. Servers on this machine are reached directly, as in Go, because a proxy
 * would connect to its own machine instead.
 */
export const fromEnvironment: Effect.Effect<Route, InvalidRequest> = Effect.gen(function* () {
  const found = yield* Effect.mapError(variables, ({ message }) => new InvalidRequest({ description: message }))
  const http = yield* proxyIn(found.http)
  const https = yield* proxyIn(found.https)
  const isDirect = bypass(Option.toArray(found.no).map(({ value }) => value))
  return (server) => {
    if (Outbound.reachOf(server.hostname) === "loopback" || isDirect(server)) return undefined
    return Option.getOrUndefined(server.protocol === "https:" ? https : http)
  }
})
