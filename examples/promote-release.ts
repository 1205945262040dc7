/**
 * Promotes a release from one registry to another: what was tested goes out, and nothing else.
 *
 * `REPOSITORY` and `TAG` name the release, `DIGEST` what the tests ran on; `support/registries.ts` says how the
 * registries are named. Without `DIGEST` it is what the tag names when the program begins. What refers to the release, such
 * as its signatures, stays where it is.
 */
import { Digest } from "@effect-acr/client"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Option, Schema } from "effect"
import { copyImage, nameIn, type Place, verifyImage } from "./support/copyImage.ts"
import { sizeOf } from "./support/descriptors.ts"
import { count, formatSize } from "./support/numbers.ts"
import { placeIn, Registries } from "./support/registries.ts"

/** The tag names another image than the one that was tested. */
export class ReleaseMoved extends Schema.TaggedError<ReleaseMoved>()("ReleaseMoved", {
  release: Schema.String,
  tested: Digest.Digest,
  found: Digest.Digest
}) {
  override get message(): string {
    return `${this.release} has moved: ${this.tested} was tested, ${this.found} is there now`
  }
}

/** Fails unless the tag names what was tested. */
const expectTag = Effect.fnUntraced(function* (place: Place, tag: string, tested: Digest.Digest) {
  const { digest } = yield* place.content.resolve(place.repository, tag)
  if (digest !== tested) {
    return yield* new ReleaseMoved({ release: nameIn(place, tag), tested, found: digest })
  }
})

/**
 * Copies by the digest, never by the tag: a tag that moves in the meantime changes nothing. In the target the tag comes
 * last, when all that it will name is known to be there.
 */
const promote = Effect.fnUntraced(function* (from: Place, to: Place, tag: string, tested: Digest.Digest) {
  yield* expectTag(from, tag, tested)
  const copied = yield* copyImage(from, to, tested)
  yield* verifyImage(to, tested)
  yield* to.content.putManifest(to.repository, copied.image, { tag })
  yield* expectTag(to, tag, tested)
  return copied
})

export const promoteRelease = Effect.gen(function* () {
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("v2"))
  const given = yield* Config.option(Config.schema(Digest.Digest, "DIGEST"))
  const from = yield* placeIn("SOURCE", repository)
  const to = yield* placeIn("TARGET", repository)

  const tested = Option.isSome(given) ? given.value : (yield* from.content.resolve(repository, tag)).digest
  yield* Console.log(`${nameIn(from, tag)} was tested as ${tested}`)
  const { blobs, inside, sent } = yield* promote(from, to, tag, tested)
  yield* Console.log(
    `  sent      ${sent.length} of ${count(blobs.length, "blob")}, ${formatSize(sizeOf(sent))}; the rest was there`
  )
  yield* Console.log(
    `  verified  ${count(inside.length + 1, "manifest")} and ${count(blobs.length, "blob")} in the target`
  )
  yield* Console.log(`  released  ${nameIn(to, tag)}`)
}).pipe(Effect.scoped, Effect.provide(Registries.layer))

if (import.meta.main) NodeRuntime.runMain(promoteRelease)
