/**
 * Serves the control API of an emulator, and its page, on a port of its own.
 *
 * **Example** (An emulator that a program in another language uses and controls)
 *
 * ```ts
 * import { AcrEmulator, Control } from "@effect-acr/emulator"
 * import { Effect, Layer } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { endpoint } = yield* AcrEmulator.AcrEmulator
 *   const control = yield* Control.Control
 *   return { REGISTRY: endpoint, CONTROL: control.endpoint }
 * }).pipe(Effect.provide(Control.layer().pipe(Layer.provideMerge(AcrEmulator.layer()))))
 * ```
 *
 * @since 0.1.0
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerError from "effect/http/HttpServerError"
import type { AcrEmulator } from "./AcrEmulator.ts"
import { Api } from "./ControlApi.ts"
import { guarded } from "./internal/control/guard.ts"
import { handlers } from "./internal/control/handlers.ts"
import { page } from "./internal/control/page.ts"

/**
 * A running control API.
 *
 * @category services
 * @since 0.1.0
 */
export class Control extends Context.Service<
  Control,
  {
    /** Its origin: `http://127.0.0.1:41235`. */
    readonly endpoint: string
  }
>()("@effect-acr/emulator/Control") {}

/**
 * The address of the control API.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * The address to listen on. Defaults to `127.0.0.1`. The API has no login: at another address, other machines can
   * control it.
   */
  readonly host?: string
  /** The port to listen on. Defaults to any free port. */
  readonly port?: number
  /**
   * Host names that clients use, besides `localhost` and addresses. A request for another name is refused, because a
   * web page whose name resolves to this machine could otherwise control the emulator.
   */
  readonly hosts?: ReadonlyArray<string>
}

const app = HttpRouter.toHttpEffect(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide(handlers),
    Layer.provide(HttpApiMiddleware.layerProblemDetails({ includeDetails: true })),
    Layer.merge(page)
  )
)

/**
 * Serves the control API of an emulator until the scope closes. Fails with `ServeError` if the port is taken.
 *
 * **When to use**
 *
 * Use to control an emulator from another process or another language. Tests in the same process use the service
 * `AcrEmulator`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Control, HttpServerError.ServeError, AcrEmulator> =>
  Layer.effect(
    Control,
    Effect.gen(function* () {
      const server = yield* HttpServer.HttpServer
      yield* server.serve(guarded(yield* app, options.hosts ?? []))
      return { endpoint: HttpServer.formatAddress(server.address) }
    })
  ).pipe(
    Layer.provide(
      NodeHttpServer.layer(createServer, {
        host: options.host ?? "127.0.0.1",
        port: options.port ?? 0,
        // A browser that has the page open keeps its connection.
        gracefulShutdownTimeout: "1 second"
      })
    )
  )
