/**
 * An emulator with a few images, and the variables of a user who is logged in to it.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { eacr, type Given } from "./eacr.ts"

/** The content of docker's file with a login. */
export const authConfig = (loginServer: string, { password, username }: AcrEmulator.Login): string =>
  JSON.stringify({
    auths: { [loginServer]: { auth: Buffer.from(`${username}:${Redacted.value(password)}`).toString("base64") } }
  })

/** Runs the command as a user who is logged in to the emulator. `$REGISTRY` in an argument is its login server. */
export const loggedIn = Effect.fnUntraced(function* (args: ReadonlyArray<string>, given: Given = {}) {
  const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
  const env = { DOCKER_AUTH_CONFIG: authConfig(loginServer, logins.adminUser), HOME: "/nonexistent", ...given.env }
  return yield* eacr(
    args.map((arg) => arg.replaceAll("$REGISTRY", loginServer)),
    { ...given, env }
  )
})
