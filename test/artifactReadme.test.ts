/**
 * The README's program that copies an image with its signatures and SBOMs.
 */
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { completeAt, putArtifact } from "./support/artifacts.ts"
import { dockerConfig, pair, programWith, runProgram } from "./support/readmeProgram.ts"

it.live("the README's program copies an image with signatures and SBOMs between two registries, in ten lines", () =>
  Effect.gen(function* () {
    const code = yield* programWith("Copy.run")
    const registries = yield* pair({ https: true })
    const ca = registries.map(({ certificate }) => Option.getOrThrow(certificate))
    const path = `${yield* dockerConfig(registries)}/config.json`
    const [from = "", to = ""] = registries.map(({ loginServer }) => `${loginServer}/shop/api`)
    yield* Effect.gen(function* () {
      const source = yield* Repository.open(from)
      const { index, sbom, signature } = yield* putArtifact(source, "v1")
      const cosign = `${index.digest.replace(":", "-")}.sig`
      yield* source.putManifest(Option.getOrThrow(yield* source.manifest(sbom)), { tags: [cosign] })

      yield* runProgram(code, registries, [from, to, "v1"])

      const target = yield* Repository.open(to)
      const graph = Option.getOrThrow(yield* completeAt(target, "v1"))
      assert.includeMembers([...graph.nodes.keys()], [index.digest, sbom.digest, signature.digest])
      assert.sameMembers(yield* Stream.runCollect(target.tags), ["v1", cosign])
    }).pipe(
      Effect.provide(
        Layer.provide(Registries.layer, [
          DockerConfig.layerOptions({ path }).pipe(Credentials.orElse(Credentials.layerAnonymous)),
          NodeRegistryHttpClient.layerOptions({ ca })
        ])
      )
    )
  }).pipe(Effect.scoped)
)
