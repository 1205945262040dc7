/**
 * Copies that are interrupted at each request, at each operation on a file, and in the middle of blobs: no tag names something
 * incomplete, no upload stays open, and the next copy reads only what is missing.
 */
import type { ContentStore } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as Graph from "@effect-acr/artifacts/Graph"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import type { LayoutError } from "@effect-acr/artifacts/LayoutError"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Reference from "@effect-acr/client/Reference"
import * as Registry from "@effect-acr/client/Registry"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import { AcrEmulator } from "@effect-acr/emulator"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { completeAt, putArtifact } from "./support/artifacts.ts"

type Store = ContentStore<RegistryError | LayoutError>

/** Tells when the step with a number begins. The copy goes on, and is interrupted as soon as the test hears of it. */
interface Stop {
  readonly step: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly reached: Deferred.Deferred<void>
}

const stopAt = (number: number): Effect.Effect<Stop> =>
  Effect.map(Deferred.make<void>(), (reached) => {
    let count = 0
    return {
      reached,
      step: (effect) =>
        Effect.suspend(() => {
          if (count++ !== number) return effect
          return Effect.andThen(Effect.andThen(Deferred.succeed(reached, undefined), Effect.yieldNow), effect)
        })
    }
  })

/** What a copy goes through: requests or operations on files. `open` opens the store anew, as another program would. */
interface Place {
  readonly open: (stop: Stop) => Effect.Effect<Store, RegistryError | LayoutError, never>
  /** That nothing stays behind, besides content. */
  readonly assertClean: (name: string) => Effect.Effect<void>
}

const repository = "shop/api"

const registryPlace = Effect.gen(function* () {
  const emulator = yield* AcrEmulator.make()
  const scope = yield* Effect.scope
  const reference = yield* Effect.orDie(Effect.fromResult(Reference.parse(`${emulator.loginServer}/${repository}`)))
  const open = (stop: Stop) => {
    const client = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(HttpClient.HttpClient, (http) => HttpClient.transform(http, stop.step))
    ).pipe(Layer.provideMerge(NodeRegistryHttpClient.layer))
    const entra = Credentials.layerEntra(Effect.succeed(emulator.logins.entraToken), {
      loginServers: [new URL(emulator.endpoint).hostname]
    })
    const services = Registry.layer({ endpoint: emulator.endpoint }).pipe(Layer.provide([client, entra]))
    return Effect.map(Layer.buildWithScope(services, scope), (context): Store =>
      Repository.make(Context.get(context, RegistryContent.RegistryContent), reference)
    )
  }
  const noOpenUploads = Effect.repeat(emulator.openUploads, {
    until: (uploads) => uploads === 0,
    schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 500 }))
  })
  const place: Place = {
    open,
    assertClean: (name) =>
      Effect.map(noOpenUploads, (uploads) => assert.strictEqual(uploads, 0, `open uploads ${name}`))
  }
  return place
})

const layoutPlace = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.join(yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-" }), "layout")
  const open = (stop: Stop) => {
    const own = FileSystem.make({
      ...files,
      rename: (from, to) => stop.step(files.rename(from, to)),
      makeDirectory: (at, options) => stop.step(files.makeDirectory(at, options)),
      writeFile: (at, data, options) => stop.step(files.writeFile(at, data, options)),
      open: (at, options) =>
        Effect.map(stop.step(files.open(at, options)), (file) =>
          // The methods of a file stand in its class, so that a copy would lack them.
          Object.create(file, {
            sync: { value: stop.step(file.sync) },
            writeAll: { value: (bytes: Uint8Array) => stop.step(file.writeAll(bytes)) }
          })
        )
    })
    return ImageLayout.open(folder).pipe(
      Effect.provideService(FileSystem.FileSystem, own),
      Effect.provideService(Path.Path, path)
    )
  }
  const place: Place = {
    open,
    assertClean: (name) =>
      Effect.gen(function* () {
        const left = yield* Effect.orElseSucceed(files.readDirectory(path.join(folder, "ingest")), () => [])
        const locks = yield* Effect.orElseSucceed(files.readDirectory(folder), () => [])
        assert.deepStrictEqual([...left, ...locks.filter((name) => name.startsWith(".lock"))], [], name)
      })
  }
  return place
})

const places = { registry: registryPlace, layout: layoutPlace }

const ways = [
  ["registry", "registry"],
  ["registry", "layout"],
  ["layout", "registry"]
] as const

const never = stopAt(-1)

