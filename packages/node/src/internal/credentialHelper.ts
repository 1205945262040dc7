/**
 * Asks a docker credential helper: a program that keeps passwords for others.
 *
 * docker-credential-helpers, "Development": `docker-credential-<name> get` reads a server's address and answers with JSON,
 * or fails and says on its output why. What it prints is a password, or may hold one, so nothing of it is repeated.
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

/** What a program printed, up to a limit, and how it ended. */
const run = (program: string, input: string) =>
  Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const handle = yield* spawner.spawn(
      ChildProcess.make(program, ["get"], {
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

/**
 * Gets the login of a server. None if the helper has none.
 */
export const get = (options: {
  readonly name: string
  readonly server: string
  readonly timeout: Duration.Input
}): Effect.Effect<
  Option.Option<Password | RefreshToken>,
  CredentialUnavailable,
  ChildProcessSpawner.ChildProcessSpawner
> => {
  const program = programOf(options.name)
  const unavailable = (problem: CredentialUnavailable["problem"], description: string) =>
    new CredentialUnavailable({ credential: program ?? "credential helper", problem, description })
  if (program === undefined) {
    return Effect.fail(unavailable("Failed", "the configuration names a credential helper that can be no program"))
  }
  return run(program, options.server).pipe(
    Effect.mapError(({ reason }) =>
      reason._tag === "NotFound"
        ? unavailable("NotConfigured", "it is not installed")
        : unavailable("Failed", `it can't be run (${reason._tag})`)
    ),
    Effect.timeoutOrElse({
      duration: options.timeout,
      orElse: () => Effect.fail(unavailable("TimedOut", "it did not answer in time"))
    }),
    Effect.flatMap(({ exitCode, output }) => {
      if (exitCode !== 0) {
        return nothingThere.test(output)
          ? Effect.succeedNone
          : Effect.fail(unavailable("Failed", `it ended with exit code ${exitCode}`))
      }
      return Option.match(decodeAnswer(output), {
        onNone: () => Effect.fail(unavailable("Failed", "it did not answer with a login")),
        onSome: ({ Secret, Username }) => {
          const secret = Redacted.make(Secret)
          return Effect.succeedSome(
            Username === tokenUser
              ? ({ _tag: "RefreshToken", token: secret } as const)
              : ({ _tag: "Password", username: Username, password: secret } as const)
          )
        }
      })
    })
  )
}
