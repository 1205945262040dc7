/**
 * The handlers of the control API, which call the emulator's own methods.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { AcrEmulator } from "../../AcrEmulator.ts"
import { Api, NotFound, NotReady, SeedRefused } from "../../ControlApi.ts"
import type { SeedError } from "../../SeedError.ts"

const refused = ({ message }: SeedError): SeedRefused => new SeedRefused({ detail: message })

export const handlers = HttpApiBuilder.group(
  Api,
  "control",
  Effect.fnUntraced(function* (handlers) {
    const emulator = yield* AcrEmulator
    return handlers.handleAll({
      health: () => Effect.succeed({ status: "healthy" }),
      ready: () =>
        Effect.flatMap(emulator.isReady, (isReady) =>
          isReady ? Effect.succeed({ status: "ready" as const }) : Effect.fail(new NotReady({}))
        ),
      emulator: () =>
        Effect.map(emulator.openUploads, (openUploads) => ({
          endpoint: emulator.endpoint,
          loginServer: emulator.loginServer,
          ...(Option.isSome(emulator.certificate) ? { certificate: emulator.certificate.value } : {}),
          adminUser: emulator.logins.adminUser.username,
          openUploads
        })),
      // The seeds were valid before. If one was removed since, the answer is 500.
      seed: ({ payload }) =>
        Effect.mapBoth(emulator.seed(payload), { onSuccess: (digest) => ({ digest }), onFailure: refused }),
      reset: () => Effect.mapError(emulator.reset, refused),

      faults: () => emulator.faults,
      inject: ({ payload }) => Effect.map(emulator.inject(payload), (id) => ({ id })),
      removeFault: ({ params: { id } }) =>
        Effect.flatMap(emulator.removeFault(id), (removed) =>
          removed ? Effect.void : Effect.fail(new NotFound({ detail: `There is no fault ${id}` }))
        ),
      clearFaults: () => emulator.clearFaults,

      journal: ({ query: { after } }) => emulator.journalAfter(after ?? 0),
      clearJournal: () => emulator.clearJournal,

      clock: () => Effect.map(emulator.time, (time) => ({ time })),
      setClock: ({ payload: { time } }) => emulator.setTime(time),
      adjustClock: ({ payload: { by } }) => emulator.adjustTime(by),

      modes: () => emulator.modes,
      setModes: ({ payload }) => Effect.andThen(emulator.setModes(payload), emulator.modes),
      limits: () => emulator.limits,
      setLimits: ({ payload }) => Effect.andThen(emulator.setLimits(payload), emulator.limits),

      revokeAccessTokens: () => emulator.revokeAccessTokens,
      revokeRefreshTokens: () => emulator.revokeRefreshTokens,

      repositories: () => emulator.repositories,
      contents: ({ query: { repository } }) =>
        Effect.flatMap(emulator.contents(repository), (contents) =>
          Effect.fromOption(contents).pipe(
            Effect.mapError(() => new NotFound({ detail: `There is no repository ${repository}` }))
          )
        )
    })
  })
)
