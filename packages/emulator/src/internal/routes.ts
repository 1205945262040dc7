/**
 * The table of the protocol: method, path, required rights, and handler.
 */
import { RepositoryName } from "@effect-acr/client/RepositoryName"
import * as Schema from "effect/Schema"
import type { Modes } from "../Modes.ts"
import type { Right } from "./access.ts"
import { type Answer, error, json, text } from "./answer.ts"
import { readAll } from "./bodies.ts"
import { maxManifestBytes } from "./description.ts"
import type { Distribution } from "./distribution.ts"
import type { Management, Update } from "./management.ts"
import { type Part, partOf } from "./page.ts"
import type { Incoming } from "./serving.ts"
import * as Storage from "./storage.ts"
import type { Trash } from "./trash.ts"
import type { Uploads } from "./uploads.ts"

/** The parts of a request that handlers need. */
export interface Request extends Incoming {
  /** Percent-decoded. */
  readonly path: string
  readonly nowMillis: number
  readonly stamp: string
  /** Whether the caller has a right besides those that the route requires. */
  readonly may: (right: Right) => boolean
  /** Whether the caller has the roles for manifests in quarantine. */
  readonly mayQuarantine: boolean
}

const isRepositoryName = Schema.is(RepositoryName)

type Names = readonly [first: string, second: string]

interface Route {
  readonly method: string
  readonly pattern: RegExp
  readonly rights: (names: Names) => ReadonlyArray<Right>
  readonly handle: (request: Request, names: Names) => Answer | Promise<Answer>
}

type Row = readonly [
  method: Route["method"],
  pattern: Route["pattern"],
  rights: Route["rights"],
  handle: Route["handle"]
]

/** A route with the names in its path. */
export interface Match {
  readonly rights: ReadonlyArray<Right>
  /** The rights that a challenge names, including those that the route uses but does not require. */
  readonly wanted: ReadonlyArray<Right>
  readonly handle: (request: Request) => Answer | Promise<Answer>
}

const repository =
  (...actions: ReadonlyArray<string>): Route["rights"] =>
  ([name]) =>
    actions.map((action) => ({ type: "repository", name, action }))

const registry =
  (name: string): Route["rights"] =>
  () => [{ type: "registry", name, action: "*" }]

const catalog = registry("catalog")
const deletedCatalog = registry("deleted_catalog")

const readUpdate = async (body: AsyncIterable<Uint8Array>): Promise<Update | undefined> => {
  try {
    const update: unknown = JSON.parse((await readAll(body, 65_536)).toString("utf8"))
    return typeof update === "object" && update !== null ? { ...update } : undefined
  } catch {
    return undefined
  }
}

/**
 * The patterns of the end of a path. For other texts there is no route: ACR answers them as an unknown path, before it
 * requires a login (azure-sdk-for-go, recordings TestClient_GetManifestProperties_wrongDigest and
 * TestBlobClient/GetBlob_fail). The patterns are those of the registry of the distribution project, which ACR is based
 * on.
 */
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
const tag = String.raw`\w[\w.-]{0,127}`
const reference = `${tag}|${digest}`

const under = (root: string, list: string, item: string): RegExp => new RegExp(`^${root}/(.+)/${list}/(${item})$`)

const aManifest = under("/v2", "manifests", reference)
const aBlob = under("/v2", "blobs", digest)
const aTag = under("/acr/v1", "_tags", tag)
const aManifestOf = under("/acr/v1", "_manifests", digest)
const aDeletedManifest = under("/acr/v1/_deleted", "_manifests", digest)

/** ACR deletes tags only by its own API. */
const notByTag = error(405, "UNSUPPORTED", "A manifest can only be deleted by digest.")

const unreadable = error(400, "UNSUPPORTED", "the body is not the JSON of changeable attributes")

const unreadableRestore = error(400, "UNSUPPORTED", "the body is not a JSON object with a tag")

/** RFC 9110, section 15.5.6. The code is that of OCI for unsupported operations. */
const methodNotAllowed = (methods: ReadonlySet<string>): Answer => {
  const answer = error(405, "UNSUPPORTED", "the operation is unsupported")
  return { ...answer, headers: { ...answer.headers, Allow: Array.from(methods).toSorted().join(", ") } }
}

/** A handler of a list in pages, whose query selects the page. */
const inPages =
  (list: (part: Part, names: Names, request: Request) => Answer): Route["handle"] =>
  (request, names) => {
    const part = partOf(request.query)
    return "status" in part ? part : list(part, names, request)
  }

