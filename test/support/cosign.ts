/**
 * cosign without the public log of signatures and without authorities: with a key of its own.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { toolFor } from "./tools.ts"

type Tool = Pick<Effect.Success<ReturnType<typeof toolFor>>, "home" | "run">

/** Without one, cosign downloads the authorities of sigstore to verify a bundle, even if a key has signed it. */
const trustedRoot = {
  mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
  tlogs: [],
  certificateAuthorities: [],
  ctlogs: [],
  timestampAuthorities: []
}

/** Makes a key in the home of cosign, and returns the arguments by which it signs and verifies with that. */
export const offline = ({ home, run }: Tool) =>
  Effect.gen(function* () {
    yield* run("generate-key-pair")
    yield* Effect.promise(() => writeFile(join(home, "root.json"), JSON.stringify(trustedRoot)))
    return {
      signing: ["--key", "cosign.key", "--tlog-upload=false", "--yes"],
      verifying: ["--key", "cosign.pub", "--insecure-ignore-tlog=true"],
      bundle: ["--new-bundle-format", "--trusted-root", "root.json"]
    }
  })
