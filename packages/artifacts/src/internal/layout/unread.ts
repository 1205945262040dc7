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
 * Warns that a list of tags lacks unreadable entries, without their content, which may be hostile. The annotation is the same as
 * for lists of registries, so that programs can distinguish a partial list from a complete one.
 *
 * Only lists warn: a manifest that is read by name is complete, regardless of other entries.
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
