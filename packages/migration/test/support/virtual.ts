/**
 * Migrations in virtual time: hours of waiting pass in seconds, and requests go to emulators over real connections.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import type * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as HttpClient from "effect/http/HttpClient"
import * as TestClock from "effect/testing/TestClock"
import * as Driver from "../../src/internal/driver.ts"
import * as Places from "../../src/internal/places.ts"
import * as Stores from "../../src/internal/store/store.ts"
import { registryOptions, type Rules } from "../../src/MigrationRules.ts"
import { adminUser } from "./registries.ts"

/** What is under way: time stands still meanwhile. */
export interface Traffic {
  requests: number
}

const counting = (traffic: Traffic) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) =>
      HttpClient.transform(client, (response) =>
        Effect.suspend(() => {
          traffic.requests++
          return Effect.ensuring(
            response,
            Effect.sync(() => traffic.requests--)
          )
        })
      )
    )
  )

/** Clients of emulated registries that keep to the rules, and count what is under way. */
export const governed = (rules: Rules, traffic: Traffic, ...emulators: ReadonlyArray<AcrEmulator.Service>) =>
  Registries.layerOptions({
    registries: (loginServer) => {
      const emulator = emulators.find((one) => one.loginServer === loginServer)
      const options = registryOptions(rules, loginServer)
      return emulator === undefined ? options : { endpoint: emulator.endpoint, ...options }
    }
  }).pipe(
    Layer.provide([
      Credentials.layerPassword(adminUser).pipe(Credentials.onlyFor(emulators.map(({ loginServer }) => loginServer))),
      counting(traffic).pipe(Layer.provide(NodeRegistryHttpClient.layer))
    ])
  )

const turnOfTheLoop = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Turns of the event loop in which bodies are read and files are written. */
const turns = 4

/** Lets time pass whenever no request is under way, until an effect is done. Returns its result and the minutes. */
export const passing = <A, E, R>(traffic: Traffic, effect: Effect.Effect<A, E, R>, step: Duration.Input = "1 second") =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.forkChild(effect)
    let quiet = 0
    while (fiber.pollUnsafe() === undefined) {
      yield* turnOfTheLoop
      quiet = traffic.requests === 0 ? quiet + 1 : 0
      if (quiet < turns) continue
      yield* TestClock.adjust(step)
      quiet = 0
    }
    const result = yield* Fiber.join(fiber)
    return { result, minutes: ((yield* Clock.currentTimeMillis) - began) / 60_000 }
    // The clock of tests warns of fibers that do not sleep, such as those that read a database.
  }).pipe(Effect.provideService(References.MinimumLogLevel, "Error"))

/**
 * The passes of a run without the engine, which holds locks by the time of the database: that goes on while time stands still.
 */
export const passes = (rules: Rules, emit: Driver.Parts["emit"] = () => Effect.void) =>
  Effect.gen(function* () {
    const parts = {
      store: yield* Stores.make(),
      places: yield* Places.make(),
      rules,
      emit,
      shards: 1,
      batchesAhead: 1
    }
    const { copy, prepare } = yield* Driver.makeWorker(parts)
    const { id } = yield* parts.store.begin("test", yield* Driver.formatRules(rules))
    for (let pass = 1; pass < 3; pass++) {
      const run = yield* parts.store.byId(id)
      yield* prepare({ run: id, pass, attempt: 0, isFirst: pass === 1, isLast: false, shards: 1 })
      for (const batch of yield* parts.store.openBatches(id)) {
        yield* copy({ run: id, pass, batch: batch.id, attempt: 0, shards: 1, place: 0 })
        yield* parts.store.closeBatch(batch.id)
      }
      yield* parts.store.advance(run, pass === 1 ? { pass: 2 } : { phase: "done" })
    }
  }).pipe(Effect.scoped)
