/**
 * Skopeo with nothing of the user's, and with trust in one registry's certificate alone.
 */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { run, temporaryFolder } from "./command.ts"

export const skopeoFor = Effect.fnUntraced(function* (loginServer: string, certificate: string) {
  const home = yield* temporaryFolder
  const certificates = join(home, "certificates")
  yield* Effect.promise(async () => {
    await mkdir(certificates)
    await writeFile(join(certificates, "ca.crt"), certificate)
  })
  return {
    home,
    certificates,
    registry: `docker://${loginServer}`,
    run: (...args: ReadonlyArray<string>) =>
      run("skopeo", ["--insecure-policy", ...args], {
        env: { PATH: process.env["PATH"], HOME: home, TMPDIR: home, REGISTRY_AUTH_FILE: join(home, "auth.json") }
      })
  }
})
