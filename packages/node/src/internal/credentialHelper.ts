/**
 * Calls a docker credential helper: a program that keeps passwords for others.
 *
 * docker-credential-helpers, "Development": `docker-credential-<name> get` reads a server's address and answers with JSON,
 * `store` reads the same JSON with the server in it, `erase` reads the address. Each fails and says on its output why. What
 * it prints is a password, or may hold one, so nothing of it is repeated.
 */
import type { Password, RefreshToken } from "@effect-acr/client/Credentials"
import { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"

/** No password is longer. */
const maxOutputBytes = 1024 * 1024

const Answer = Schema.fromJsonString(Schema.Struct({ Username: Schema.String, Secret: Schema.String }))

const decodeAnswer = Schema.decodeUnknownOption(Answer)

/** What helpers print where they have nothing, which is no failure. */
const nothingThere = /credentials not found/i

/** With this user name a secret is a refresh token. */
const tokenUser = "<token>"

/** The program of a helper, if its name is one: it becomes part of a file name. */
const programOf = (name: string): string | undefined =>
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) ? `docker-credential-${name}` : undefined

/** The commands of a helper. */
type Action = "erase" | "get" | "store"

/** What a program printed, up to a limit, and how it ended. */
const run = (program: string, action: Action, input: string) =>
  Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const handle = yield* spawner.spawn(
      ChildProcess.make(program, [action], {
        stdin: Stream.make(new TextEncoder().encode(input)),
        stderr: "ignore",
        // One that does not listen is not asked twice.
        forceKillAfter: "500 millis"
      })
    )
    let size = 0
    const output = yield* handle.stdout.pipe(
      Stream.takeUntil((piece) => {
        size += piece.length
        return size > maxOutputBytes
      }),
      Stream.decodeText,
      Stream.mkString
    )
    if (size > maxOutputBytes) return { output: "", exitCode: 0 }
    return { output, exitCode: yield* handle.exitCode }
  }).pipe(Effect.scoped)

/** A helper, and how long it may take. */
export interface Helper {
  readonly name: string
  readonly timeout: Duration.Input
}

/** The program of a helper, in errors and where a login is said to come from. */
export const shownName = ({ name }: Pick<Helper, "name">): string => programOf(name) ?? "credential helper"

const unavailable = (helper: Helper, problem: CredentialUnavailable["problem"], description: string) =>
  new CredentialUnavailable({ credential: shownName(helper), problem, description })

/** What a helper printed. None if it has nothing for the server. */
const call = (
  helper: Helper,
  action: Action,
  input: string
): Effect.Effect<Option.Option<string>, CredentialUnavailable, ChildProcessSpawner.ChildProcessSpawner> => {
  const program = programOf(helper.name)
  if (program === undefined) {
    return Effect.fail(
      unavailable(helper, "Failed", "the configuration names a credential helper that can be no program")
    )
  }
  return run(program, action, input).pipe(
    Effect.mapError(({ reason }) =>
      reason._tag === "NotFound"
        ? unavailable(helper, "NotConfigured", "it is not installed")
        : unavailable(helper, "Failed", `it can't be run (${reason._tag})`)
    ),
    Effect.timeoutOrElse({
      duration: helper.timeout,
      orElse: () => Effect.fail(unavailable(helper, "TimedOut", "it did not answer in time"))
    }),
    Effect.flatMap(({ exitCode, output }) => {
      if (exitCode === 0) return Effect.succeedSome(output)
      return nothingThere.test(output)
        ? Effect.succeedNone
        : Effect.fail(unavailable(helper, "Failed", `it ended with exit code ${exitCode}`))
    })
  )
}

/**
 * Gets the login of a server. None if the helper has none.
 */
export const get = Effect.fnUntraced(function* (
  helper: Helper & { readonly server: string }
): Effect.fn.Return<
  Option.Option<Password | RefreshToken>,
  CredentialUnavailable,
  ChildProcessSpawner.ChildProcessSpawner
> {
  const output = yield* call(helper, "get", helper.server)
  if (Option.isNone(output)) return Option.none()
  const answer = decodeAnswer(output.value)
  if (Option.isNone(answer)) return yield* unavailable(helper, "Failed", "it did not answer with a login")
  const { Secret, Username } = answer.value
  const secret = Redacted.make(Secret)
  const source = shownName(helper)
  return Option.some(
    Username === tokenUser
      ? { _tag: "RefreshToken", token: secret, source }
      : { _tag: "Password", username: Username, password: secret, source }
  )
})

/** Stores the login of a server. */
export const store = (
  helper: Helper & { readonly server: string; readonly login: Password | RefreshToken }
): Effect.Effect<void, CredentialUnavailable, ChildProcessSpawner.ChildProcessSpawner> => {
  const { login, server } = helper
  const [username, secret] = login._tag === "Password" ? [login.username, login.password] : [tokenUser, login.token]
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: Redacted.value(secret) })
  return Effect.asVoid(call(helper, "store", input))
}

/** Erases the login of a server. Returns whether there was one. */
export const erase = (
  helper: Helper & { readonly server: string }
): Effect.Effect<boolean, CredentialUnavailable, ChildProcessSpawner.ChildProcessSpawner> =>
  Effect.map(call(helper, "erase", helper.server), Option.isSome)
