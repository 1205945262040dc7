/**
 * The services of the verbs: registries by flags and stored logins, and files.
 */
import type * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeHasher from "@effect-acr/node/NodeHasher"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stdio from "effect/Stdio"
import * as Login from "./login.ts"
import * as Output from "./output.ts"
import * as Progress from "./progress/progress.ts"
import { shownRequests } from "./requests.ts"
import { settings, type Settings } from "./settings.ts"

/** Loopback names and addresses (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3). */
const loopback = /^(?:localhost|(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

const isPlain = (loginServer: string, plainHttp: boolean | undefined): boolean =>
  plainHttp ?? loopback.test(loginServer)

/** The options of one registry. The flag sends the login without protection. */
const optionsOf =
  ({ plainHttp }: Settings) =>
  (loginServer: string): Partial<RegistryContent.Options> =>
    isPlain(loginServer, plainHttp) ? { endpoint: `http://${loginServer}`, allowInsecureHttp: true } : {}

/** The retry policy. The progress of a transfer shows the waits that the registry requests. */
const shownWaits = (
  policy: RetryPolicy.RetryPolicy,
  tell: (text: string) => Effect.Effect<void>
): RetryPolicy.RetryPolicy => ({
  ...policy,
  schedule: Schedule.tap(policy.schedule, ({ input }) => Progress.noteWait(input, tell))
})

/** Reports a wait on a terminal, where a user would otherwise see nothing happen. */
const tellingWaits = ({ isQuiet }: Settings) =>
  Effect.map(Effect.context<Stdio.Stdio>(), (context) => (text: string) => {
    const telling = Effect.flatMap(Stdio.Stdio, ({ stderrIsTerminal }) =>
      Effect.when(
        Output.tell(text),
        Effect.map(stderrIsTerminal, (isTerminal) => isTerminal && !isQuiet)
      )
    )
    return Effect.asVoid(Effect.provideContext(telling, context))
  })

const httpClient = ({ caFile, verbosity }: Settings) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const ca = caFile === undefined ? [] : [yield* files.readFileString(caFile)]
      return NodeRegistryHttpClient.layerOptions({ ca })
    })
  ).pipe(shownRequests(verbosity))

/** Registries with stored logins. `more` adds options for some of them. */
export const registriesWith = <E, R>(
  login: Layer.Layer<Credentials.Credentials, E, R>,
  policy = RetryPolicy.defaultPolicy,
  more: (loginServer: string) => Partial<RegistryContent.Options> = () => ({})
) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const set = yield* settings
      return Registries.layerOptions({
        registries: (loginServer) => ({ ...optionsOf(set)(loginServer), ...more(loginServer) }),
        retry: shownWaits(policy, yield* tellingWaits(set))
      }).pipe(Layer.provide([login, httpClient(set)]))
    })
  )

/**
 * The services of all verbs, with a login. The logins of docker are built first, so that everything in a verb shares them: a
 * credential helper that did not answer is then not waited for again.
 */
const layerOf = <E, R>(login: Layer.Layer<Credentials.Credentials, E, R>, policy = RetryPolicy.defaultPolicy) =>
  Layer.mergeAll(registriesWith(login, policy), NodeCompression.layer, NodeHasher.layer).pipe(
    Layer.provide(DockerConfig.layer)
  )

export const layer = layerOf(Login.layer)

/** Registries with options for each of them, such as limits of requests. */
export const registriesBy = (more: (loginServer: string) => Partial<RegistryContent.Options>) =>
  registriesWith(Login.layer, RetryPolicy.defaultPolicy, more)

/** Without retries, for the doctor: a retry would hide the fault that it looks for. */
export const layerWithoutRetries = layerOf(Login.layer, RetryPolicy.never)

/** Without the login of Azure, which takes longer than a completion may. */
export const layerWithoutAzure = layerOf(Login.withoutAzure)
