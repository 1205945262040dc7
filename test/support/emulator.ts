/**
 * An emulator with a client in conversation with it, and what the emulator's journal says of that conversation.
 */
import type * as Registry from "@effect-acr/client/Registry"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import { AcrEmulator } from "@effect-acr/emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The emulator, and the client's services logged in to it. */
export const emulated = (
  emulator: AcrEmulator.Options = {},
  client: AcrEmulator.RegistryOptions = {}
): Layer.Layer<
  AcrEmulator.AcrEmulator | Registry.Services,
  RegistryError | Layer.Error<ReturnType<typeof AcrEmulator.layer>>
> => AcrEmulator.layerRegistry(client).pipe(Layer.provideMerge(AcrEmulator.layer(emulator)))

/** The requests since the journal was cleared, in order, as `GET /acr/v1/_catalog 200`. */
export const requests = Effect.flatMap(AcrEmulator.AcrEmulator, ({ journal }) =>
  Effect.map(journal, (entries) =>
    entries.map(({ method, path, status }) => `${method} ${decodeURIComponent(path)} ${status}`)
  )
)

/** The requests that an effect makes, without those before it. */
export const requestsOf = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<ReadonlyArray<string>, E, R | AcrEmulator.AcrEmulator> =>
  Effect.gen(function* () {
    const { clearJournal } = yield* AcrEmulator.AcrEmulator
    yield* clearJournal
    yield* effect
    return yield* requests
  })
