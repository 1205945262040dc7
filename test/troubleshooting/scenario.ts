/**
 * A way in which something goes wrong, as data: what is seen, why it is so, what to do, and a program that does it.
 */
import type * as Credentials from "@effect-acr/client/Credentials"
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { Reason, RegistryError } from "@effect-acr/client/RegistryError"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import type * as Transport from "@effect-acr/client/Transport"
import { AcrEmulator, type Fault } from "@effect-acr/emulator"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { NodeFileSystem } from "@effect/platform-node"

/** What a program of a scenario may use. */
export type Services =
  | AcrEmulator.AcrEmulator
  | ContainerRegistry.ContainerRegistry
  | RegistryContent.RegistryContent
  | Transport.Transport
  | FileSystem.FileSystem

export interface Scenario {
  readonly title: string
  readonly why: string
  readonly remedy: string
  /** The reason that users act on. */
  readonly reason: Reason["_tag"]
  /** What the error must say, or the advice misses it. */
  readonly says: ReadonlyArray<string>
  /** Fails. */
  readonly run: Effect.Effect<RegistryError, unknown>
}

/** An account whose user name and password stand in no scenario's output. */
export const adminUser = { username: "admin", password: Redacted.make("emulator-password") }

/** The emulator and the credentials with which the scenario fails. */
export interface Setting {
  readonly emulator?: AcrEmulator.Options
  readonly credentials?: Layer.Layer<Credentials.Credentials>
  readonly transport?: Partial<Transport.Options>
  readonly faults?: ReadonlyArray<Fault.Fault>
}

/** Runs a program that fails on an emulator that holds `library/hello-world`. */
export const failing = <A>(
  program: Effect.Effect<A, RegistryError, Services>,
  { credentials, emulator = {}, faults = [], transport = {} }: Setting = {}
): Effect.Effect<RegistryError, unknown> =>
  Effect.gen(function* () {
    const { inject, seed } = yield* AcrEmulator.AcrEmulator
    yield* seed({ repository: "library/hello-world", tags: ["latest"] })
    yield* Effect.forEach(faults, inject)
    return yield* Effect.flip(Effect.scoped(program))
  }).pipe(
    Effect.provide(
      AcrEmulator.layerRegistry({
        retry: RetryPolicy.never,
        ...transport,
        ...(credentials === undefined ? {} : { credentials })
      }).pipe(Layer.provideMerge(AcrEmulator.layer({ adminUser, ...emulator })), Layer.merge(NodeFileSystem.layer))
    )
  )

/** The answer of a registry that explains itself. */
export const explained = (
  status: number,
  code: string,
  message: string,
  request: Pick<Fault.Fault, "method" | "path" | "times"> = {}
): Fault.Fault => ({
  times: 100,
  ...request,
  consequence: {
    _tag: "Answer",
    status,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ errors: [{ code, message }] })
  }
})
