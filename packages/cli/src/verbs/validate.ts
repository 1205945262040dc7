/**
 * Checks that all content of an artifact exists and matches its digests.
 */
import * as Validation from "@effect-acr/artifacts/Validation"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import { exitCodes } from "../exitCode.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Counted from "../progress/counted.ts"
import * as Progress from "../progress/progress.ts"
import { table, type View } from "../table.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  ...Validation.ValidationReport.fields,
  /** Whether there are no findings. */
  isValid: Schema.Boolean,
  /** Signatures are read as content, and not verified. */
  signatures: Schema.Literal("notVerified")
})

const headline = ({ blobs, bytes, findings, manifests, skipped }: Validation.ValidationReport): string => {
  const size = ByteSize.format(ByteSize.bytes(bytes), { system: "binary", precision: 1 })
  const result = findings.length === 0 ? "no findings" : `findings: ${findings.length}`
  const foreign = skipped.length === 0 ? "" : `, not distributable: ${skipped.length}`
  return `${result}, manifests: ${manifests}, blobs: ${blobs}, read: ${size}${foreign}. Signatures are not verified`
}

const rowOf = ({ actual, description, digest, expected, kind, problem }: Validation.Finding): ReadonlyArray<string> => [
  problem,
  kind,
  digest,
  expected === undefined ? description : `${description}: expected ${expected}, found ${actual ?? "nothing"}`
]

const text = (report: Validation.ValidationReport) => (view: View) => [
  ...table(view, ["PROBLEM", "KIND", "DIGEST", "WHAT"], report.findings.map(rowOf)),
  headline(report)
]

const program = (
  artifact: string,
  platform: Option.Option<string>,
  withReferrers: boolean,
  place: Place.Flags
): Program.Program =>
  Program.join(
    Place.resolved(place, artifact, platform, "root"),
    {
      imports: { [Program.artifacts]: ["Validation"] },
      lines: [
        `const { findings } = yield* Validation.validate(store, root${withReferrers ? "" : ", { referrers: false }"})`
      ]
    },
    Program.print("findings")
  )

/** All blobs of a manifest. Layers that may not be distributed are counted and not read. */
const blobsOf: Counted.Wanted = (manifest) =>
  manifest._tag === "ImageManifest" ? [manifest.config, ...manifest.layers] : []

export const validate = Command.make(
  "validate",
  {
    artifact: Place.artifact(),
    platform: Place.platformFlag,
    referrers: Place.referrersFlag("Read"),
    ...Place.readFlags
  },
  ({ artifact, platform, referrers, ...place }) =>
    Verb.answer(
      { what: `validate ${artifact}`, program: program(artifact, platform, referrers, place) },
      Effect.gen(function* () {
        const opened = yield* Place.reader(place, artifact)
        const root = yield* Place.resolve(opened, platform)
        const report = yield* Progress.during(Progress.readsAgain, (progress) =>
          Validation.validate(Counted.reader(opened.store, progress, blobsOf), root, { referrers })
        )
        const isValid = report.findings.length === 0
        return Answer.make(
          document,
          { ...report, isValid, signatures: "notVerified" },
          {
            text: text(report),
            quiet: Array.from(new Set(report.findings.map(({ digest }) => digest))),
            code: isValid ? exitCodes.done : exitCodes.no
          }
        )
      })
    )
).pipe(
  Verb.described({
    does: "Check that all content of an artifact exists and matches its digests. Signatures are not verified",
    examples: [
      {
        command: "eacr validate myregistry.azurecr.io/shop/api:v1.4.0",
        description: "Read a whole image, for all platforms, with its referrers. Exits with 10 if something is wrong"
      }
    ]
  })
)
