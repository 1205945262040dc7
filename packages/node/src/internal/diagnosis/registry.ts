/**
 * The steps of a diagnosis that check the kind of the registry, and whether it accepts the login.
 */
import * as Operation from "@effect-acr/client/Operation"
import type * as Transport from "@effect-acr/client/Transport"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { failed, ok, type Outcome, refused, skipped } from "./step.ts"

/** The registry's response to an anonymous request. */
export interface Greeting {
  readonly challenge: string
  readonly date: Option.Option<DateTime.Utc>
}

/** Sent to the origin and not to the registry, so that it carries neither a login nor a token. */
const greet = (transport: Transport.Service) =>
  transport.execute(
    Operation.get("/v2/", {
      name: "Diagnosis.greet",
      origin: transport.endpoint,
      success: [200, 401],
      decode: ({ headers }): Effect.Effect<Greeting> =>
        Effect.succeed({
          challenge: headers["www-authenticate"] ?? "",
          date: DateTime.make(headers["date"] ?? "")
        })
    })
  )

const parameter = (challenge: string, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1]

const apiOutcome = (endpoint: string, { challenge }: Greeting): Outcome => {
  if (challenge === "") return ok("no login is required at /v2/")
  const realm = parameter(challenge, "realm")
  const service = parameter(challenge, "service")
  return ok(
    `login by ${/^\w+/.exec(challenge)?.[0] ?? "an unknown scheme"}`,
    ...(realm === undefined ? [] : [`realm ${realm}`]),
    ...(service === undefined ? [] : [`service ${service}`]),
    realm === `${endpoint}/oauth2/token` ? "Azure Container Registry" : "not Azure Container Registry"
  )
}

const apiAdvice = "check that the name is that of a registry: the server must answer at /v2/"

/** Advice for a registry that accepts connections and does not answer. */
export const silenceAdvice =
  "the server accepts connections and does not answer: try again later, and check what is in between, such as a proxy"

/** Checks the kind of the registry, and keeps its greeting for the steps `clock` and `login`. */
export const apiStep = (
  transport: Transport.Service,
  greeting: Ref.Ref<Option.Option<Greeting>>
): Effect.Effect<Outcome> =>
  Effect.matchEffect(greet(transport), {
    onFailure: (error) => Effect.succeed(refused(error, apiAdvice)),
    onSuccess: (found) => Effect.as(Ref.set(greeting, Option.some(found)), apiOutcome(transport.endpoint, found))
  })

/** Entra ID tolerates five minutes. */
const tolerated = Duration.minutes(5)

export const clockStep = (greeting: Option.Option<Greeting>): Effect.Effect<Outcome> =>
  Effect.map(DateTime.now, (now) => {
    const date = Option.flatMap(greeting, ({ date }) => date)
    if (Option.isNone(date)) return skipped("the registry does not state its time")
    const millis = DateTime.toEpochMillis(now) - DateTime.toEpochMillis(date.value)
    const seconds = Math.round(Math.abs(millis) / 1000)
    const difference = `${seconds} ${seconds === 1 ? "second" : "seconds"} ${millis < 0 ? "behind" : "ahead of"} the registry`
    return seconds <= Duration.toSeconds(tolerated)
      ? ok(difference)
      : failed(`the clock of this machine is ${difference}`, "set the clock: tokens and certificates depend on it")
  })

/** A registry that answers an anonymous request accepts any login, also a wrong one. */
export const loginStep = ({ check }: Transport.Service, greeting: Option.Option<Greeting>): Effect.Effect<Outcome> =>
  Effect.match(check, {
    onFailure: (error) => refused(error, "log in, or check which login is used: eacr login, eacr whoami"),
    onSuccess: () =>
      Option.exists(greeting, ({ challenge }) => challenge === "")
        ? ok("the registry requires no login, and did not check one")
        : ok("the registry accepts it")
  })
