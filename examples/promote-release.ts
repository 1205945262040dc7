/**
 * Promotes a release from one registry to another: what was tested goes out, and nothing else.
 *
 * `REPOSITORY` and `TAG` name the release, `DIGEST` what the tests ran on; `support/registries.ts` says how the
 * registries are named. Without `DIGEST` it is what the tag names when the program begins. Signatures and SBOMs go with the
 * release.
 */
import { Copy, Graph, type Repository } from "@effect-acr/artifacts"
import { Digest } from "@effect-acr/client"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Option, Schema } from "effect"
import { sizeOf } from "./support/descriptors.ts"
import { count, formatSize } from "./support/numbers.ts"
import { repositoryIn, Registries } from "./support/registries.ts"
import { nameIn } from "./support/repositories.ts"

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

/** What a tag names. */
const resolve = (store: Repository.Repository, tag: string) => Effect.flatMap(store.resolve(tag), Effect.fromOption)

/** Fails unless the tag names what was tested. */
const expectTag = Effect.fnUntraced(function* (store: Repository.Repository, tag: string, tested: Digest.Digest) {
  const { digest } = yield* resolve(store, tag)
  if (digest !== tested) {
    return yield* new ReleaseMoved({ release: nameIn(store, tag), tested, found: digest })
  }
})

/**
 * Copies by the digest, never by the tag: a tag that moves in the meantime changes nothing. In the target the tag comes
 * last, when each manifest was read back and each blob was found.
 */
const promote = Effect.fnUntraced(function* (
  from: Repository.Repository,
  to: Repository.Repository,
  tag: string,
  tested: Digest.Digest
) {
  yield* expectTag(from, tag, tested)
  const copied = yield* Copy.run(from, to, tested, { cosignTags: true })
  yield* Graph.read(to, yield* resolve(to, tested), { referrers: {} })
  const verified = yield* Copy.run(from, to, tested, { cosignTags: true, trust: "walk", tags: [tag] })
  yield* expectTag(to, tag, tested)
  return { copied, verified }
})

const isBlob = ({ kind }: Copy.CopiedNode): boolean => kind === "blob"

export const promoteRelease = Effect.gen(function* () {
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("v2"))
  const given = yield* Config.option(Config.schema(Digest.Digest, "DIGEST"))
  const from = yield* repositoryIn("SOURCE", repository)
  const to = yield* repositoryIn("TARGET", repository)

  const tested = Option.isSome(given) ? given.value : (yield* resolve(from, tag)).digest
  yield* Console.log(`${nameIn(from, tag)} was tested as ${tested}`)
  const { copied, verified } = yield* promote(from, to, tag, tested)
  const sent = copied.nodes.filter((node) => isBlob(node) && node.outcome === "sent")
  const blobs = verified.nodes.filter(isBlob).length
  yield* Console.log(
    `  sent      ${sent.length} of ${count(blobs, "blob")}, ${formatSize(sizeOf(sent))}; the rest was there`
  )
  yield* Console.log(
    `  verified  ${count(verified.nodes.length - blobs, "manifest")} and ${count(blobs, "blob")} in the target`
  )
  yield* Console.log(`  released  ${nameIn(to, tag)}`)
}).pipe(Effect.scoped, Effect.provide(Registries.layer))

if (import.meta.main) NodeRuntime.runMain(promoteRelease)
