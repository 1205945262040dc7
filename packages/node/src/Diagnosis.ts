/**
 * Checks what a program needs to work with a registry, step by step: the name, the connection, the login and its rights.
 *
 * @since 0.1.0
 */
import * as Operation from "@effect-acr/client/Operation"
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { InvalidRequest, RegistryError } from "@effect-acr/client/RegistryError"
import * as TokenScope from "@effect-acr/client/TokenScope"
import * as Transport from "@effect-acr/client/Transport"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Certificates from "./internal/certificates.ts"
import * as Probe from "./internal/probe.ts"
import * as Proxies from "./internal/proxies.ts"

/**
 * The steps, in their order: the name in the DNS; the connection with TLS; the registry's API and how it wants callers to log
 * in; the clock of this machine; the login; an access token for the repository; and the rights to list repositories, to list
 * tags, to pull and to push.
 *
 * @category models
 * @since 0.1.0
 */
export type StepName =
  | "name"
  | "connection"
  | "api"
  | "clock"
  | "login"
  | "token"
  | "repositories"
  | "tags"
  | "pull"
  | "push"

/**
 * What a step found.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  /** What was checked. */
  readonly name: StepName
  /** `skipped` if an earlier step failed that this one needs, or if nothing asks for it. */
  readonly outcome: "ok" | "failed" | "skipped"
  /** What was found, for people: addresses, the names of the certificate, rights. */
  readonly facts: ReadonlyArray<string>
  /** Why it failed or was skipped. */
  readonly why?: string
  /** What to do. */
  readonly advice?: string
  /** The error of the request that failed, if it was one. */
  readonly error?: RegistryError
}

/**
 * What to check.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The registry, as references name it: `myregistry.azurecr.io`. */
  readonly registry: string
  /** The repository whose tags to list and to pull from. Defaults to none: steps that need one are skipped. */
  readonly repository?: string
  /** Whether to open an upload, which is cancelled. Defaults to `false`. */
  readonly push?: boolean
  /** The certificates of authorities that the HTTP client trusts as well, in PEM. */
  readonly ca?: string | ReadonlyArray<string>
}

type Outcome = Omit<Step, "name">

const ok = (...facts: ReadonlyArray<string>): Outcome => ({ outcome: "ok", facts })
const skipped = (why: string): Outcome => ({ outcome: "skipped", facts: [], why })
const failed = (why: string, advice: string, facts: ReadonlyArray<string> = []): Outcome => ({
  outcome: "failed",
  facts,
  why,
  advice
})

const refused = (error: RegistryError, advice: string): Outcome => ({
  ...failed(error.reason.message, advice),
  error
})

/* The network */

const nameAdvice =
  "check the name; on a private network, the DNS zone (privatelink.azurecr.io) must be linked to the network of this machine"

const addressFact = ({ address, reach }: Probe.Address): string => `${address} (${reach ?? "unknown"})`

const nameStep = (url: URL, proxy: Proxies.Proxy | undefined): Effect.Effect<Outcome> =>
  Effect.match(Probe.addressesOf(url), {
    onFailure: ({ description }) =>
      proxy === undefined
        ? failed(description, nameAdvice)
        : skipped(`this machine does not know the name (${description}); the proxy ${proxy.name} resolves it`),
    onSuccess: (addresses) => ok(...addresses.map(addressFact))
  })

const connectionAdvice = (proxy: Proxies.Proxy | undefined): string =>
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

