/**
 * What an upload does next, event by event.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Uploading from "../src/internal/transfer/uploading.ts"
import { Forbidden, Unavailable, InvalidRequest, RegistryError } from "../src/RegistryError.ts"

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

const failed = (status: number | undefined, code?: string, commits = false): Uploading.Event => {
  const reason =
    status === undefined || status >= 500
      ? new Unavailable({ description: "" })
      : status === 403
        ? new Forbidden({ description: "" })
        : new InvalidRequest({ description: "" })
  return {
    _tag: "Failed",
    commits,
    error: new RegistryError({
      operation: "test",
      reason,
      ...(status === undefined
        ? {}
        : { response: { status, errors: code === undefined ? [] : [{ code, message: "" }] } })
    })
  }
}

const opened: Uploading.Event = { _tag: "Opened", chunkMinBytes: 0 }
const accepted = (
  from: number,
  to: number,
  isLast = false,
  lastByte: number | undefined = to - 1
): Uploading.Event => ({
  _tag: "Accepted",
  from,
  to,
  isLast,
  lastByte
})
const session = (lastByte: number | undefined): Uploading.Event => ({ _tag: "SessionFound", lastByte })
const lost: Uploading.Event = { _tag: "SessionLost" }
const missing: Uploading.Event = { _tag: "BlobMissing" }
const found: Uploading.Event = { _tag: "BlobFound" }
const committed: Uploading.Event = { _tag: "Committed", to: 100 }
/** The request with the last bytes and the commit failed. */
const refusedLast = (status: number | undefined, code?: string) => failed(status, code, true)

/** A command as a text, with its offset and its maximum number of bytes. */
const wordOf = ({ command, recovery }: Uploading.Step): string => {
  const how = recovery === undefined ? "" : ` (${recovery.by})`
  const commits = "commits" in command && command.commits ? ", commit" : ""
  switch (command._tag) {
    case "Stream":
      return `Stream ${command.offset}+${command.size}${commits}${how}`
    case "Chunk":
      return `Chunk ${command.offset}+${command.maxBytes}${commits}${how}`
    case "Finish":
      return command.isOpen ? "Finish, close" : "Finish"
    case "Fail":
      return `Fail ${command.error.response?.status ?? command.error.reason._tag}`
    default:
      return `${command._tag}${how}`
  }
}

const large: Uploading.Plan = {
  totalBytes: 4 * mebibyte,
  chunkBytes: mebibyte,
  repeatable: true,
  commitsLastChunk: false
}
const small: Uploading.Plan = { ...large, totalBytes: 100 }
const unknown: Uploading.Plan = { ...large, totalBytes: undefined, repeatable: false }
const atOnce: Uploading.Plan = { ...small, commitsLastChunk: true }

const everywhere = () => true
const nowhere = () => false

/** The plan, what can be read again, and the events with the command that each leads to. */
const stories: ReadonlyArray<
  readonly [string, Uploading.Plan, (offset: number) => boolean, ReadonlyArray<readonly [Uploading.Event, string]>]
