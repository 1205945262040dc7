/**
 * Docker manifests of schema 1, converted from those of schema 2: ACR's answer to callers that accept nothing newer.
 *
 * Docker registry documentation, "Image Manifest Version 2, Schema 1". They are signed with the registry's own key,
 * which proves nothing, as in ACR.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import type { Digest } from "@effect-acr/client/Digest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** The parts of an image of schema 2 that schema 1 can represent. */
export interface Image {
  readonly name: string
  readonly tag: string
  readonly architecture: string
  /** The lowest first. */
  readonly layers: ReadonlyArray<Digest>
  /** The text of its configuration, if the repository has it. */
  readonly config: string | undefined
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** The layer of a step that added none: a compressed archive without files. */
const emptyLayer = "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"

const Step = Schema.Struct({
  created: Schema.optionalKey(Schema.String),
  created_by: Schema.optionalKey(Schema.String),
  empty_layer: Schema.optionalKey(Schema.Boolean)
})

type Step = typeof Step.Type

const decodeConfig = Schema.decodeOption(Schema.fromJsonString(Schema.JsonObject))
const decodeSteps = Schema.decodeUnknownOption(Schema.Array(Step))

/** The steps in which an image was built; one for each layer if its configuration does not match the layers. */
const stepsOf = (history: unknown, layers: ReadonlyArray<Digest>): ReadonlyArray<Step> => {
  const told = Option.getOrElse(decodeSteps(history), (): ReadonlyArray<Step> => [])
  const adding = told.filter(({ empty_layer }) => empty_layer !== true)
  return adding.length === layers.length ? told : layers.map(() => ({}))
}

/** The manifest without its signature. */
const payloadOf = ({ architecture, config, layers, name, tag }: Image): string => {
  const { history, rootfs: _, ...top } = Option.getOrElse(decodeConfig(config ?? ""), (): Schema.JsonObject => ({}))
  const steps = stepsOf(history, layers)
  const entries: Array<{ readonly blobSum: string; readonly v1Compatibility: string }> = []
  let parent: string | undefined
  let used = 0
  for (const [index, { created, created_by, empty_layer }] of steps.entries()) {
    const blobSum = empty_layer === true ? emptyLayer : (layers[used++] ?? emptyLayer)
    const id = sha256(`${blobSum} ${parent ?? ""} ${index}`)
    const step = {
      id,
      ...(parent === undefined ? {} : { parent }),
      ...(empty_layer === true ? { throwaway: true } : {})
    }
    const own = {
      ...(created === undefined ? {} : { created }),
      container_config: { Cmd: created_by === undefined ? null : [created_by] }
    }
    entries.unshift({
      blobSum,
      v1Compatibility: JSON.stringify(index === steps.length - 1 ? { ...top, ...step } : { ...step, ...own })
    })
    parent = id
  }
  const fsLayers = entries.map(({ blobSum }) => ({ blobSum }))
  const told = entries.map(({ v1Compatibility }) => ({ v1Compatibility }))
  return JSON.stringify({ schemaVersion: 1, name, tag, architecture, fsLayers, history: told }, null, 3)
}

const base64url = (text: string): string => Buffer.from(text).toString("base64url")

/** The last bytes of the payload, after the place of the signature. */
const tail = "\n}"

const signed = (payload: string, key: KeyObject, jwk: object, nowMillis: number): string => {
  const facts = {
    formatLength: payload.length - tail.length,
    formatTail: base64url(tail),
    time: new Date(nowMillis).toISOString().replace(/\.\d+Z$/, "Z")
  }
  const protection = base64url(JSON.stringify(facts))
  const text = Buffer.from(`${protection}.${base64url(payload)}`)
  const signature = sign("sha256", text, { key, dsaEncoding: "ieee-p1363" }).toString("base64url")
  const signatures = [{ header: { jwk, alg: "ES256" }, signature, protected: protection }]
  const indented = JSON.stringify(signatures, null, 3).replaceAll("\n", "\n   ")
  return `${payload.slice(0, -tail.length)},\n   "signatures": ${indented}${tail}`
}

/** Makes signed manifests. Their digest is that of the signed content, without the signature. */
export const make = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const jwk = publicKey.export({ format: "jwk" })
  return (image: Image, nowMillis: number): { readonly bytes: Uint8Array; readonly digest: string } => {
    const payload = payloadOf(image)
    return {
      bytes: new TextEncoder().encode(signed(payload, privateKey, jwk, nowMillis)),
      digest: `sha256:${sha256(payload)}`
    }
  }
}
