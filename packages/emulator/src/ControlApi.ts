/**
 * The API that controls an emulator from another process, in any language.
 *
 * `Control` serves it. `make` is the typed client. Its OpenAPI document is at `/openapi.json` of a running emulator,
 * and docs/emulator-control.md shows it in use from a shell, Python and Go.
 *
 * @since 0.1.0
 */
import { Digest } from "@effect-acr/client/Digest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as OpenApi from "effect/http-api/OpenApi"
import type * as HttpClient from "effect/http/HttpClient"
import { RepositoryContents, RepositorySummary } from "./Contents.ts"
import { Fault, Injected } from "./Fault.ts"
import * as EmulatorClock from "./internal/clock.ts"
import { JournalEntry } from "./Journal.ts"
import { SeedImage } from "./SeedImage.ts"
import { Limits, Modes, ModesChange } from "./Modes.ts"

/**
 * The emulator is not ready yet: it is still storing the images that it starts with.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotReady extends HttpApiError.Problem<NotReady>()("NotReady", {
  type: "about:blank",
  status: 503,
  title: "The emulator does not have all of its images yet"
}) {}

/**
 * The fault or repository does not exist.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", {
  type: "about:blank",
  status: 404,
  title: "There is no such fault or repository"
}) {}

/**
 * The seed cannot be put into the registry. `detail` says why.
 *
 * @category errors
 * @since 0.1.0
 */
export class SeedRefused extends HttpApiError.Problem<SeedRefused>()("SeedRefused", {
  type: "about:blank",
  status: 422,
  title: "The seed cannot be put into the registry"
}) {}

/**
 * Where an emulator listens, and how to reach it. Contains no passwords or tokens.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Emulator = Schema.Struct({
  /** The origin of the registry. */
  endpoint: Schema.String,
  /** Its host and port, as they stand in references. */
  loginServer: Schema.String,
  /** The certificate to trust, in PEM, if the emulator serves https. */
  certificate: Schema.optionalKey(Schema.String),
  /** The name of the admin user. */
  adminUser: Schema.String,
  /** How many uploads were started and neither finished nor cancelled. */
  openUploads: Schema.Natural
})

export type Emulator = typeof Emulator.Type

const TimeToSet = Schema.DateTimeUtcFromString.check(
  Schema.makeFilter((time: DateTime.Utc) => EmulatorClock.isWithin(DateTime.toEpochMillis(time)), {
    expected: "a time of the years 1 to 9999"
  })
)

const TimeToMoveBy = Schema.DurationFromString.check(
  Schema.makeFilter(Duration.isFinite, { expected: "a time that ends" })
)

