/**
 * A page that shows how far a run is, for people with a browser, and the same as JSON.
 *
 * It has no login, writes nothing, and shows names of repositories and tags, and messages of registries.
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
  /** How far the run is: `current` of a `MigrationProgress.Tracker`. */
  readonly progress: Effect.Effect<Progress>
  /**
   * Host names by which browsers reach the page, besides `localhost` and addresses. A request for another name is refused,
   * since a web page whose name resolves to this machine could read it.
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
  /** The port to listen on. Defaults to any that is free. */
  readonly port?: number
}

const encode = Schema.encodeEffect(Schema.fromJsonString(Progress))

/** Where the JSON is, seen from the page: under the folder that the page itself is, also without a slash at the end. */
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
 * Adds the page to a router of your own, at `/`, and the same as JSON, a `MigrationProgress.Progress`, at `/status.json`.
 *
 * **Details**
 *
 * With `prefix` "/migration" they are at `/migration` and `/migration/status.json`. The page needs nothing of elsewhere, and
 * renews itself every three seconds. Requests for other hosts and from other origins are refused.
 *
 * **Example** (A page beside other routes)
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
  /** What the paths begin with. Defaults to nothing. */
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
 * Serves the page on a port of its own until the scope closes, and returns its address, such as `http://127.0.0.1:8080`. Fails
 * with `ServeError` if the port is taken.
 *
 * **Example** (A run with its page)
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
    // A browser that has the page open keeps its connection.
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
