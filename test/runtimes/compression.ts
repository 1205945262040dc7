/**
 * Text is compressed and cut off in several places. Prints what decompressing each part comes to.
 */
import { Compression } from "@effect-acr/client"
import { NodeCompression } from "@effect-acr/node"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Bytes from "effect/Bytes"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const text = new TextEncoder().encode(Array.from({ length: 50_000 }, (_, line) => `line ${line}\n`).join(""))

const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>) => Effect.map(Stream.runCollect(stream), Bytes.concat)

Effect.gen(function* () {
  for (const format of ["gzip", "zstd"] as const) {
    const whole = yield* collect(Compression.compress(Stream.make(text), format))
    for (const bytes of [5, 100, whole.length - 1, whole.length]) {
      const outcome = yield* collect(Compression.decompress(Stream.make(whole.subarray(0, bytes)))).pipe(
        Effect.match({ onSuccess: ({ length }) => `${length} bytes`, onFailure: ({ description }) => description })
      )
      yield* Console.log(`${format}: ${outcome}`)
    }
  }
}).pipe(Effect.provide(NodeCompression.layer), NodeRuntime.runMain)
