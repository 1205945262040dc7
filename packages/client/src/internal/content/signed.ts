/**
 * Signed Docker manifests of schema 1. Their digest is that of the signed text: the manifest before the field
 * `signatures` was inserted. The protected part of each signature states where that text continues.
 *
 * Distribution's documentation, "Image manifest version 2, schema 1", "Signed Manifests".
 */
import * as Bytes from "effect/Bytes"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Base64Url from "effect/encoding/Base64Url"
import * as MediaType from "../../MediaType.ts"
import { fromJson, parseJson } from "../schema/json.ts"

const decodeSigned = Schema.decodeUnknownOption(
  fromJson(Schema.Struct({ signatures: Schema.NonEmptyArray(Schema.Struct({ protected: Schema.String })) }))
)

const decodeFormat = Schema.decodeUnknownOption(
  fromJson(Schema.Struct({ formatLength: Schema.Natural, formatTail: Schema.String }))
)

const decoder = new TextDecoder()

const fromBase64 = (text: string): Option.Option<string> => Result.getSuccess(Base64Url.decodeString(text))

/** The end of an object, without a further field. */
const isEnd = (text: string): boolean => /^\s*\}$/.test(text)

/** Whether a text that continues an object adds only signatures to it. */
const addsSignatures = (text: string): boolean =>
  text.startsWith(",") &&
  Option.exists(
    parseJson(`{${text.slice(1)}`),
    (added) => typeof added === "object" && added !== null && Object.keys(added).join() === "signatures"
  )

/**
 * The signed text. None if the document has more than that and signatures, or less: its digest would verify something
 * that no reader of the document sees.
 */
const signedPart = (bytes: Uint8Array): Option.Option<Uint8Array> =>
  Option.gen(function* () {
    const { signatures } = yield* decodeSigned(decoder.decode(bytes))
    const { formatLength, formatTail } = yield* Option.flatMap(fromBase64(signatures[0].protected), (format) =>
      decodeFormat(format)
    )
    const tail = yield* Option.filter(fromBase64(formatTail), isEnd)
    yield* Option.liftPredicate(addsSignatures)(decoder.decode(bytes.subarray(formatLength)))
    return Bytes.concat([bytes.subarray(0, formatLength), new TextEncoder().encode(tail)])
  })

/** The contents that the digest of a manifest may be computed from, the one that the format demands first. */
export const digested = (
  mediaType: MediaType.MediaType,
  bytes: Uint8Array
): readonly [Uint8Array, ...ReadonlyArray<Uint8Array>] =>
  mediaType === MediaType.dockerSchema1SignedManifest
    ? Option.match(signedPart(bytes), { onNone: () => [bytes], onSome: (part) => [part, bytes] })
    : [bytes]
