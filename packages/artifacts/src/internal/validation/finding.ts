/**
 * What is wrong with a part of an artifact.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * What can be wrong with a part of an artifact.
 *
 * **Details**
 *
 * - `Missing`: it is not there.
 * - `DigestDiffers`: its bytes are not those that its digest names.
 * - `SizeDiffers`: it has another size than a manifest states.
 * - `MediaTypeDiffers`: it is of another kind than a manifest states: another manifest, or another compression.
 * - `DiffIdDiffers`: the uncompressed layer is not the one that the configuration of the image names.
 * - `Unreadable`: its bytes are those of the digest, and cannot be read as what they should be.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Problem = Schema.Literals([
  "Missing",
  "DigestDiffers",
  "SizeDiffers",
  "MediaTypeDiffers",
  "DiffIdDiffers",
  "Unreadable"
])

/**
 * What is wrong with a part of an artifact.
 *
 * @category models
 * @since 0.1.0
 */
export type Problem = typeof Problem.Type

/**
 * A part of an artifact that is not as it should be.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Finding = Schema.Struct({
  /** What is wrong. */
  problem: Problem,
  /** What the part is. `blob` is content of an artifact that is no image. */
  kind: Schema.Literals(["manifest", "config", "layer", "blob"]),
  /** The digest under which the part is named. */
  digest: Digest.Digest,
  /** The manifests from the root to the one that names the part. */
  path: Schema.Array(Digest.Digest),
  /** What was expected, if that is a digest, a size or a media type. */
  expected: Schema.optionalKey(Schema.String),
  /** What was found instead. */
  actual: Schema.optionalKey(Schema.String),
  /** What is wrong, for a person to read. */
  description: Schema.String
})

/**
 * One part of an artifact that is not as it should be.
 *
 * @category models
 * @since 0.1.0
 */
export type Finding = typeof Finding.Type

/** What an error of a store says of the content that was read. */
export type Reading = Pick<Finding, "problem" | "description"> & Partial<Pick<Finding, "expected" | "actual">>

/** Errors of stores about content. All others say nothing of it: the store could not be reached or read. */
const problems = new Map<string, Problem>([
  ["NotFound", "Missing"],
  ["ContentMissing", "Missing"],
  ["ContentMismatch", "DigestDiffers"],
  ["ContentDiffers", "DigestDiffers"],
  ["InvalidResponse", "Unreadable"],
  ["TooLarge", "Unreadable"]
])

const text = (value: object, key: string): string | undefined => {
  const found = Predicate.hasProperty(value, key) ? value[key] : undefined
  return typeof found === "string" ? found : undefined
}

const sizeText = /^\d+( bytes)?$/

/** Reads an error of a store as a finding about content; undefined if it is none. */
export const readingOf = (error: unknown): Reading | undefined => {
  if (!Predicate.isObject(error)) return undefined
  if (text(error, "_tag") === "NotInMemory") return { problem: "Missing", description: "it is not there" }
  const reason = error["reason"]
  if (!Predicate.isObject(reason)) return undefined
  // A server that does not know the path says nothing of what is there.
  if (reason["resource"] === "endpoint") return undefined
  const problem = problems.get(text(reason, "_tag") ?? "")
  if (problem === undefined) return undefined
  const description = text(reason, "description") ?? text(error, "message") ?? problem
  const expected = text(reason, "expected")
  const actual = text(reason, "actual")
  return {
    problem: problem === "DigestDiffers" && expected !== undefined && sizeText.test(expected) ? "SizeDiffers" : problem,
    description,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual })
  }
}
