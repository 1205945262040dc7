/**
 * The names of targets, which may have several tags: `registry/repository:v1,stable`.
 */
import * as Reference from "@effect-acr/client/Reference"
import * as Tag from "@effect-acr/client/Tag"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { WrongCall } from "./problem.ts"

export interface Target {
  /** The name without its tags. */
  readonly repository: string
  readonly tags: ReadonlyArray<string>
}

const isTag = Schema.is(Tag.Tag)

/** OCI distribution specification, "Pulling manifests". */
const rule = "a tag has 1 to 128 letters, digits, and the characters _ . - of which the last two do not begin it"

/** The tag of a full name, such as `docker.io/library/alpine:3.20`, or the tag itself. */
export const tagIn = (name: string): string => name.slice(name.lastIndexOf(":") + 1)

/** Returns the tags, or fails if one is invalid. */
export const validTags = Effect.fnUntraced(function* (tags: ReadonlyArray<string>) {
  const wrong = tags.find((tag) => !isTag(tag))
  if (wrong === undefined) return tags
  const alone = tagIn(wrong)
  // As in `docker tag`, whose second argument is a full name.
  const hint =
    wrong.includes("/") && isTag(alone) ? `. A tag stands alone here: ${alone}. Another repository is for eacr cp` : ""
  return yield* new WrongCall({ description: `${JSON.stringify(wrong)} is not a valid tag: ${rule}${hint}` })
})

/** Reads a list of tags. */
export const tagsOf = (text: string) => validTags(text.split(","))

/** Whether a name is a repository in a registry, with tags or without. */
export const isName = (name: string): boolean => Result.isSuccess(Reference.parse(name.replace(/,.*$/, "")))

/** Parses the name of a repository, with tags or without. */
export const parse = Effect.fnUntraced(function* (name: string): Effect.fn.Return<Target, WrongCall> {
  if (name.includes("@")) {
    return yield* new WrongCall({
      description: `${name}: a target is named by tags; its digest is that of the content`
    })
  }
  const path = name.lastIndexOf("/")
  const colon = name.indexOf(":", path)
  // The colon of `localhost:5000` is before any slash.
  if (path === -1 || colon === -1) return { repository: name, tags: [] }
  return { repository: name.slice(0, colon), tags: yield* tagsOf(name.slice(colon + 1)) }
})
