/**
 * Names of files: which are refused, and which are the same file.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import { collisionKey, conflictOf, foldersOf, problemOf } from "../src/internal/folder/names.ts"

const refusedEverywhere: ReadonlyArray<readonly [name: string, problem: string]> = [
  ["", "it is empty"],
  ["/", "it is absolute"],
  ["/etc/passwd", "it is absolute"],
  ["//server/share", "it is absolute"],
  ["..", "it leaves the folder by .."],
  ["../x", "it leaves the folder by .."],
  ["a/../../x", "it leaves the folder by .."],
  ["a/..", "it leaves the folder by .."],
  [".", "a part of it is ."],
  ["./a", "a part of it is ."],
  ["a/./b", "a part of it is ."],
  ["a/", "a part of it is empty"],
  ["a//b", "a part of it is empty"],
  ["a\0b", "it has control characters"],
  ["a\nb", "it has control characters"],
  ["a\u001b[31m", "it has control characters"],
  ["a\u007f", "it has control characters"],
  ["a\u0085", "it has control characters"],
  ["caf\uFFFD", "it is not valid Unicode"],
  ["a\uD800b", "it is not valid Unicode"],
  ["x".repeat(256), "a part of it is longer than 255 bytes"],
  ["é".repeat(128), "a part of it is longer than 255 bytes"],
  [`${"x".repeat(250)}/`.repeat(20), "it is longer than 4096 bytes"],
  [Array.from({ length: 129 }, () => "a").join("/"), "it is more than 128 folders deep"]
]

const refusedOnWindows: ReadonlyArray<readonly [name: string, problem: string]> = [
  ["..\\x", "Windows reads \\ as a separator"],
  ["a\\b", "Windows reads \\ as a separator"],
  ["C:", 'Windows allows none of < > : " | ? *'],
  ["C:x", 'Windows allows none of < > : " | ? *'],
  ["C:/x", 'Windows allows none of < > : " | ? *'],
  ["file:stream", 'Windows allows none of < > : " | ? *'],
  ["a?", 'Windows allows none of < > : " | ? *'],
  ["a.", "Windows removes dots and spaces at the end of a name"],
  ["a ", "Windows removes dots and spaces at the end of a name"],
  ["...", "Windows removes dots and spaces at the end of a name"],
  ["a./b", "Windows removes dots and spaces at the end of a name"],
  ["CON", "it is a device on Windows"],
  ["a/nul", "it is a device on Windows"],
  ["aux/a", "it is a device on Windows"],
  ["prn.txt", "it is a device on Windows"],
  ["com1.tar.gz", "it is a device on Windows"],
  ["LPT9", "it is a device on Windows"],
  ["com²", "it is a device on Windows"],
  ["nul .txt", "it is a device on Windows"],
  ["CONIN$", "it is a device on Windows"]
]

const good = [
  "a",
  "a/b/c.txt",
  ".hidden",
  "..a",
  "a..b",
  "...a",
  "console",
  "com",
  "com10",
  "nullable.txt",
  "ünïcödé/😀",
  "x".repeat(255),
  "é".repeat(127),
  Array.from({ length: 128 }, () => "a").join("/")
]

describe("the name of a file", () => {
  it.each(refusedEverywhere)("%j is refused on every platform", (name, problem) => {
    assert.deepStrictEqual(problemOf(name, "/"), Option.some(problem))
    assert.deepStrictEqual(problemOf(name, "\\"), Option.some(problem))
  })

  it.each(refusedOnWindows)("%j is refused only on Windows", (name, problem) => {
    assert.deepStrictEqual(problemOf(name, "\\"), Option.some(problem))
    assert.deepStrictEqual(problemOf(name, "/"), Option.none())
  })

  it.each(good)("%j can be written on every platform", (name) => {
    assert.deepStrictEqual(problemOf(name, "/"), Option.none())
    assert.deepStrictEqual(problemOf(name, "\\"), Option.none())
  })
})

describe("two names", () => {
  const same: ReadonlyArray<readonly [string, string]> = [
    ["README", "readme"],
    ["caf\u00e9", "cafe\u0301"],
    ["CAF\u00c9", "cafe\u0301"],
    ["Stra\u00dfe", "STRASSE"],
    ["\u03a3\u03a3", "\u03c3\u03c2"],
    ["a/B", "A/b"]
  ]
  it.each(same)("%j and %j are the same file on some file systems", (one, other) => {
    assert.strictEqual(collisionKey(one), collisionKey(other))
    assert.isTrue(Option.isSome(conflictOf([one, other])))
  })

  it("that differ in more than case and composition are two files", () => {
    assert.notStrictEqual(collisionKey("a"), collisionKey("b"))
    assert.notStrictEqual(collisionKey("cafe"), collisionKey("café"))
  })
})

describe("names for one folder", () => {
  const conflicts: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [["a", "b", "a"], '"a" is there twice'],
    [["a", "A"], '"a" and "A" are one file on some file systems'],
    [["A/x", "a/y"], '"A" and "a" are one file on some file systems'],
    [["a", "a/b"], '"a" is a file and a folder'],
    [["a/b/c", "a"], '"a" is a file and a folder'],
    [["a/b/c", "A"], '"a" and "A" are one file on some file systems']
  ]
  it.each(conflicts)("%j conflict: %s", (names, problem) => {
    assert.deepStrictEqual(conflictOf(names), Option.some(problem))
  })

  it("do not conflict if each is a separate file", () => {
    assert.deepStrictEqual(conflictOf([]), Option.none())
    assert.deepStrictEqual(conflictOf(["a/b", "a/c", "b", "ab", "a/d/e", "a/d/f"]), Option.none())
  })

  it("are in folders, the outermost first", () => {
    assert.deepStrictEqual(foldersOf("a/b/c"), ["a", "a/b"])
    assert.deepStrictEqual(foldersOf("a"), [])
  })
})
