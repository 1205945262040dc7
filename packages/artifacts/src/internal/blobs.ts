/**
 * Small blobs, read as a whole.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"

/** Configurations have a few KiB. The limit is that of manifests. */
const mostBytes = 4 * 1024 * 1024

const decoder = new TextDecoder()

/** The text of a blob; none if it is too large to be a configuration. */
export const readText = <E>(reader: Reader<E>, blob: Descriptor): Effect.Effect<Option.Option<string>, E> =>
  blob.size > mostBytes
    ? Effect.succeedNone
    : Effect.map(Stream.runCollect(reader.blob(blob).read(0)), (chunks) =>
        Option.some(decoder.decode(Bytes.concat(chunks)))
      )
