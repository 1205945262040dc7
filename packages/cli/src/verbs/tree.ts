/**
 * Shows the parts of an artifact and what refers to it.
 */
import * as Graph from "@effect-acr/artifacts/Graph"
import * as Descriptor from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import * as LeftBehind from "../leftBehind.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"

const Node = Schema.Struct({
  descriptor: Descriptor.Descriptor,
  children: Schema.Array(Digest.Digest),
  blobs: Schema.Array(Descriptor.Descriptor),
  subject: Schema.optionalKey(Digest.Digest),
  referrers: Schema.Array(Digest.Digest)
})

export const document = Answer.document({
  root: Digest.Digest,
  /** The size of all manifests and blobs in bytes, each counted once. */
  sizeBytes: Schema.Natural,
  nodes: Schema.Array(Node)
})

const nodeOf = ({ blobs, children, descriptor, referrers, subject }: Graph.GraphNode): typeof Node.Type => ({
  descriptor,
  children: children.map(({ digest }) => digest),
  blobs,
  referrers,
  ...(Option.isSome(subject) ? { subject: subject.value } : {})
})

const program = (
  artifact: string,
  platform: Option.Option<string>,
  withReferrers: boolean,
  place: Place.Flags
): Program.Program =>
  Program.join(
    Place.resolved(place, artifact, platform, "root"),
    {
      imports: { [Program.artifacts]: ["Graph"] },
      lines: [`const graph = yield* Graph.read(store, root${withReferrers ? ", { referrers: {} }" : ""})`]
    },
    Program.print("Graph.format(graph)")
  )

export const tree = Command.make(
  "tree",
  {
    artifact: Place.artifact(),
    platform: Place.platformFlag,
    referrers: Place.referrersFlag("Show"),
    ...Place.readFlags
  },
  ({ artifact, platform, referrers, ...place }) =>
    Verb.run(
      { what: `read ${artifact}`, program: program(artifact, platform, referrers, place) },
      Effect.gen(function* () {
        const opened = yield* Place.reader(place, artifact)
        const root = yield* Place.resolve(opened, platform)
        const graph = yield* Graph.read(opened.store, root, referrers ? { referrers: {} } : {})
        const nodes = Array.from(graph.nodes.values(), nodeOf)
        yield* Answer.print(
          Answer.make(
            document,
            { root: graph.root, sizeBytes: Graph.size(graph), nodes },
            { text: () => [Graph.format(graph)], quiet: nodes.map(({ descriptor }) => descriptor.digest) }
          )
        )
        if (referrers) yield* LeftBehind.tellCosignTags(opened.store, graph.root)
      })
    )
).pipe(
  Verb.described({
    does: "Show an artifact as a tree: platforms, layers, signatures and SBOMs. Tags in which cosign 2 stored signatures are named below it",
    examples: [
      { command: "eacr tree myregistry.azurecr.io/shop/api:v1.4.0", description: "Show what belongs to an image" }
    ]
  })
)
