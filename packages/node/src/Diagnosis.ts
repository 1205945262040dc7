/**
 * Checks step by step what a program needs to work with a registry: the name, the connection, the login and its rights.
 *
 * @since 0.1.0
 */
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { InvalidRequest, RegistryError } from "@effect-acr/client/RegistryError"
import type * as TokenScope from "@effect-acr/client/TokenScope"
import * as Transport from "@effect-acr/client/Transport"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as Certificates from "./internal/certificates.ts"
import * as Network from "./internal/diagnosis/network.ts"
import * as Registry from "./internal/diagnosis/registry.ts"
import * as Rights from "./internal/diagnosis/rights.ts"
import { type Outcome, skipped, type Step, type StepName, tooLate } from "./internal/diagnosis/step.ts"
import * as Proxies from "./internal/proxies.ts"

export type { Step, StepName } from "./internal/diagnosis/step.ts"

/**
 * What to check.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The registry, by its name in references: `myregistry.azurecr.io`. */
  readonly registry: string
  /** The repository to list the tags of and to pull from. Defaults to none: the steps that need one are skipped. */
  readonly repository?: string
  /** Whether to check the right to push, by an upload that is opened and cancelled. Defaults to `false`. */
  readonly push?: boolean
  /** The timeout of one step. Defaults to 10 seconds. A step that takes longer fails. */
  readonly stepLimit?: Duration.Input
  /** Certificates of authorities in PEM: those of the `ca` option of the HTTP client. */
  readonly ca?: string | ReadonlyArray<string>
}

type Say = (name: StepName, outcome: Outcome) => Effect.Effect<Outcome>

const later: ReadonlyArray<StepName> = ["api", "clock", "login", "token", "repositories", "tags", "pull", "push"]

const skipFrom = (say: Say, first: StepName, why: string) =>
  Effect.forEach(later.slice(later.indexOf(first)), (name) => say(name, skipped(why)), { discard: true })

/** The default of `stepLimit`. */
const defaultLimit: Duration.Input = "10 seconds"

type Limited = ReturnType<typeof limitedBy>

/** Fails a step that takes longer than its limit. */
const limitedBy =
  ({ stepLimit = defaultLimit }: Options) =>
  <R>(advice: string, step: Effect.Effect<Outcome, never, R>): Effect.Effect<Outcome, never, R> =>
    Effect.timeoutOrElse(step, {
      duration: stepLimit,
      orElse: () => Effect.succeed(tooLate(Duration.fromInputUnsafe(stepLimit), advice))
    })

const rights = Effect.fnUntraced(function* (
  say: Say,
  limited: Limited,
  { push = false, repository }: Options,
  { content, transport }: { readonly content: RegistryContent.Service; readonly transport: Transport.Service }
) {
  const actions: ReadonlyArray<TokenScope.Action> = push ? ["pull", "push"] : ["pull"]
  const noRepository = "no repository was named"
  const step = (name: StepName, effect: Effect.Effect<Outcome>) =>
    Effect.flatMap(limited(Registry.silenceAdvice, effect), (outcome) => say(name, outcome))
  yield* step(
    "token",
    repository === undefined ? Effect.succeed(skipped(noRepository)) : Rights.tokenStep(transport, repository, actions)
  )
  yield* step("repositories", Rights.repositoriesStep(content, repository))
  if (repository === undefined) return yield* skipFrom(say, "tags", noRepository)
  const found = yield* Ref.make(Option.none<string>())
  yield* step("tags", Rights.tagsStep(content, repository, found))
  yield* step("pull", Rights.pullStep(content, repository, yield* Ref.get(found)))
  yield* step("push", push ? Rights.pushStep(transport, repository) : Effect.succeed(skipped("it was not requested")))
})

const network = Effect.fnUntraced(function* (say: Say, limited: Limited, url: URL, ca: Options["ca"]) {
  const route = yield* Proxies.fromEnvironment
  const certificates = yield* Certificates.read(ca === undefined ? {} : { ca })
  const proxy = route(url)
  const name = yield* say("name", yield* limited(Network.nameAdvice, Network.nameStep(url, proxy)))
  // A proxy resolves the name by itself.
  if (name.outcome === "failed" && proxy === undefined) {
    return yield* say("connection", skipped("the name has no address"))
  }
  const connection = limited(Network.connectionAdvice(proxy), Network.connectionStep(url, proxy, certificates))
  return yield* say("connection", yield* connection)
})

const all = Effect.fnUntraced(function* (
  say: Say,
  options: Options
): Effect.fn.Return<void, InvalidRequest | RegistryError, Registries.Registries> {
  const limited = limitedBy(options)
  const services = Registries.layerFor(options.registry)
  const [transport, content] = yield* Effect.provide(
    Effect.all([Transport.Transport, RegistryContent.RegistryContent]),
    services
  )
  const connection = yield* network(say, limited, new URL(transport.endpoint), options.ca)
  if (connection.outcome !== "ok") return yield* skipFrom(say, "api", "there is no connection")

  const date = yield* Ref.make(Option.none<DateTime.Utc>())
  const api = yield* say("api", yield* limited(Registry.silenceAdvice, Registry.apiStep(transport, date)))
  if (api.outcome === "failed") return yield* skipFrom(say, "clock", "the registry does not answer")
  yield* say("clock", yield* Registry.clockStep(yield* Ref.get(date)))
  const login = yield* say("login", yield* limited(Registry.silenceAdvice, Registry.loginStep(transport)))
  return login.outcome === "ok"
    ? yield* rights(say, limited, options, { content, transport })
    : yield* skipFrom(say, "token", "the login is not accepted")
})

/**
 * Runs the steps, and emits the result of each one as soon as it ends.
 *
 * **When to use**
 *
 * Use to find out why a registry cannot be used: in a command for support, or at the start of a deployment. For the
 * login alone, use `Transport.check`.
 *
 * **Details**
 *
 * A failed step does not fail the stream. The steps that need it are skipped. The stream fails with `InvalidRequest` if
 * the name is not that of a registry, or if a proxy of the environment or a certificate cannot be used.
 *
 * The registry is not changed. With `push`, an upload is opened and cancelled.
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
