/**
 * Images that differ in one annotation, in the repository `a`.
 */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import { askAsAdmin } from "./ask.ts"
import { digestOf, push } from "./content.ts"

export const mediaType = "application/vnd.oci.image.manifest.v1+json"

const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf("{}"), size: 2 }

export const manifestOf = (name: string): string =>
  JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [], annotations: { name } })

/** Pushes the configuration that all of them have. */
export const pushConfig = push("{}")

/** Pushes a manifest under a tag or under its digest, and returns the status. */
export const pushManifest = (reference: string, name: string) =>
  Effect.map(
    askAsAdmin("PUT", `/v2/a/manifests/${reference}`, {
      body: HttpBody.uint8Array(Buffer.from(manifestOf(name)), mediaType)
    }),
    ({ status }) => status
  )