> = [
  [
    "is sent in one request and committed",
    large,
    everywhere,
    [
      [opened, `Stream 0+${4 * mebibyte}`],
      [accepted(0, 4 * mebibyte, true), "Commit"],
      [committed, "Finish"]
    ]
  ],
  [
    "resumes at the offset of the session",
    large,
    everywhere,
    [
      [opened, `Stream 0+${4 * mebibyte}`],
      [failed(undefined), "AskStatus (AskStatus)"],
      [session(mebibyte - 1), `Stream ${mebibyte}+${3 * mebibyte}`],
      [accepted(mebibyte, 4 * mebibyte, true, 4 * mebibyte - 1), "Commit"]
    ]
  ],
  [
    "is not sent again if the session has all of it",
    large,
    everywhere,
    [
      [opened, `Stream 0+${4 * mebibyte}`],
      [failed(500), "AskStatus (AskStatus)"],
      [session(4 * mebibyte - 1), "Commit"],
      [committed, "Finish"]
    ]
  ],
  [
    "starts again in another session if the first is lost",
    large,
    everywhere,
    [
      [opened, `Stream 0+${4 * mebibyte}`],
      [failed(404), "AskStatus (AskStatus)"],
      [lost, "Reopen"],
      [opened, `Stream 0+${4 * mebibyte}`]
    ]
  ],
  [
    "fails if it cannot be read again",
    unknown,
    nowhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [failed(502), "AskStatus (AskStatus)"],
      [lost, "Fail 502"]
    ]
  ],
  [
    "starts again if the registry claims more bytes than were sent",
    large,
    everywhere,
    [
      [opened, `Stream 0+${4 * mebibyte}`],
      [failed(undefined), "AskStatus (AskStatus)"],
      [session(9 * mebibyte), "Reopen"]
    ]
  ],
  [
    "repeats a rejected request",
    small,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [failed(503), `Chunk 0+${mebibyte} (Repeat)`],
      [accepted(0, 100, true), "Commit"],
      [failed(503), "Commit (Repeat)"]
    ]
  ],
  [
    "continues in chunks, then in smaller ones, if the registry accepts less at once",
    { ...large, chunkBytes: 200 * kibibyte },
    everywhere,
    [
      [opened, `Stream 0+${4 * mebibyte}`],
      [failed(413), `Chunk 0+${200 * kibibyte} (SmallerPieces)`],
      [failed(413), `Chunk 0+${100 * kibibyte} (SmallerPieces)`],
      [failed(413), "Fail 413"]
    ]
  ],
  [
    "sends no chunk smaller than the registry's minimum",
    small,
    everywhere,
    [
      [{ _tag: "Opened", chunkMinBytes: 5 * mebibyte }, `Chunk 0+${5 * mebibyte}`],
      [{ _tag: "Ended" }, "Commit"]
    ]
  ],
  [
    "ignores a minimum chunk that does not fit in memory",
    small,
    everywhere,
    [[{ _tag: "Opened", chunkMinBytes: 1e14 }, `Chunk 0+${mebibyte}`]]
  ],
  [
    "sends a part again that the registry does not have",
    large,
    everywhere,
    [
      [opened, `Stream 0+${4 * mebibyte}`],
      [accepted(0, 4 * mebibyte, true, mebibyte - 1), `Stream ${mebibyte}+${3 * mebibyte}`]
    ]
  ],
  [
    "continues in chunks of what the registry accepts if it accepts only a part again",
    { ...large, totalBytes: 64 * mebibyte, chunkBytes: 8 * mebibyte },
    everywhere,
    [
      [opened, `Stream 0+${64 * mebibyte}`],
      [accepted(0, 64 * mebibyte, true, 899_999), `Stream 900000+${64 * mebibyte - 900_000}`],
      [accepted(900_000, 64 * mebibyte, true, 1_799_999), "Chunk 1800000+900000"],
      [accepted(1_800_000, 2_700_000), "Chunk 2700000+900000"]
    ]
  ],
  [
    "continues in chunks no larger than before if the registry accepts large parts",
    { ...large, totalBytes: 64 * mebibyte, chunkBytes: 8 * mebibyte },
    everywhere,
    [
      [opened, `Stream 0+${64 * mebibyte}`],
      [accepted(0, 64 * mebibyte, true, 20 * mebibyte - 1), `Stream ${20 * mebibyte}+${44 * mebibyte}`],
      [accepted(20 * mebibyte, 64 * mebibyte, true, 40 * mebibyte - 1), `Chunk ${40 * mebibyte}+${8 * mebibyte}`]
    ]
  ],
  [
    "continues in chunks no smaller than the registry demands",
    { ...unknown, chunkBytes: 8 * mebibyte },
    everywhere,
    [
      [{ _tag: "Opened", chunkMinBytes: 5 * mebibyte }, `Chunk 0+${8 * mebibyte}`],
      [accepted(0, 8 * mebibyte, false, mebibyte - 1), `Chunk ${mebibyte}+${8 * mebibyte}`],
      [accepted(mebibyte, 9 * mebibyte, false, 2 * mebibyte - 1), `Chunk ${2 * mebibyte}+${5 * mebibyte}`]
    ]
  ],
  [
    "continues in chunks of 64 KiB if the registry accepts less",
    { ...unknown, chunkBytes: 8 * mebibyte },
    everywhere,
    [
      [opened, `Chunk 0+${8 * mebibyte}`],
      [accepted(0, 8 * mebibyte, false, 39_999), `Chunk 40000+${8 * mebibyte}`],
      [accepted(40_000, 8 * mebibyte, false, 79_999), `Chunk 80000+${64 * kibibyte}`]
    ]
  ],
  [
    "continues however often the registry accepts a sixteenth of a chunk",
    unknown,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, mebibyte, false, 4095), `Chunk 4096+${mebibyte}`],
      ...Array.from({ length: 40 }, (_, index): readonly [Uploading.Event, string] => {
        const from = (index + 1) * 4096
        return [accepted(from, from + 64 * kibibyte, false, from + 4095), `Chunk ${from + 4096}+${64 * kibibyte}`]
      })
    ]
  ],
  [
    "does not send chunks again that the registry accepts byte by byte",
    unknown,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, mebibyte, false, 1), `Chunk 2+${mebibyte}`],
      ...Array.from({ length: 15 }, (_, index): readonly [Uploading.Event, string] => {
        const from = index + 2
        return [accepted(from, from + 64 * kibibyte, false, from), `Chunk ${from + 1}+${64 * kibibyte}`]
      }),
      [accepted(17, 17 + 64 * kibibyte, false, 17), `Chunk ${17 + 64 * kibibyte}+${64 * kibibyte}`]
    ]
  ],
  [
    "is sent again once if the registry has other content after it stated a different offset",
    small,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true, 0), "Commit"],
      [failed(400, "DIGEST_INVALID"), "Reopen (BeginAnew)"],
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true, 100), "Commit"],
      [failed(400, "DIGEST_INVALID"), "Fail 400"]
    ]
  ],
  [
    "is not sent again if the registry stated the same offset",
    small,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true), "Commit"],
      [failed(400, "DIGEST_INVALID"), "Fail 400"]
    ]
  ],
  [
    "is not sent again if it cannot be read again",
    unknown,
    nowhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true, 0), "Commit"],
      [failed(400, "DIGEST_INVALID"), "Fail 400"]
    ]
  ],
  [
    "continues in chunks of 4 MiB if the registry refuses a larger one at the right offset",
    { ...large, totalBytes: 64 * mebibyte, chunkBytes: 32 * mebibyte },
    everywhere,
    [
      [opened, `Stream 0+${64 * mebibyte}`],
      [failed(416), "AskStatus (AskStatus)"],
      [session(0), `Chunk 0+${4 * mebibyte}`],
      [accepted(0, 4 * mebibyte), `Chunk ${4 * mebibyte}+${4 * mebibyte}`],
      [failed(416), "AskStatus (AskStatus)"],
      [session(mebibyte - 1), `Chunk ${mebibyte}+${4 * mebibyte}`]
    ]
  ],
  [
    "starts again in chunks of 4 MiB if such a session has no status",
    { ...large, totalBytes: 64 * mebibyte, chunkBytes: 32 * mebibyte },
    everywhere,
    [
      [opened, `Stream 0+${64 * mebibyte}`],
      [failed(416), "AskStatus (AskStatus)"],
      [lost, "Reopen"],
      [opened, `Chunk 0+${4 * mebibyte}`]
    ]
  ],
  [
    "checks for the blob if its commit is out of step",
    small,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true), "Commit"],
      [failed(416), "LookForBlob (LookForBlob)"],
      [missing, "AskStatus"],
      [session(99), "Commit"]
    ]
  ],
  [
    "checks for the blob if the answer to its commit is lost",
    small,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true), "Commit"],
      [failed(undefined), "LookForBlob (LookForBlob)"],
      [found, "Finish, close"]
    ]
  ],
  [
    "requests the offset of the session if the blob does not exist",
    small,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true), "Commit"],
      [failed(404), "LookForBlob (LookForBlob)"],
      [missing, "AskStatus"],
      [session(99), "Commit"]
    ]
  ],
  [
    "fails if it may not be sent",
    small,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}`],
      [failed(403), "Fail 403"]
    ]
  ],
  [
    "is sent with the commit",
    atOnce,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [committed, "Finish"]
    ]
  ],
  [
    "is sent with the commit in its last chunk",
    { ...atOnce, totalBytes: 2 * mebibyte },
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [accepted(0, mebibyte), `Chunk ${mebibyte}+${mebibyte}, commit`],
      [committed, "Finish"]
    ]
  ],
  [
    "in several chunks that cannot be read again is committed separately",
    { ...atOnce, totalBytes: 2 * mebibyte, repeatable: false },
    nowhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [accepted(0, mebibyte), `Chunk ${mebibyte}+${mebibyte}`],
      [accepted(mebibyte, 2 * mebibyte, true), "Commit"],
      [committed, "Finish"]
    ]
  ],
  [
    "is sent before the commit if the registry refuses both together",
    atOnce,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [refusedLast(405), "AskStatus (AskStatus)"],
      [session(undefined), "Reopen"],
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true), "Commit"],
      [committed, "Finish"]
    ]
  ],
  [
    "is sent before the commit, once, if the registry drops the bytes of the commit",
    atOnce,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [refusedLast(400, "DIGEST_INVALID"), "Reopen (BeginAnew)"],
      [opened, `Chunk 0+${mebibyte}`],
      [accepted(0, 100, true), "Commit"],
      [refusedLast(400, "DIGEST_INVALID"), "Fail 400"]
    ]
  ],
  [
    "is sent with the commit again after it was rejected",
    atOnce,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [refusedLast(503), `Chunk 0+${mebibyte}, commit (Repeat)`]
    ]
  ],
  [
    "resumes separately from the commit if the connection was lost and the blob does not exist",
    atOnce,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [refusedLast(undefined), "LookForBlob (LookForBlob)"],
      [missing, "AskStatus"],
      [session(39), `Chunk 40+${mebibyte}`]
    ]
  ],
  [
    "is committed alone if all of it arrived and the commit was lost",
    atOnce,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [refusedLast(undefined), "LookForBlob (LookForBlob)"],
      [missing, "AskStatus"],
      [session(99), "Commit"]
    ]
  ],
  [
    "fails if the commit with the last bytes may not be sent",
    atOnce,
    everywhere,
    [
      [opened, `Chunk 0+${mebibyte}, commit`],
      [refusedLast(403, "DENIED"), "Fail 403"]
    ]
  ]
]

describe("an upload", () => {
  it.each(stories)("%s", (_, plan, canReadFrom, events) => {
    let state = Uploading.begin(plan)
    let sentBytes = 0
    for (const [event, expected] of events) {
      const step = Uploading.next(plan, state, { sentBytes, canReadFrom }, event)
      assert.strictEqual(wordOf(step), expected)
      if (step.command._tag === "Stream") sentBytes = step.command.offset + step.command.size
      if (step.command._tag === "Chunk") sentBytes = Math.max(sentBytes, plan.totalBytes ?? 0)
      state = step.state
    }
  })
})

it("an upload whose blob is found has sent all of it", () => {
  const { state } = Uploading.next(atOnce, Uploading.begin(atOnce), { sentBytes: 100, canReadFrom: everywhere }, found)
  assert.strictEqual(state.confirmedBytes, 100)
})

describe("a state of an upload", () => {
  it("is further with more bytes at the registry, and when it commits", () => {
    const begin = Uploading.begin(large)
    const half = { ...begin, confirmedBytes: 2 * mebibyte }
    // One byte at a time would continue forever.
    assert.isFalse(Uploading.isFurther({ ...half, confirmedBytes: 2 * mebibyte + 1 }, half))
    const committing = { ...begin, doing: "Committing" } as const
    assert.isTrue(Uploading.isFurther(half, begin))
    assert.isFalse(Uploading.isFurther(begin, half))
    assert.isFalse(Uploading.isFurther(half, half))
    assert.isTrue(Uploading.isFurther(committing, half))
    assert.isFalse(Uploading.isFurther(half, committing))
  })
})
