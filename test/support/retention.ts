/**
 * Rules, small images and runs for tests of retention against registries.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import type { Outcome, Report } from "@effect-acr/artifacts/RetentionReport"
import * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import type { RetentionTarget } from "@effect-acr/artifacts/RetentionTarget"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const decodeRules = Schema.decodeUnknownEffect(RetentionRules.Rules)

const keep = { action: "keep", because: "no rule names it" }

/** Rules whose defaults keep everything. They may delete what was pushed just now, and most of it. */
export const rulesOf = (
  rules: ReadonlyArray<{ readonly [field: string]: unknown }>,
  others: { readonly [field: string]: unknown } = {}
) =>
  Effect.orDie(
    decodeRules({
      repositories: ["**"],
      defaults: { tags: keep, untagged: keep, orphans: keep },
      rules: rules.map((rule, at) => ({ name: `rule ${at + 1}`, because: "a test", of: ["tags"], ...rule })),
      safetyAge: "none",
      limits: { maxFraction: 1 },
      ...others
    })
  )

/** Deletes the tags `old*`. */
export const deleteOld = { name: "old", tags: ["old*"], action: "delete" }

export const planFor = (target: RetentionTarget, rules: RetentionRules.Rules) =>
  Effect.flatMap(Retention.inventory(target), (inventory) => Effect.fromResult(Retention.plan(inventory, rules)))

/** Pushes an image that has its name alone, maybe about another one. */
export const pushImage = Effect.fnUntraced(function* (
  repository: string,
  name: string,
  tags: ReadonlyArray<string> = [],
  subject?: Descriptor
) {
  const content = yield* RegistryContent
  const config = yield* content.uploadBlob(repository, BlobSource.fromString("{}"), {
    mediaType: MediaType.ociImageConfig
  })
  const manifest = Manifest.image({
    config,
    layers: [],
    annotations: { name },
    ...(subject === undefined ? {} : { subject })
  })
  return (yield* content.putManifest(repository, manifest, { tags })).descriptor
})

export const pushIndex = Effect.fnUntraced(function* (
  repository: string,
  manifests: ReadonlyArray<Descriptor>,
  tags: ReadonlyArray<string>
) {
  const content = yield* RegistryContent
  return (yield* content.putManifest(repository, Manifest.index({ manifests }), { tags })).descriptor
})

/** What became of a manifest or a tag. */
export const outcomeOf = ({ outcomes }: Report, tagOrDigest: string): Outcome["outcome"] | undefined =>
  outcomes.find(({ digest, tag }) => (tag ?? digest) === tagOrDigest)?.outcome

/** How many actions had an outcome. */
export const countOf = ({ outcomes }: Report, wanted: Outcome["outcome"]): number =>
  outcomes.filter(({ outcome }) => outcome === wanted).length
