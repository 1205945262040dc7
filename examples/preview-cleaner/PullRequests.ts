/**
 * What is known of pull requests: at GitHub, or whatever a test says.
 */
import { Config, Context, Data, type DateTime, Effect, Layer, Option, Redacted, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"

export class PullRequestsUnavailable extends Data.TaggedError("PullRequestsUnavailable")<{
  readonly number: number
  readonly cause: unknown
}> {}

export class PullRequests extends Context.Service<
  PullRequests,
  {
    /** When a pull request was closed, merged or not; none while it is open. */
    readonly closedAt: (number: number) => Effect.Effect<Option.Option<DateTime.Utc>, PullRequestsUnavailable>
  }
>()("preview-cleaner/PullRequests") {}

const PullRequest = Schema.Struct({ closed_at: Schema.NullOr(Schema.DateTimeUtcFromString) })

/** Asks GitHub, by the variables that its workflows have. */
export const layerGitHub = Layer.effect(
  PullRequests,
  Effect.gen(function* () {
    const api = yield* Config.String("GITHUB_API_URL").pipe(Config.withDefault("https://api.github.com"))
    const repository = yield* Config.String("GITHUB_REPOSITORY")
    const token = yield* Config.Redacted("GITHUB_TOKEN")
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.mapRequest(HttpClientRequest.bearerToken(Redacted.value(token))),
      HttpClient.filterStatusOk
    )
    return {
      closedAt: (number) =>
        client.get(`${api}/repos/${repository}/pulls/${number}`).pipe(
          Effect.flatMap(HttpClientResponse.schemaBodyJson(PullRequest)),
          Effect.map(({ closed_at }) => Option.fromNullishOr(closed_at)),
          Effect.mapError((cause) => new PullRequestsUnavailable({ number, cause }))
        )
    }
  })
)