/** Each third step, beginning with another one on each way. All: `EVERY_STEP=1 npx -y pnpm@12 exec vitest run test/artifactInterruptions.test.ts`. */
const stride = process.env["EVERY_STEP"] === undefined ? 3 : 1

/** A store that counts the bytes that are read of its blobs. */
const counting = (store: Store) => {
  let bytes = 0
  const counted = <E>(content: Stream.Stream<Uint8Array, E>) =>
    Stream.tap(content, (chunk) => Effect.sync(() => void (bytes += chunk.length)))
  const own: Store = {
    ...store,
    blob: (wanted) => {
      const { read, repeatable, sizeBytes } = store.blob(wanted)
      return { sizeBytes, repeatable, read: (offset, held) => counted(read(offset, held)) }
    }
  }
  return { store: own, bytes: () => bytes }
}

/** Asserts what holds after an interruption, copies again, and asserts that this read only what was missing. */
const assertRecovers = (source: Place, target: Place, name: string) =>
  Effect.gen(function* () {
    yield* target.assertClean(name)
    const stop = yield* never
    const from = counting(yield* source.open(stop))
    const to = yield* target.open(stop)
    // Fails if the tag names something incomplete.
    yield* completeAt(to, "v1")
    const root = Option.getOrThrow(yield* from.store.resolve("v1"))
    const all = Graph.blobs(yield* Graph.read(from.store, root, { referrers: {} }))
    // What a descriptor of nothing stands for is not read.
    const missing = yield* Effect.filter(all, (blob) =>
      Effect.map(to.has(blob), (isThere) => !isThere && blob.size > 2)
    )
    const report = yield* Copy.run(from.store, to, "v1")
    assert.strictEqual(
      from.bytes(),
      missing.reduce((sum, { size }) => sum + size, 0),
      name
    )
    assert.strictEqual(report.root, root.digest)
    const graph = Option.getOrThrow(yield* completeAt(to, "v1"))
    assert.strictEqual(graph.nodes.size, 5, name)
  })

/** Copies until the stop is reached. Returns whether it was, before the copy ended. */
const interrupted = (stop: Stop, source: Store, target: Store) =>
  Effect.gen(function* () {
    const copying = yield* Effect.forkChild(Copy.run(source, target, "v1"))
    const isReached = yield* Effect.raceFirst(
      Effect.as(Deferred.await(stop.reached), true),
      Effect.as(Fiber.await(copying), false)
    )
    yield* Fiber.interrupt(copying)
    return isReached
  })

const seeded = (from: keyof typeof places) =>
  Effect.gen(function* () {
    const source = yield* places[from]
    yield* putArtifact(yield* source.open(yield* never), "v1", 200_000)
    return source
  })

describe("a copy that is interrupted", () => {
  for (const [at, [from, to]] of ways.entries()) {
    for (const side of ["source", "target"] as const) {
      const offset = (2 * at + (side === "source" ? 0 : 1)) % stride
      it.live(
        `from ${from} to ${to}, at steps of the ${side}`,
        () =>
          Effect.gen(function* () {
            const source = yield* seeded(from)
            let number = offset
            for (; ; number += stride) {
              const target = yield* places[to]
              const stop = yield* stopAt(number)
              const quiet = yield* never
              const isReached = yield* interrupted(
                stop,
                yield* source.open(side === "source" ? stop : quiet),
                yield* target.open(side === "target" ? stop : quiet)
              )
              if (!isReached) break
              yield* assertRecovers(source, target, `step ${number}`)
            }
            // Layouts are read without a step that counts here.
            assert.isAtLeast(number, from === "layout" && side === "source" ? 0 : 20)
          }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
        180_000
      )
    }

    it.live(
      `from ${from} to ${to}, in the middle of blobs`,
      () =>
        Effect.gen(function* () {
          const source = yield* seeded(from)
          for (let round = 0; round < 12; round++) {
            const position = yield* Random.nextIntBetween(1, 199_999)
            const target = yield* places[to]
            const quiet = yield* never
            const isThere = ({ bytes, size }: { readonly bytes: number; readonly size: number }) =>
              size === 200_000 && bytes >= position
            yield* Copy.events(yield* source.open(quiet), yield* target.open(quiet), "v1").pipe(
              Stream.takeUntil((event) => event._tag === "Progress" && isThere(event)),
              Stream.runDrain
            )
            yield* assertRecovers(source, target, `at byte ${position}`)
          }
        }).pipe(Random.withSeed("interruptions"), Effect.scoped, Effect.provide(NodeServices.layer)),
      120_000
    )
  }
})