const group = HttpApiGroup.make("control", { topLevel: true }).add(
  HttpApiEndpoint.get("health", "/health", {
    success: Schema.Struct({ status: Schema.Literal("healthy") })
  }).annotate(OpenApi.Description, "Responds as soon as the emulator listens"),
  HttpApiEndpoint.get("ready", "/ready", {
    success: Schema.Struct({ status: Schema.Literal("ready") }),
    error: NotReady
  }).annotate(
    OpenApi.Description,
    "Responds with 200 once the emulator has the images that it starts with, with 503 before"
  ),
  HttpApiEndpoint.get("emulator", "/emulator", { success: Emulator }).annotate(
    OpenApi.Description,
    "Where the emulator listens"
  ),
  HttpApiEndpoint.post("seed", "/seed", {
    payload: SeedImage,
    success: Schema.Struct({ digest: Digest }),
    error: SeedRefused
  }).annotate(OpenApi.Description, "Puts an image into the registry without a request"),
  HttpApiEndpoint.post("reset", "/reset", { error: SeedRefused }).annotate(
    OpenApi.Description,
    "Restores the state at the start, and responds when that is done"
  ),

  HttpApiEndpoint.get("faults", "/faults", { success: Schema.Array(Injected) }).annotate(
    OpenApi.Description,
    "The faults that were injected and not removed, in order"
  ),
  HttpApiEndpoint.post("inject", "/faults", {
    payload: Fault,
    success: Schema.Struct({ id: Schema.Natural })
  }).annotate(OpenApi.Description, "Injects a fault"),
  HttpApiEndpoint.delete("removeFault", "/faults/:id", {
    params: { id: Schema.Natural },
    error: NotFound
  }).annotate(OpenApi.Description, "Removes one fault"),
  HttpApiEndpoint.delete("clearFaults", "/faults").annotate(OpenApi.Description, "Removes all faults"),

  HttpApiEndpoint.get("journal", "/journal", {
    query: { after: Schema.optionalKey(Schema.Natural) },
    success: Schema.Array(JournalEntry)
  }).annotate(OpenApi.Description, "The requests to the emulator, or those after a sequence number"),
  HttpApiEndpoint.delete("clearJournal", "/journal").annotate(OpenApi.Description, "Clears the journal"),

  HttpApiEndpoint.get("clock", "/clock", {
    success: Schema.Struct({ time: Schema.DateTimeUtcFromString })
  }).annotate(OpenApi.Description, "The time of the emulator's clock"),
  HttpApiEndpoint.put("setClock", "/clock", {
    payload: Schema.Struct({ time: TimeToSet })
  }).annotate(OpenApi.Description, "Sets the clock of the emulator, which then runs on"),
  HttpApiEndpoint.post("adjustClock", "/clock/adjust", {
    payload: Schema.Struct({ by: TimeToMoveBy })
  }).annotate(OpenApi.Description, 'Moves the clock of the emulator by a duration, such as "8 days"'),

  HttpApiEndpoint.get("modes", "/modes", { success: Modes }).annotate(
    OpenApi.Description,
    "The modes of the emulator: which features of a registry it has"
  ),
  HttpApiEndpoint.patch("setModes", "/modes", { payload: ModesChange, success: Modes }).annotate(
    OpenApi.Description,
    "Changes the modes that are named, and returns all"
  ),
  HttpApiEndpoint.get("limits", "/limits", { success: Limits }).annotate(
    OpenApi.Description,
    "The rate limits of the emulator, in requests per minute"
  ),
  HttpApiEndpoint.put("setLimits", "/limits", { payload: Limits, success: Limits }).annotate(
    OpenApi.Description,
    "Sets the rate limits of the emulator, in requests per minute"
  ),

  HttpApiEndpoint.delete("revokeAccessTokens", "/tokens/access").annotate(
    OpenApi.Description,
    "Revokes all access tokens. Requests with one of them fail with 401"
  ),
  HttpApiEndpoint.delete("revokeRefreshTokens", "/tokens/refresh").annotate(
    OpenApi.Description,
    "Revokes all refresh tokens. Their clients must log in again"
  ),

  HttpApiEndpoint.get("repositories", "/repositories", { success: Schema.Array(RepositorySummary) }).annotate(
    OpenApi.Description,
    "The repositories, by name"
  ),
  HttpApiEndpoint.get("contents", "/contents", {
    query: { repository: Schema.String },
    success: RepositoryContents,
    error: NotFound
  }).annotate(OpenApi.Description, "The tags and the manifests of a repository")
)

/**
 * The operations of `Service` of `AcrEmulator` over HTTP.
 *
 * **Details**
 *
 * Requests and responses are JSON. An invalid request fails with 400 and a problem (RFC 9457) that names the place.
 * Unknown names are refused too, so that a misspelt one is noticed.
 *
 * **Gotchas**
 *
 * The API has no login: every client that reaches the port controls the emulator. The port is on loopback unless
 * `Control.layer` has another `host`. Requests of web pages of other origins are refused.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Api = HttpApi.make("acr-emulator")
  .add(group)
  .middleware(HttpApiMiddleware.ProblemDetails)
  .annotate(HttpApi.ParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotate(HttpApi.HeadersParseOptions, {})
  .annotate(OpenApi.Title, "ACR emulator")
  .annotate(OpenApi.Description, "Controls an emulator of Azure Container Registry")

/**
 * A client of the API.
 *
 * @category models
 * @since 0.1.0
 */
export type ControlClient = HttpApiClient.ForApi<typeof Api>

/**
 * Makes a typed client of the control API at an address.
 *
 * **Example** (A test of another process: a registry that is down once)
 *
 * ```ts
 * import { ControlApi } from "@effect-acr/emulator"
 * import { Effect } from "effect"
 *
 * const breakOnce = Effect.gen(function* () {
 *   const control = yield* ControlApi.make("http://127.0.0.1:5002")
 *   yield* control.reset()
 *   yield* control.inject({
 *     payload: { method: "GET", path: "/v2/", consequence: { _tag: "Answer", status: 503 } }
 *   })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (baseUrl: string | URL): Effect.Effect<ControlClient, never, HttpClient.HttpClient> =>
  HttpApiClient.make(Api, { baseUrl })
