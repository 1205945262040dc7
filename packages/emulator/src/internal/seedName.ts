/**
 * The name of a seed in messages, even if the seed is invalid.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const decodeName = Schema.decodeUnknownOption(
  Schema.Struct({
    from: Schema.optional(Schema.String),
    repository: Schema.optional(Schema.String),
    tags: Schema.optional(Schema.Unknown)
  })
)

/** The path, or the repository with its first tag. */
export const nameOfSeed = (seed: unknown): string =>
  Option.match(decodeName(seed), {
    onNone: () => "an image without a name",
    onSome: ({ from, repository, tags }) => {
      if (from !== undefined) return from
      const [tag] = Array.isArray(tags) ? tags : []
      return `${repository ?? "an image without a repository"}${typeof tag === "string" ? `:${tag}` : ""}`
    }
  })
