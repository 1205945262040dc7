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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
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

/** A step before it runs. */
interface Planned {
  readonly name: StepName
  readonly run: Effect.Effect<Outcome>
  /** Why the steps after it are skipped if it is not ok. Defaults to none: they do not need it. */
  readonly otherwise?: string
}

const planned = (name: StepName, run: Effect.Effect<Outcome>, otherwise?: string): Planned => ({
  name,
  run,
  ...(otherwise === undefined ? {} : { otherwise })
})

const network = Effect.fnUntraced(function* (limited: Limited, url: URL, ca: Options["ca"]) {
  const route = yield* Proxies.fromEnvironment
  const certificates = yield* Certificates.read(ca === undefined ? {} : { ca })
  const proxy = route(url)
  const isKnown = yield* Ref.make(true)
  const name = limited(Network.nameAdvice, Network.nameStep(url, proxy)).pipe(
    // A proxy resolves the name by itself.
    Effect.tap(({ outcome }) => Ref.set(isKnown, outcome !== "failed" || proxy !== undefined))
  )
  const connection = limited(Network.connectionAdvice(proxy), Network.connectionStep(url, proxy, certificates))
  return [
    planned("name", name),
    planned(
      "connection",
      Effect.flatMap(Ref.get(isKnown), (known) =>
        known ? connection : Effect.succeed(skipped("the name has no address"))
      ),
      "there is no connection"
    )
  ]
})

const api = (limited: Limited, transport: Transport.Service) =>
  Effect.map(Ref.make(Option.none<Registry.Greeting>()), (greeting) => {
    const login = Effect.flatMap(Ref.get(greeting), (found) => Registry.loginStep(transport, found))
    return [
      planned(
        "api",
        limited(Registry.silenceAdvice, Registry.apiStep(transport, greeting)),
        "the registry does not answer"
      ),
      planned("clock", Effect.flatMap(Ref.get(greeting), Registry.clockStep)),
      planned("login", limited(Registry.silenceAdvice, login), "the login is not accepted")
    ]
  })

const rights = Effect.fnUntraced(function* (
  limited: Limited,
  { push = false, repository }: Options,
  { content, transport }: { readonly content: RegistryContent.Service; readonly transport: Transport.Service }
) {
  const step = (name: StepName, run: Effect.Effect<Outcome>) => planned(name, limited(Registry.silenceAdvice, run))
  const repositories = step("repositories", Rights.repositoriesStep(content, repository))
  if (repository === undefined) {
    const without = (name: StepName) => planned(name, Effect.succeed(skipped("no repository was named")))
    return [without("token"), repositories, without("tags"), without("pull"), without("push")]
  }
  const actions: ReadonlyArray<TokenScope.Action> = push ? ["pull", "push"] : ["pull"]
  const found = yield* Ref.make(Option.none<string>())
  return [
    step("token", Rights.tokenStep(transport, repository, actions)),
    repositories,
    step("tags", Rights.tagsStep(content, repository, found)),
    step(
      "pull",
      Effect.flatMap(Ref.get(found), (tag) => Rights.pullStep(content, repository, tag))
    ),
    step("push", push ? Rights.pushStep(transport, repository) : Effect.succeed(skipped("it was not requested")))
  ]
})

const all = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ReadonlyArray<Planned>, InvalidRequest | RegistryError, Registries.Registries> {
  const limited = limitedBy(options)
  const [transport, content] = yield* Effect.provide(
    Effect.all([Transport.Transport, RegistryContent.RegistryContent]),
    Registries.layerFor(options.registry)
  )
  return [
    ...(yield* network(limited, new URL(transport.endpoint), options.ca)),
    ...(yield* api(limited, transport)),
    ...(yield* rights(limited, options, { content, transport }))
  ]
})

/** Runs steps one at a time, each when its result is requested, until one of them stops the others. */
const inTurn = (steps: ReadonlyArray<Planned>): Stream.Stream<Step> =>
  Stream.unwrap(
    Effect.map(Ref.make<string | undefined>(undefined), (stopped) =>
      Stream.mapEffect(Stream.fromIterable(steps), ({ name, otherwise, run }) =>
        Effect.gen(function* () {
          const why = yield* Ref.get(stopped)
          if (why !== undefined) return { name, ...skipped(why) }
          const found = yield* run
          if (found.outcome !== "ok") yield* Ref.set(stopped, otherwise)
          return { name, ...found }
        })
      )
    )
  )

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
 * A step starts when its result is requested, so that `stepLimit` does not count the work of the consumer.
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
  Stream.unwrap(Effect.map(all(options), inTurn))
