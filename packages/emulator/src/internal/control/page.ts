/**
 * The page for people: files that the control API serves beside itself, and that need nothing of elsewhere.
 */
import { existsSync, readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { problem } from "./guard.ts"

/** By the ends of names. Others are not served. */
const contentTypes: { readonly [extension: string]: string } = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml"
}

/**
 * The folder of the page, for the address of this module. It may be the source, built, or bundled with the rest of the
 * package, so the nearest package.json decides. A program of another package that is bundled with the emulator has no page.
 */
export const folderOf = (module: string): URL | undefined => {
  for (let folder = new URL("./", module); ; folder = new URL("../", folder)) {
    const manifest = new URL("package.json", folder)
    if (existsSync(manifest)) {
      const isOurs = /"name"\s*:\s*"@effect-acr\/emulator"/.test(readFileSync(manifest, "utf8"))
      return isOurs ? new URL("page/", folder) : undefined
    }
    if (folder.pathname === "/" || new URL("../", folder).href === folder.href) return undefined
  }
}

const notFound = problem(404, "The control API has nothing at this path")

/** One file. Its name has no slash, so that it is in the folder. */
const file = (name: string): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.suspend(() => {
    const contentType = contentTypes[/^[a-z]+\.([a-z]+)$/.exec(name)?.[1] ?? ""]
    const folder = folderOf(import.meta.url)
    if (contentType === undefined || folder === undefined) return Effect.succeed(notFound)
    return Effect.tryPromise(() => readFile(fileURLToPath(new URL(name, folder)))).pipe(
      Effect.map((bytes) => HttpServerResponse.uint8Array(bytes, { contentType })),
      Effect.orElseSucceed(() => notFound)
    )
  })

/** Without HEAD, which the router takes for GET where HEAD has no route of its own. */
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const

/** The page at `/`, its other files under `/page`, and an answer for what is neither theirs nor the API's. */
export const page = Layer.mergeAll(
  HttpRouter.add("GET", "/", file("index.html")),
  HttpRouter.add(
    "GET",
    "/page/:name",
    Effect.flatMap(HttpRouter.params, ({ name = "" }) => file(name))
  ),
  HttpRouter.addAll(methods.map((method) => HttpRouter.route(method, "/*", notFound)))
)
