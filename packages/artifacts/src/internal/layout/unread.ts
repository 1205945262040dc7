/**
 * The warning of a list that lacks entries of `index.json`.
 */
import * as DescriptorSchema from "@effect-acr/client/Descriptor"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Index from "./index.ts"

const decode = Schema.decodeUnknownResult(DescriptorSchema.Descriptor)

const problemOf = (entry: unknown): string =>
  Result.match(decode(entry), { onSuccess: () => "", onFailure: ({ message }) => message })

/**
 * Warns that a list of tags lacks the entries that cannot be read, without their content, which may be anything. The annotation
 * is that of the lists of registries: programs distinguish a partial list from a complete one by it.
 *
 * Each list warns, and no other read does: a manifest that is read by its name is complete, whatever stands beside it.
 */
export const warn = (place: string, index: Index.Index): Effect.Effect<void> =>
  Effect.suspend(() => {
    const [first, ...others] = index.unread()
    if (first === undefined) return Effect.void
    const count = others.length + 1
    const entries = count === 1 ? "1 entry" : `${count} entries`
    return Effect.logWarning(
      `the tags of ${place} lack ${entries} of index.json that cannot be read: ${problemOf(first)}`
    ).pipe(Effect.annotateLogs("leftOut", count))
  })
