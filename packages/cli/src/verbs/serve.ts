/**
 * Serves the emulator.
 */
import type { Options } from "@effect-acr/emulator/AcrEmulator"
import { duration } from "@effect-acr/client/Printable"
import * as ServeCommand from "@effect-acr/emulator/ServeCommand"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { failureOf } from "../failure.ts"
import * as Program from "../program.ts"
import { Explain, Json } from "../settings.ts"
import * as Verb from "../verb.ts"

/** Whether a value holds a password or a token, which a program should not contain. */
const isSecret = (value: unknown): boolean =>
  Redacted.isRedacted(value) || (Predicate.isObject(value) && Object.values(value).some(isSecret))

/** A value as an option: times are texts. */
const asWritten = (value: unknown): unknown => {
  if (Duration.isDuration(value)) return duration(value)
  if (Array.isArray(value)) return value.map(asWritten)
  if (!Predicate.isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asWritten(member)]))
}

const program = (options: Options): Program.Program => {
  const shown = Object.entries(options).filter(([, value]) => value !== false && !isSecret(value))
  return {
    imports: { "@effect-acr/emulator": ["AcrEmulator"], [Program.effect]: ["Console", "Redacted"] },
    lines: [
      `const { loginServer, logins } = yield* AcrEmulator.make(${Program.literal(asWritten(Object.fromEntries(shown)))})`,
      "const { password, username } = logins.adminUser",
      "yield* Console.log(loginServer, username, Redacted.value(password))",
      "return yield* Effect.never"
    ],
    isScoped: true
  }
}

const explained = (written: Program.Program) => Effect.mapError(Verb.explain(written), failureOf("serve"))

export const serve = ServeCommand.make("serve", {
  json: Json,
  around: (serving, options) =>
    Effect.gen(function* () {
      return (yield* Explain) ? yield* explained(program(options)) : yield* serving
    })
}).pipe(
  Verb.described({
    does: "Serve an Azure Container Registry emulator until it is stopped",
    examples: [
      { command: "eacr serve --port 5001 --seed library/alpine:3.20", description: "Serve a registry with one image" }
    ]
  })
)
