/**
 * What is wrong with a part of an artifact.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * The kind of a problem with a part of an artifact.
 *
 * **Details**
 *
 * - `Missing`: it does not exist.
 * - `DigestDiffers`: its bytes do not match its digest.
 * - `SizeDiffers`: its size is not the one that a manifest states.
 * - `MediaTypeDiffers`: its type is not the one that a manifest states: it is another kind of manifest, or compressed
 *   differently.
 * - `DiffIdDiffers`: the uncompressed layer is not the one that the configuration of the image names.
 * - `Unreadable`: its bytes match the digest, but cannot be decoded as the type that they should have.
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
 * One kind of problem.
 *
 * @category models
 * @since 0.1.0
 */
export type Problem = typeof Problem.Type

/**
 * A problem with a part of an artifact.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Finding = Schema.Struct({
  /** The kind of problem. */
  problem: Problem,
  /** The kind of part. `blob` is content of an artifact that is not an image. */
  kind: Schema.Literals(["manifest", "config", "layer", "blob"]),
  /** The digest by which manifests name the part. */
  digest: Digest.Digest,
  /** The manifests from the root to the one that names the part. */
  path: Schema.Array(Digest.Digest),
  /** The expected digest, size or media type, if there is one. */
  expected: Schema.optionalKey(Schema.String),
  /** The digest, size or media type that was found instead. */
  actual: Schema.optionalKey(Schema.String),
  /** What is wrong, for people to read. */
  description: Schema.String
})

/**
 * One problem with a part of an artifact.
 *
 * @category models
 * @since 0.1.0
 */
export type Finding = typeof Finding.Type

/** The finding that an error of a store amounts to. */
export type Reading = Pick<Finding, "problem" | "description"> & Partial<Pick<Finding, "expected" | "actual">>

/** Errors of stores about content. All others mean that the store could not be reached or read. */
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

/** Reads an error of a store as a finding about content; undefined if it is not one. */
export const readingOf = (error: unknown): Reading | undefined => {
  if (!Predicate.isObject(error)) return undefined
  if (text(error, "_tag") === "NotInMemory") return { problem: "Missing", description: "it is not there" }
  const reason = error["reason"]
  if (!Predicate.isObject(reason)) return undefined
  // A 404 of a server that does not know the path says nothing about the content.
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
