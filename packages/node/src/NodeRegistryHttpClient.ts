/**
 * The HTTP client for registries on Node.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import type * as HttpClient from "effect/http/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"

/**
 * How connections are made.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * Certificates of authorities to trust instead of Node's own, in PEM: for a registry whose certificate a company or
   * a test has signed itself.
   */
  readonly ca?: string | ReadonlyArray<string>
}

/**
 * A client on Node's own undici: connections are kept alive, redirects are left to the library, and blobs go over
 * HTTP/1.1, because one flow-control window for everything makes HTTP/2 many times slower there.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (options: Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  NodeHttpClient.layerUndiciOptions({
    allowH2: false,
    ...(options.ca === undefined
      ? {}
      : { connect: { ca: typeof options.ca === "string" ? options.ca : [...options.ca] } })
  })

/**
 * `layerOptions` with nothing set.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = layerOptions()
