/**
 * The file `index.json`: names, changes, and their cost.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { assert, it } from "@effect/vitest"
import * as Index from "../src/internal/layout/index.ts"
import { amd64, arm64, image } from "./support/artifacts.ts"

const refName = "org.opencontainers.image.ref.name"
const imageName = "io.containerd.image.name"

const parsed = (...manifests: ReadonlyArray<unknown>) =>
  Result.getOrThrow(Index.parse(JSON.stringify({ schemaVersion: 2, manifests })))

const digests = (index: Index.Index, reference: string) => index.find(reference).map(({ digest }) => digest)

const put = (index: Index.Index, descriptor: typeof amd64.descriptor, ...tags: ReadonlyArray<string>) =>
  index.apply({ _tag: "Put", descriptor, tags, children: [] })

it("an exact name comes before a full name, and a full name before its tag", () => {
  const full = "docker.io/library/alpine:3"
  const index = parsed(
    { ...amd64.descriptor, annotations: { [refName]: "3", [imageName]: full } },
    { ...arm64.descriptor, annotations: { [refName]: "example.com/other:3" } }
  )
  assert.deepStrictEqual(digests(index, "3"), [amd64.descriptor.digest])
  assert.deepStrictEqual(digests(index, full), [amd64.descriptor.digest])
  index.apply({ _tag: "Untag", tag: "3" })
  assert.deepStrictEqual(digests(index, full), [])
  assert.deepStrictEqual(digests(index, "3"), [arm64.descriptor.digest])
  index.apply({ _tag: "Remove", digest: arm64.descriptor.digest })
  assert.deepStrictEqual(digests(index, "3"), [])
  assert.isTrue(Option.isNone(index.entry(arm64.descriptor.digest)))
})

it("a tag of several full names finds them all", () => {
  const index = parsed(
    { ...amd64.descriptor, annotations: { [refName]: "example.com/a:3" } },
    { ...arm64.descriptor, annotations: { [refName]: "example.com/b:3" } }
  )
  assert.sameMembers(digests(index, "3"), [amd64.descriptor.digest, arm64.descriptor.digest])
  assert.deepStrictEqual(digests(index, "a:3"), [])
})

it("a port is not a tag", () => {
  const index = parsed({ ...amd64.descriptor, annotations: { [refName]: "localhost:5000/shop" } })
  assert.deepStrictEqual(digests(index, "5000/shop"), [])
  assert.deepStrictEqual(digests(index, "localhost:5000/shop"), [amd64.descriptor.digest])
})

it("is changed by what its entries say, not by their order", () => {
  const one = { ...amd64.descriptor, annotations: { [refName]: "b" } }
  const other = { ...arm64.descriptor, annotations: { [refName]: "a" } }
  const index = parsed(one, other)
  put(index, amd64.descriptor, "b")
  put(index, amd64.descriptor)
  assert.isFalse(index.isChanged())
  put(index, amd64.descriptor, "c")
  assert.isTrue(index.isChanged())
  index.apply({ _tag: "Untag", tag: "c" })
  assert.isFalse(index.isChanged())
})

it("a lookup reads no other entries", () => {
  const index = Index.empty()
  let looks = 0
  // Each entry counts the reads of its annotations.
  for (let number = 0; number < 1000; number++) {
    const { descriptor } = image(String(number))
    put(index, descriptor, `t${number}`)
  }
  for (const entry of index.entries()) {
    const { annotations } = entry
    Object.defineProperty(entry, "annotations", {
      get: () => {
        looks++
        return annotations
      }
    })
  }
  index.find("nothing")
  index.find("t5")
  index.find("docker.io/library/nothing:t5000")
  assert.isTrue(Option.isSome(index.entry(image("7").descriptor.digest)))
  put(index, image("new").descriptor, "new")
  assert.isBelow(looks, 10)
})
