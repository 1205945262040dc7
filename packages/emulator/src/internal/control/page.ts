/**
 * The page for people: files that the control API serves, and that load nothing from elsewhere.
 */
import { existsSync, readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { problem } from "./guard.ts"

/** The types of files, by the extension. Others are not served. */
const contentTypes: { readonly [extension: string]: string } = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml"
}

/**
 * The folder of the page, from the address of this module. The module may be the source, built, or bundled with the
 * rest of the package, so the nearest package.json decides. A program of another package that bundles the emulator has
 * no page.
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

/** One file. Its name has no slash, so it is in the folder. */
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

/** Without HEAD, which the router handles as GET if there is no route for HEAD. */
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const

/** The page at `/`, its other files under `/page`, and an answer for all paths that neither they nor the API have. */
export const page = Layer.mergeAll(
  HttpRouter.add("GET", "/", file("index.html")),
  HttpRouter.add(
    "GET",
    "/page/:name",
    Effect.flatMap(HttpRouter.params, ({ name = "" }) => file(name))
  ),
  HttpRouter.addAll(methods.map((method) => HttpRouter.route(method, "/*", notFound)))
)
