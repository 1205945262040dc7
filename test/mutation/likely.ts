/**
 * The tests of a package that are likely to notice a fault. They run before the other tests of the package, most of which
 * have nothing to do with the fault.
 */
import { existsSync } from "node:fs"
import { basename, join } from "node:path"
import type { Fault } from "./fault.ts"

export interface Likely {
  /** Paths of test files, from the root of the workspace. */
  readonly testsOf: (fault: Fault) => ReadonlyArray<string>
  /** Remembers the test that noticed a fault: it may notice other faults in the same file. */
  readonly remember: (fault: Fault, test: string) => void
}

/** Tests about source files of other names. They need not be all: they save the time of running every test of the package. */
const about: { readonly [package_: string]: { readonly [file: string]: ReadonlyArray<string> } } = {
  client: {
    "internal/api/absent": ["deleteTag", "otherRegistries"],
    "internal/api/distribution": ["referrers", "paging", "upload", "putBlob", "manifests", "leniency"],
    "internal/api/management": ["paging", "oddLists", "leniency", "softDeleted"],
    "internal/api/properties": ["ManifestProperties", "TagProperties", "RepositoryProperties", "softDeleted"],
    "internal/api/shortcut": ["putBlob", "leniency"],
    "internal/auth/assumed": ["endpoint"],
    "internal/auth/grants": ["authorization", "Credentials"],
    "internal/auth/lifetime": ["authorization"],
    "internal/auth/oauth": ["leniency", "authorization"],
    "internal/auth/scheme": ["authorization"],
    "internal/auth/tokens": ["authorization"],
    "internal/content/blobs": ["download", "upload", "putBlob"],
    "internal/content/memory": ["referrers"],
    "internal/content/reading": ["manifests"],
    Referrer: ["referrersTag"],
    "internal/content/referrers": ["referrersTag"],
    "internal/content/referrersBatches": ["referrersTag"],
    "internal/content/referrersIndex": ["referrersTag"],
    "internal/http/address": ["Outbound"],
    "internal/http/authority": ["borrowedAuthority"],
    "internal/http/body": ["extremes", "hostile", "paging"],
    "internal/http/connection": ["connections", "RegistryErrorConnection"],
    "internal/http/exchange": ["connections", "fetch", "secrets"],
    "internal/http/limiter": ["rateLimits"],
    "internal/http/link": ["paging"],
    "internal/http/needles": ["quote", "secrets"],
    "internal/http/origin": ["borrowedAuthority", "leniency"],
    "internal/http/pages": ["paging", "hostile"],
    "internal/http/permits": ["concurrency"],
    "internal/http/quote": ["secrets"],
    "internal/http/scrubbing": ["quote", "secrets"],
    "internal/http/secrets": ["quote"],
    "internal/http/warning": ["hostile", "tracing", "secrets"],
    "internal/schema/json": ["oddLists", "oddManifests"],
    "internal/schema/platforms": ["images"],
    "internal/transfer/download": ["connections", "file", "leastRate"],
    "internal/transfer/idle": ["leastRate"],
    "internal/transfer/mismatch": ["contentVerify", "download"],
    "internal/transfer/outgoing": ["upload"],
    "internal/transfer/patience": ["fuzzTransfers", "recovery"],
    "internal/transfer/recovery": ["RegistryErrorConnection"],
    "internal/transfer/upload": ["putBlob", "lastBytes", "borrowedAuthority", "concurrency"],
    "internal/transfer/uploading": ["leniency", "lastBytes"],
    Manifest: ["oddManifests"],
    Registries: ["registries"],
    Transport: ["tracing"]
  },
  artifacts: {
    ImageArchive: ["ImageArchive"],
    "internal/archive/images": ["ImageArchive"],
    "internal/entryNames": ["ImageArchive"],
    "internal/archive/opened": ["ImageArchive"],
    "internal/archive/plan": ["ImageArchive"],
    "internal/archive/seekable": ["ImageArchive"],
    "internal/archive/sequential": ["largeArchives", "ImageArchive"],
    "internal/artifact/pack": ["files"],
    "internal/artifact/pull": ["files"],
    "internal/artifact/put": ["files"],
    "internal/copy/choice": ["copyPlatforms"],
    "internal/copy/content": ["Copy"],
    "internal/copy/engine": ["Copy", "copyPlatforms"],
    "internal/folder/entries": ["unpackFailures", "unpack"],
    "internal/folder/pack": ["pack"],
    "internal/folder/place": ["place", "unpackFailures"],
    "internal/layout/catalog": ["ImageLayout"],
    "internal/layout/content": ["ImageLayout"],
    "internal/wholeFiles": ["layoutLock", "ImageLayout"],
    "internal/layout/index": ["ImageLayout"],
    "internal/layout/lock": ["layoutLock", "ImageLayout"],
    "internal/layout/prune": ["ImageLayout"],
    "internal/layout/subjects": ["ImageLayout"],
    "internal/platforms": ["copyPlatforms", "Artifact"],
    "internal/retention/actions": ["retentionReturns", "retentionProperty"],
    "internal/retention/apply": ["retentionReturns", "retentionWindow", "retentionProperty"],
    "internal/retention/looks": ["retentionReturns", "retentionWindow", "retentionProperty"],
    "internal/retention/plan": ["retentionExample", "retentionProperty"],
    "internal/turns": ["Copy"]
  },
  cli: {
    "progress/draw": ["frame"],
    "progress/progress": ["progress"],
    "completions/cache": ["completions"],
    "completions/candidates": ["places", "completions"],
    "verbs/rm": ["change"],
    answer: ["places", "look"],
    exitCode: ["exitCodes"],
    main: ["signals"],
    output: ["exitCodes", "signals"],
    place: ["explain", "look", "exitCodes"],
    program: ["explain"],
    requests: ["login"]
  },
  emulator: {
    AcrEmulator: ["control"],
    "internal/changeLog": ["directoryFiles", "directoryFull"],
    "internal/control/guard": ["control"],
    "internal/folderLock": ["directoryHolders"],
    "internal/serving": ["faults", "control"],
    "internal/sweep": ["directorySweep"]
  },
  migration: {
    MigrationReport: ["honest"],
    MigrationRules: ["rules"],
    "internal/cluster/driving": ["databases"],
    "internal/cluster/storage": ["alone", "full"],
    "internal/cluster/turn": ["alone"],
    "internal/compare": ["compare"],
    "internal/copy": ["full", "governor", "Migration", "honest", "verify"],
    "internal/driver": ["stops", "Migration", "honest"],
    "internal/failures": ["outcomes", "full", "Migration", "behaviours"],
    "internal/inventory": ["honest", "Migration"],
    "internal/names": ["rules", "Migration"],
    "internal/outages": ["governor"],
    "internal/patience": ["governor"],
    "internal/prepare": ["honest", "untagged"],
    "internal/readBack": ["verify"],
    "internal/sample": ["verify"],
    "internal/selection": ["behaviours"],
    "internal/store/access": ["store"],
    "internal/store/artifacts": ["store"],
    "internal/store/batches": ["store"],
    "internal/store/broken": ["hanging"],
    "internal/store/tables": ["store"],
    "internal/store/transactions": ["store", "hanging"],
    "internal/store/runs": ["store", "Migration"]
  },
  node: {
    "internal/authFile": ["DockerConfig"],
    "internal/credentialHelper": ["DockerConfig"],
    "internal/guardedAgents": ["outbound", "NodeRegistryHttpClient"],
    "internal/places": ["dial", "outbound"],
    "internal/undiciClient": ["NodeRegistryHttpClient", "connections", "stalledUpload"],
    "internal/undiciBody": ["undiciClient", "NodeRegistryHttpClient", "stalledUpload"],
    "internal/undiciResponse": ["undiciClient", "NodeRegistryHttpClient"]
  }
}

/** The tests that are known to be about a file, by their paths. */
const testsAbout = ({ file }: Fault): ReadonlyArray<string> => {
  const [, package_ = "", , ...path] = file.split("/")
  const names = about[package_]?.[path.join("/").replace(/\.ts$/, "")] ?? []
  return [basename(file, ".ts"), ...names].map((name) => `packages/${package_}/test/${name}.test.ts`)
}

/** Begins with the test file that has the name of the source file, if there is one, and with tests that are about it. */
export const make = (folder: string): Likely => {
  const known = new Map<string, Set<string>>()
  const testsOf = (fault: Fault): Set<string> => {
    const tests = known.get(fault.file) ?? new Set(testsAbout(fault).filter((path) => existsSync(join(folder, path))))
    known.set(fault.file, tests)
    return tests
  }
  return {
    testsOf: (fault) => Array.from(testsOf(fault)),
    remember: (fault, test) => {
      const file = /^\S+\.test\.ts/.exec(test)?.[0]
      if (file !== undefined) testsOf(fault).add(file)
    }
  }
}
