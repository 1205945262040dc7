/**
 * Faults in copies and layouts.
 */
import type { Fault } from "./fault.ts"

const folder = "packages/artifacts/src"
const copy = `${folder}/Copy.ts`
const engine = `${folder}/internal/copy/engine.ts`
const layout = `${folder}/internal/layout`

const copies: ReadonlyArray<Fault> = [
  {
    wrong: "a tag is set before the referrers of its image are there",
    file: copy,
    find: "yield* engine.copy(graph, isLater ? [] : unset(tags))",
    replace: "yield* engine.copy(graph, unset(tags))"
  },
  {
    wrong: "an index is put before its images",
    file: engine,
    find: "      for (const { digest } of children) yield* manifests.wait(digest)\n",
    replace: ""
  },
  {
    wrong: "what the target lacks although it seemed to be there is not sent",
    file: `${folder}/internal/repair.ts`,
    find: "if (!(error instanceof MissingContent)) return",
    replace: "if (parts.length >= 0) return"
  },
  {
    wrong: "only the first missing blob is sent if the registry reports one at a time",
    file: `${folder}/internal/repair.ts`,
    find: "return Effect.andThen(repair, attempt)",
    replace: "return Effect.andThen(repair, Effect.suspend(put))"
  },
  {
    wrong: "what the target lacks is looked for by a HEAD again",
    file: `${folder}/Repository.ts`,
    find: "lacked.includes(blob.digest) ? send(blob, source) : put",
    replace: "put"
  },
  {
    wrong: "layers that may not be distributed are sent",
    file: engine,
    find: "isForeign(blob) && !job.withForeignLayers",
    replace: "isForeign(blob) && false"
  },
  {
    wrong: "a dry run writes",
    file: copy,
    find: "const target = isDryRun ? dryRun(to) : to",
    replace: "const target = isDryRun ? to : to"
  },
  {
    wrong: "a tag that was to be kept is moved",
    file: copy,
    find: 'outcome: "kept", previous: digest',
    replace: 'outcome: "moved", previous: digest'
  },
  {
    wrong: "a tag replaces a list of referrers",
    file: copy,
    find: 'outcome: is ? "kept" : "moved"',
    replace: 'outcome: is ? "moved" : "moved"'
  },
  {
    wrong: "embedded content is sent although it is not what the digest names",
    file: `${folder}/internal/copy/content.ts`,
    find: "onFailure: () => source.blob(blob),",
    replace: "onFailure: () => BlobSource.fromBytes(bytes),"
  },
  {
    wrong: "a manifest that is there counts as complete although nothing is trusted",
    file: copy,
    find: 'trust === "walk" || (isRead',
    replace: "trust === undefined || (isRead"
  },
  {
    wrong: "the attestations of a chosen platform are left out",
    file: `${folder}/internal/platforms.ts`,
    find: 'images.has(digest) || images.has(annotations?.[attestedDigest] ?? "")',
    replace: 'images.has(digest) || annotations?.[attestedDigest] === "none"'
  },
  {
    wrong: "a rewritten index loses its annotations",
    file: `${folder}/internal/copy/choice.ts`,
    find: "JSON.stringify({ ...document, manifests })",
    replace: "JSON.stringify({ schemaVersion: 2, mediaType: document.mediaType, manifests })"
  },
  {
    wrong: "copies at the same time send the same blob more than once",
    file: `${folder}/internal/turns.ts`,
    find: "semaphore.withPermit(effect)",
    replace: "(semaphore === undefined ? effect : effect)"
  }
]

const layouts: ReadonlyArray<Fault> = [
  {
    wrong: "a layout is locked by two processes at once",
    file: `${layout}/lock.ts`,
    find: "if (free.length === 0) return Option.some(own)",
    replace: "if (free.length >= 0) return Option.some(own)"
  },
  {
    wrong: "the lock of a killed process is never broken",
    file: `${layout}/lock.ts`,
    find: "if (nowMillis - before.atMillis < Duration.toMillis(deadAfter)) return true",
    replace: "if (nowMillis >= before.atMillis) return true"
  },
  {
    wrong: "an index is published by a process that has lost the lock",
    file: `${folder}/internal/wholeFiles.ts`,
    find: "    if (!(yield* isAllowed)) return false\n",
    replace: "    yield* isAllowed\n"
  },
  {
    wrong: "an index that cannot be read is replaced",
    file: `${layout}/catalog.ts`,
    find: "onFailure: (problem) => invalid(`index.json cannot be read: ${problem}`)",
    replace: "onFailure: (problem) => Effect.as(Effect.logDebug(problem), Index.empty())"
  },
  {
    wrong: "the bytes of an index depend on what happened before",
    file: `${layout}/index.ts`,
    find: "    .toSorted(([left], [right]) => (left < right ? -1 : 1))\n",
    replace: ""
  },
  {
    wrong: "prune removes what is younger than the grace time",
    file: `${layout}/prune.ts`,
    find: "!isYoung && !kept.has(digest)",
    replace: "(isYoung || !isYoung) && !kept.has(digest)"
  },
  {
    wrong: "prune removes the referrers of what stays",
    file: `${layout}/prune.ts`,
    find: "      for (const referrer of referrers.get(next.digest)?.values() ?? []) waiting.push(referrer)\n",
    replace: ""
  },
  {
    wrong: "a layout takes an image without its layers",
    file: `${layout}/catalog.ts`,
    find: "        if (Option.isSome(missing)) {\n          failed.push(missing.value)\n          continue\n        }\n",
    replace: ""
  },
  {
    wrong: "a batch that fails loses what was done in it",
    file: `${layout}/catalog.ts`,
    find: "Effect.mapError(commit(own.changes), ofBatch)",
    replace: "Effect.mapError(commit(own.changes.slice(0, 0)), ofBatch)"
  }
]

export const artifacts: ReadonlyArray<Fault> = [...copies, ...layouts]