const update =
  (change: (names: Names, update: Update, request: Request) => Answer): Route["handle"] =>
  async (request, names) => {
    const body = await readUpdate(request.body)
    return body === undefined ? unreadable : change(names, body, request)
  }

/** The right that a mount requires on the repository that holds the blob. */
const mountRights = (name: string, query: URLSearchParams): ReadonlyArray<Right> => {
  const from = query.get("from")
  return query.has("mount") && from !== null && from !== name && isRepositoryName(from)
    ? [{ type: "repository", name: from, action: "pull" }]
    : []
}

const pullOf = ({ headers, mayQuarantine, nowMillis }: Request) => ({
  accept: headers["accept"],
  ifNoneMatch: headers["if-none-match"],
  mayQuarantine,
  nowMillis
})

const uploadOf = ({ body, headers, query, stamp }: Request) => ({
  query,
  contentRange: headers["content-range"],
  contentLength: headers["content-length"],
  body,
  stamp
})

export const make = (parts: {
  readonly management: Management
  readonly trash: Trash
  readonly distribution: Distribution
  readonly uploads: Uploads
  readonly modes: () => Pick<Modes, "referrers">
  /** The address that a blob is downloaded from. Undefined for the registry itself. */
  readonly downloadAddress: (digest: string, nowMillis: number) => string | undefined
}) => {
  const { distribution, downloadAddress, management, modes, trash, uploads } = parts

  const getBlob: Route["handle"] = ({ headers, nowMillis }, [name, digest]) => {
    const blob = distribution.readableBlob(name, digest)
    if ("status" in blob) return blob
    const address = downloadAddress(digest, nowMillis)
    return address === undefined
      ? Storage.serve(blob, headers["range"], { "Docker-Content-Digest": digest })
      : text(307, "", { Location: address, "Docker-Content-Digest": digest })
  }

  const headBlob: Route["handle"] = (_, [name, digest]) => {
    const blob = distribution.readableBlob(name, digest)
    if ("status" in blob) return blob
    const headers = {
      "Content-Type": "application/octet-stream",
      "Content-Length": String(blob.size),
      "Docker-Content-Digest": digest
    }
    return { status: 200, headers, body: undefined }
  }

  const startUpload: Route["handle"] = (request, [name]) => {
    const mount = request.query.get("mount")
    const from = request.query.get("from")
    if (mount !== null && from !== null && request.may({ type: "repository", name: from, action: "pull" })) {
      const mounted = uploads.mount(name, mount, from, request.stamp)
      if (mounted !== undefined) return mounted
    }
    return uploads.start(name, uploadOf(request))
  }

  const pull = repository("pull")
  const push = repository("pull", "push")
  const remove = repository("delete")
  const read = repository("metadata_read")
  const write = repository("metadata_write")
  const readDeleted = repository("deleted_read")
  const restoreDeleted = repository("deleted_read", "deleted_restore")

  const putManifest: Route["handle"] = async ({ body, headers, stamp }, [name, reference]) => {
    const bytes = await readAll(body, maxManifestBytes)
    const conditions = { ifMatch: headers["if-match"], ifNoneMatch: headers["if-none-match"] }
    return distribution.putManifest(name, reference, headers["content-type"], bytes, stamp, conditions)
  }

  /** The Azure CLI sends `True` or `False`, and `null` for no tag. */
  const restore: Route["handle"] = async ({ body, query, stamp }, [name, digest]) => {
    const fields = await readUpdate(body)
    const tag = fields?.["tag"] ?? undefined
    if (fields === undefined || (tag !== undefined && typeof tag !== "string")) return unreadableRestore
    return trash.restore(name, digest, { force: query.get("force")?.toLowerCase() === "true", now: stamp, tag })
  }

  const deleteManifest: Route["handle"] = ({ stamp }, [name, reference]) =>
    reference.includes(":") ? management.deleteManifest(name, reference, stamp) : notByTag

  const listReferrers: Route["handle"] = ({ path, query }, [name, digest]) =>
    distribution.referrers(path, name, digest, query)

  // prettier-ignore
  const table: ReadonlyArray<Row> = [
    ["GET",    /^\/v2\/?$/,                            () => [], () => json(200, {})],
    ["HEAD",   /^\/v2\/?$/,                            () => [], () => json(200, {})],
    ["GET",    /^\/v2\/_catalog$/,                     catalog, inPages((part, _, { path }) => management.catalog(path, part))],
    ["GET",    /^\/v2\/(.+)\/tags\/list$/,             read,   inPages((part, [name]) => distribution.tags(name, part))],
    ["GET",    /^\/v2\/(.+)\/referrers\/([^/]+)$/,   pull,   listReferrers],
    ["GET",    aManifest,                              pull,   (request, [name, reference]) => distribution.getManifest(name, reference, pullOf(request))],
    ["HEAD",   aManifest,                              pull,   (request, [name, reference]) => distribution.headManifest(name, reference, pullOf(request))],
    ["PUT",    aManifest,                              push,   putManifest],
    ["DELETE", aManifest,                              remove, deleteManifest],
    ["POST",   /^\/v2\/(.+)\/blobs\/uploads\/$/,       push,   startUpload],
    ["GET",    /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, pull,  (_, [name, id]) => uploads.status(name, id)],
    ["PATCH",  /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, push,  (request, [name, id]) => uploads.chunk(name, id, uploadOf(request))],
    ["PUT",    /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, push,  (request, [name, id]) => uploads.commit(name, id, uploadOf(request))],
    ["DELETE", /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, remove, (_, [name, id]) => uploads.cancel(name, id)],
    ["GET",    aBlob,                                  pull,   getBlob],
    ["HEAD",   aBlob,                                  pull,   headBlob],
    ["DELETE", aBlob,                                  remove, (_, [name, digest]) => distribution.deleteBlob(name, digest)],
    ["GET",    /^\/acr\/v1\/_catalog$/,                catalog, inPages((part, _, { path }) => management.catalog(path, part))],
    // Names of repositories never begin with an underscore.
    ["GET",    /^\/acr\/v1\/_deleted\/_catalog$/,     deletedCatalog, inPages((part) => trash.repositories(part))],
    ["GET",    /^\/acr\/v1\/_deleted\/(.+)\/_manifests$/, readDeleted, inPages((part, [name]) => trash.manifests(name, part))],
    ["GET",    /^\/acr\/v1\/_deleted\/(.+)\/_tags$/,   readDeleted, inPages((part, [name]) => trash.tags(name, part))],
    ["POST",   aDeletedManifest,                      restoreDeleted, restore],
    ["GET",    /^\/acr\/v1\/(.+)\/_tags$/,             read,   inPages((part, [name], { query }) => management.tags(name, part, query.get("digest") ?? undefined))],
    ["GET",    aTag,                                   read,   (_, [name, tag]) => management.getTag(name, tag)],
    ["PATCH",  aTag,                                   write,  update(([name, tag], body) => management.updateTag(name, tag, body))],
    ["DELETE", aTag,                                   remove, ({ stamp }, [name, tag]) => management.deleteTag(name, tag, stamp)],
    ["GET",    /^\/acr\/v1\/(.+)\/_manifests$/,        read,   inPages((part, [name]) => management.manifests(name, part))],
    ["GET",    aManifestOf,                            read, (_, [name, digest]) => management.getManifest(name, digest)],
    ["PATCH",  aManifestOf,                            write, update(([name, digest], body, { mayQuarantine }) => management.updateManifest(name, digest, body, mayQuarantine))],
    ["GET",    /^\/acr\/v1\/(.+)$/,                    read,   (_, [name]) => management.getRepository(name)],
    ["PATCH",  /^\/acr\/v1\/(.+)$/,                    write,  update(([name], body) => management.updateRepository(name, body))],
    ["DELETE", /^\/acr\/v1\/(.+)$/,                    remove, ({ stamp }, [name]) => management.deleteRepository(name, stamp)]
  ]

  return {
    /** The route of a request, if there is one, or the refusal if its path has only other methods. */
    find: (method: string, path: string, query: URLSearchParams): Match | Answer | undefined => {
      const others = new Set<string>()
      for (const [routeMethod, pattern, rightsOf, handle] of table) {
        // A registry without the API does not know the path at all.
        if (handle === listReferrers && !modes().referrers.api) continue
        const found = pattern.exec(path)
        if (found === null || (found[1] !== undefined && !isRepositoryName(found[1]))) continue
        if (routeMethod !== method) {
          others.add(routeMethod)
          continue
        }
        const names: Names = [found[1] ?? "", found[2] ?? ""]
        const rights = rightsOf(names)
        return {
          rights,
          wanted: handle === startUpload ? [...rights, ...mountRights(names[0], query)] : rights,
          handle: (request) => handle(request, names)
        }
      }
      return others.size === 0 ? undefined : methodNotAllowed(others)
    }
  }
}

export type Routes = ReturnType<typeof make>
