/**
 * A web page with the progress of a run, and the same as JSON.
 *
 * It is read-only and has no login. It shows names of repositories and messages of registries.
 *
 * @since 0.1.0
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { guarded } from "./internal/status/guard.ts"
import { page } from "./internal/status/page.ts"
import { Progress } from "./MigrationProgress.ts"

/**
 * What a status page shows.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The name of the run. */
  readonly name: string
  /** The progress of the run: `current` of a `MigrationProgress.Tracker`. */
  readonly progress: Effect.Effect<Progress>
  /**
   * Host names under which browsers reach the page, besides `localhost` and IP addresses. Requests for other names are refused:
   * otherwise a web page whose name resolves to this machine could read the page.
   */
  readonly hosts?: ReadonlyArray<string>
}

/**
 * Where a status page is served.
 *
 * @category options
 * @since 0.1.0
 */
export interface ServeOptions extends Options {
  /** The address to listen on. Defaults to `127.0.0.1`: there is no login. */
  readonly host?: string
  /** The port to listen on. Defaults to any free port. */
  readonly port?: number
}

const encode = Schema.encodeEffect(Schema.fromJsonString(Progress))

/** The path of the JSON relative to the page: below the page's own path, whether that ends with a slash or not. */
const jsonFrom = (url: string): string => {
  const path = url.replace(/[?#].*$/s, "")
  return path.endsWith("/") ? "status.json" : `${path.slice(path.lastIndexOf("/") + 1)}/status.json`
}

const shown = ({ name, progress }: Options) =>
  Effect.gen(function* () {
    const { originalUrl } = yield* HttpServerRequest.HttpServerRequest
    const text = page({ name, progress: yield* progress, json: jsonFrom(originalUrl) })
    return HttpServerResponse.text(text, { contentType: "text/html; charset=utf-8" })
  })

const asJson = ({ progress }: Options) =>
  progress.pipe(
    Effect.flatMap(encode),
    Effect.orDie,
    Effect.map((text) => HttpServerResponse.text(`${text}\n`, { contentType: "application/json" }))
  )

/**
 * Adds the page to your router, at `/`, and its data as JSON, a `MigrationProgress.Progress`, at `/status.json`.
 *
 * **When to use**
 *
 * Use when your program serves HTTP already. `serve` needs no server of your own.
 *
 * **Details**
 *
 * With `prefix` "/migration" they are at `/migration` and `/migration/status.json`. The page loads nothing from
 * other servers and refreshes itself every three seconds. Requests for other hosts and from other origins are refused.
 *
 * **Example** (Serving the page beside other routes)
 *
 * ```ts
 * import { Migration, MigrationProgress, type MigrationRules, StatusPage } from "@effect-acr/migration"
 * import { Effect, Layer, Stream } from "effect"
 * import { HttpRouter, HttpServerResponse } from "effect/http"
 *
 * export const move = (rules: MigrationRules.Rules) =>
 *   Effect.gen(function* () {
 *     const { current, note } = yield* MigrationProgress.track
 *     const routes = Layer.mergeAll(
 *       StatusPage.routes({ name: "old-to-new", progress: current, prefix: "/migration" }),
 *       HttpRouter.add("GET", "/health", HttpServerResponse.text("healthy"))
 *     )
 *     yield* Effect.forkScoped(Layer.launch(HttpRouter.serve(routes)))
 *     yield* Stream.runForEach(Migration.run("old-to-new", rules), note)
 *   })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const routes = ({
  prefix,
  ...options
}: Options & {
  /** The prefix of both paths. Defaults to none. */
  readonly prefix?: string
}): Layer.Layer<never, never, HttpRouter.HttpRouter> => {
  const { hosts = [] } = options
  return HttpRouter.addAll(
    [
      HttpRouter.route("GET", "/", guarded(shown(options), hosts)),
      HttpRouter.route("GET", "/status.json", guarded(asJson(options), hosts))
    ],
    prefix === undefined ? {} : { prefix }
  )
}

/**
 * Serves the page on its own port until the scope closes, and returns its address, such as `http://127.0.0.1:8080`. Fails with
 * `ServeError` if the port is in use.
 *
 * **Example** (Running with a status page)
 *
 * ```ts
 * import { Migration, MigrationProgress, type MigrationRules, StatusPage } from "@effect-acr/migration"
 * import { Console, Effect, Stream } from "effect"
 *
 * export const move = (rules: MigrationRules.Rules) =>
 *   Effect.gen(function* () {
 *     const { current, note } = yield* MigrationProgress.track
 *     yield* Console.log(yield* StatusPage.serve({ name: "old-to-new", progress: current, port: 8080 }))
 *     yield* Stream.runForEach(Migration.run("old-to-new", rules), note)
 *   }).pipe(Effect.scoped)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const serve = ({
  host = "127.0.0.1",
  port = 0,
  ...options
}: ServeOptions): Effect.Effect<string, HttpServerError.ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    // A browser with the page open keeps its connection alive, so that a graceful shutdown would wait for it.
    const listening = NodeHttpServer.layer(createServer, { host, port, gracefulShutdownTimeout: "1 second" })
    const services = yield* Layer.build(listening)
    return yield* Effect.provideContext(
      Effect.gen(function* () {
        const server = yield* HttpServer.HttpServer
        const app = yield* HttpRouter.toHttpEffect(routes(options))
        yield* server.serve(app)
        return HttpServer.formatAddress(server.address)
      }),
      services
    )
  })