const connectionStep = (
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

/* The registry */

/** What the registry says to a caller without a login. */
interface Greeting {
  readonly challenge: string
  readonly date: Option.Option<DateTime.Utc>
}

/** Sent to the origin and not to the registry, so that neither a login nor a token goes with it. */
const greet = (transport: Transport.Service) =>
  transport.execute(
    Operation.get("/v2/", {
      name: "Diagnosis.greet",
      origin: transport.endpoint,
      success: [200, 401],
      decode: ({ headers }): Effect.Effect<Greeting> =>
        Effect.succeed({
          challenge: headers["www-authenticate"] ?? "",
          date: DateTime.make(headers["date"] ?? "")
        })
    })
  )

const parameter = (challenge: string, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1]

const apiOutcome = (endpoint: string, { challenge }: Greeting): Outcome => {
  if (challenge === "") return ok("no login is wanted at /v2/")
  const realm = parameter(challenge, "realm")
  const service = parameter(challenge, "service")
  return ok(
    `login by ${/^\w+/.exec(challenge)?.[0] ?? "an unknown scheme"}`,
    ...(realm === undefined ? [] : [`realm ${realm}`]),
    ...(service === undefined ? [] : [`service ${service}`]),
    realm === `${endpoint}/oauth2/token` ? "Azure Container Registry" : "not Azure Container Registry"
  )
}

const apiAdvice = "check that the name is that of a registry: the server must answer at /v2/"

/** Entra ID tolerates five minutes. */
const tolerated = Duration.minutes(5)

const clockStep = (date: Option.Option<DateTime.Utc>): Effect.Effect<Outcome> =>
  Effect.map(DateTime.now, (now) => {
    if (Option.isNone(date)) return skipped("the registry does not state its time")
    const millis = DateTime.toEpochMillis(now) - DateTime.toEpochMillis(date.value)
    const seconds = Math.round(Math.abs(millis) / 1000)
    const difference = `${seconds} seconds ${millis < 0 ? "behind" : "ahead of"} the registry`
    return seconds <= Duration.toSeconds(tolerated)
      ? ok(difference)
      : failed(`the clock of this machine is ${difference}`, "set the clock: tokens and certificates depend on it")
  })

const loginStep = ({ check }: Transport.Service): Effect.Effect<Outcome> =>
  Effect.match(check, {
    onFailure: (error) => refused(error, "log in, or check which login is used: eacr login, eacr whoami"),
    onSuccess: () => ok("the registry accepts it")
  })

/* Rights */

const rightsAdvice = "the login lacks a permission: for a registry of Azure, a role such as AcrPull or AcrPush"

const tokenStep = (
  { access }: Transport.Service,
  repository: string,
  actions: ReadonlyArray<TokenScope.Action>
): Effect.Effect<Outcome> =>
  Effect.match(access([TokenScope.repository(repository, ...actions)]), {
    onFailure: (error) => refused(error, rightsAdvice),
    onSuccess: (found) => {
      if (Option.isNone(found)) return skipped("the registry uses no tokens that say what they allow")
      const granted = found.value.access.flatMap((entry) => (entry.name === repository ? entry.actions : []))
      const fact = `${repository}: ${granted.length === 0 ? "nothing" : granted.join(", ")}`
      const missing = granted.includes("*") ? [] : actions.filter((action) => !granted.includes(action))
      return missing.length === 0
        ? ok(fact)
        : failed(`the token does not allow ${missing.join(", ")}`, rightsAdvice, [fact])
    }
  })

const repositoriesStep = (content: RegistryContent.Service, repository: string | undefined): Effect.Effect<Outcome> =>
  Effect.match(Stream.runHead(content.repositories({ pageSize: 1 })), {
    onFailure: (error) =>
      repository === undefined
        ? refused(error, `${rightsAdvice}; a login for single repositories may have none to list all of them`)
        : skipped(`the login may not list repositories, which ${repository} does not need: ${error.reason.message}`),
    onSuccess: Option.match({ onNone: () => ok("there are none"), onSome: (name) => ok(`the first is ${name}`) })
  })

interface Listed {
  readonly outcome: Outcome
  readonly tag: Option.Option<string>
}

const tagsStep = (content: RegistryContent.Service, repository: string): Effect.Effect<Listed> =>
  Effect.match(Stream.runHead(content.tags(repository, { pageSize: 1 })), {
    onFailure: (error) => ({ outcome: refused(error, rightsAdvice), tag: Option.none() }),
    onSuccess: (tag) => ({
      outcome: Option.match(tag, { onNone: () => ok("there are none"), onSome: (name) => ok(`the first is ${name}`) }),
      tag
    })
  })

const pullStep = (
  content: RegistryContent.Service,
  repository: string,
  tag: Option.Option<string>
): Effect.Effect<Outcome> =>
  Option.match(tag, {
    onNone: () => Effect.succeed(skipped("there is no tag to pull")),
    onSome: (name) =>
      Effect.match(content.manifest(repository, name), {
        onFailure: (error) => refused(error, rightsAdvice),
        onSuccess: ({ descriptor }) => ok(`${name} is ${descriptor.digest}`)
      })
  })

const leftOpen = "an upload was opened, and expires by itself"

/** Opens an upload and cancels it. One whose address is elsewhere, or that cannot be cancelled, is left to expire. */
const pushStep = (transport: Transport.Service, repository: string): Effect.Effect<Outcome> => {
  const parts = {
    name: "Diagnosis.push",
    scopes: [TokenScope.repository(repository, "pull", "push")],
    subject: { repository }
  }
  const uploads = `/v2/${repository}/blobs/uploads/`
  const open = transport.execute(
    Operation.post(uploads, { ...parts, decode: ({ headers }) => Effect.succeed(headers["location"] ?? "") })
  )
  const cancel = (location: string) => {
    const url = URL.parse(location, transport.endpoint)
    if (url === null || url.origin !== transport.endpoint) return Effect.succeed(ok(leftOpen))
    const cancelled = transport.execute(
      Operation.del(`${url.pathname}${url.search}`, {
        ...parts,
        success: [200, 202, 204, 404],
        decode: () => Effect.void
      })
    )
    // Registries may want the right to delete for this, which pushing does not need.
    return Effect.match(cancelled, {
      onFailure: () => ok(leftOpen),
      onSuccess: () => ok("an upload was opened and cancelled")
    })
  }
  return Effect.match(Effect.flatMap(open, cancel), {
    onFailure: (error) => refused(error, rightsAdvice),
    onSuccess: identity
  })
}

/* The whole */

type Say = (name: StepName, outcome: Outcome) => Effect.Effect<Outcome>

const later: ReadonlyArray<StepName> = ["api", "clock", "login", "token", "repositories", "tags", "pull", "push"]

const skipFrom = (say: Say, first: StepName, why: string) =>
  Effect.forEach(later.slice(later.indexOf(first)), (name) => say(name, skipped(why)), { discard: true })

const rights = Effect.fnUntraced(function* (
  say: Say,
  { push = false, repository }: Options,
  { content, transport }: { readonly content: RegistryContent.Service; readonly transport: Transport.Service }
) {
  const actions: ReadonlyArray<TokenScope.Action> = push ? ["pull", "push"] : ["pull"]
  const noRepository = "no repository was named"
  yield* say(
    "token",
    repository === undefined ? skipped(noRepository) : yield* tokenStep(transport, repository, actions)
  )
  yield* say("repositories", yield* repositoriesStep(content, repository))
  if (repository === undefined) return yield* skipFrom(say, "tags", noRepository)
  const { outcome, tag } = yield* tagsStep(content, repository)
  yield* say("tags", outcome)
  yield* say("pull", yield* pullStep(content, repository, tag))
  yield* say("push", push ? yield* pushStep(transport, repository) : skipped("it was not asked for"))
})

const network = Effect.fnUntraced(function* (say: Say, url: URL, ca: Options["ca"]) {
  const route = yield* Proxies.fromEnvironment
  const certificates = yield* Certificates.read(ca === undefined ? {} : { ca })
  const proxy = route(url)
  const name = yield* say("name", yield* nameStep(url, proxy))
  if (name.outcome === "failed") {
    return yield* say("connection", skipped("the name has no address"))
  }
  return yield* say("connection", yield* connectionStep(url, proxy, certificates))
})

const all = Effect.fnUntraced(function* (
  say: Say,
  options: Options
): Effect.fn.Return<void, InvalidRequest | RegistryError, Registries.Registries> {
  const services = Registries.layerFor(options.registry)
  const [transport, content] = yield* Effect.provide(
    Effect.all([Transport.Transport, RegistryContent.RegistryContent]),
    services
  )
  const connection = yield* network(say, new URL(transport.endpoint), options.ca)
  if (connection.outcome !== "ok") return yield* skipFrom(say, "api", "there is no connection")

  const greeting = yield* Effect.result(greet(transport))
  if (greeting._tag === "Failure") {
    yield* say("api", refused(greeting.failure, apiAdvice))
    return yield* skipFrom(say, "clock", "the registry does not answer")
  }
  yield* say("api", apiOutcome(transport.endpoint, greeting.success))
  yield* say("clock", yield* clockStep(greeting.success.date))
  const login = yield* say("login", yield* loginStep(transport))
  return login.outcome === "ok"
    ? yield* rights(say, options, { content, transport })
    : yield* skipFrom(say, "token", "the login is not accepted")
})

/**
 * Runs the steps, and returns what each of them found as soon as it has.
 *
 * **Details**
 *
 * A step that fails is no failure of the stream. Steps that need it are skipped. The stream fails with `InvalidRequest` if
 * the name is not that of a registry, or if a proxy of the environment or a certificate cannot be used.
 *
 * Nothing is changed. With `push`, an upload is opened and cancelled.
 *
 * **Example** (Printing the steps)
 *
 * ```ts
 * import { Diagnosis, NodeRegistries } from "@effect-acr/node"
 * import { NodeRuntime } from "@effect/platform-node"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Stream.runForEach(
 *   Diagnosis.steps({ registry: "myregistry.azurecr.io", repository: "shop/api" }),
 *   ({ facts, name, outcome }) => Console.log(`${name}: ${outcome}, ${facts.join(", ")}`)
 * )
 *
 * export const main = () => program.pipe(Effect.provide(NodeRegistries.layer), NodeRuntime.runMain)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const steps = (options: Options): Stream.Stream<Step, InvalidRequest | RegistryError, Registries.Registries> =>
  Stream.callback((queue) =>
    Effect.andThen(
      all((name, outcome) => Effect.as(Queue.offer(queue, { name, ...outcome }), outcome), options),
      Queue.end(queue)
    )
  )
