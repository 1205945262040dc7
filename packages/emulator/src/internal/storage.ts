/**
 * The storage behind the registry: another host, to which downloads are redirected with a signed address that expires.
 */
import { createHmac, randomBytes } from "node:crypto"
import { type Answer, text } from "./answer.ts"
import type { Incoming } from "./serving.ts"
import type { Store } from "./store.ts"

/**
 * The host of the storage for a registry on a host: another one, as in ACR. Clients (those in Go) send their token also
 * to another port of the same host, and the storage refuses a token. Only `localhost` and `127.0.0.1` are two hosts
 * that every machine has.
 */
export const hostBeside = (host: string): string | undefined =>
  host === "127.0.0.1" ? "localhost" : host === "localhost" ? "127.0.0.1" : undefined

/** The lifetime of a signed address, as in ACR. */
export const linkLifetimeMillis = 20 * 60_000

const range = /^bytes=(\d+)-(\d*)$/

/** The bytes of a blob, or the part of them that a Range header requests. */
export const serve = (
  blob: { readonly file: string; readonly size: number },
  rangeHeader: string | undefined,
  headers: Answer["headers"]
): Answer => {
  const asked = rangeHeader === undefined ? null : range.exec(rangeHeader)
  const common = { "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", ...headers }
  if (asked === null) return { status: 200, headers: common, body: { file: blob.file, start: 0, end: blob.size } }
  const start = Number(asked[1])
  const end = Math.min(blob.size, asked[2] === "" ? blob.size : Number(asked[2]) + 1)
  if (start >= blob.size || end <= start) {
    return text(416, "the range is not within the blob", { "Content-Range": `bytes */${blob.size}` })
  }
  return {
    status: 206,
    headers: { ...common, "Content-Range": `bytes ${start}-${end - 1}/${blob.size}` },
    body: { file: blob.file, start, end }
  }
}

const refused = (status: number, code: string): Answer =>
  text(status, `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code></Error>`, {
    "Content-Type": "application/xml"
  })

export const make = (store: Store) => {
  const key = randomBytes(32)
  const sign = (path: string, expires: string): string =>
    createHmac("sha256", key).update(`${path}\n${expires}`).digest("base64url")

  return {
    /** Path and query of a download. */
    address: (digest: string, nowMillis: number): string => {
      const path = `/blobs/${digest.replace(":", "/")}/data`
      const expires = new Date(nowMillis + linkLifetimeMillis).toISOString()
      return `${path}?se=${encodeURIComponent(expires)}&sp=r&sig=${sign(path, expires)}`
    },

    download: ({ headers, path, query }: Incoming, nowMillis: number): Answer => {
      if (headers["authorization"] !== undefined) return refused(400, "InvalidAuthenticationInfo")
      const expires = query.get("se") ?? ""
      if (query.get("sig") !== sign(path, expires) || !(Date.parse(expires) > nowMillis)) {
        return refused(403, "AuthenticationFailed")
      }
      const blob = store.blobs.get(path.split("/").slice(2, 4).join(":"))
      return blob === undefined ? refused(404, "BlobNotFound") : serve(blob, headers["range"], {})
    }
  }
}
