/**
 * The tests of a package that are likely to notice a fault. They run before the other tests of the package, most of which
 * have nothing to do with the fault.
 */
import { existsSync } from "node:fs"
import { basename, join } from "node:path"
import { type Fault, packageOf } from "./fault.ts"

export interface Likely {
  /** Paths of test files, from the root of the workspace. */
  readonly testsOf: (fault: Fault) => ReadonlyArray<string>
  /** Remembers the test that noticed a fault: it may notice other faults in the same file. */
  readonly remember: (fault: Fault, test: string) => void
}

/** Begins with the test file that has the name of the source file, if there is one. */
export const make = (folder: string): Likely => {
  const known = new Map<string, Set<string>>()
  const testsOf = (fault: Fault): Set<string> => {
    const named = `${packageOf(fault)}test/${basename(fault.file, ".ts")}.test.ts`
    const tests = known.get(fault.file) ?? new Set(existsSync(join(folder, named)) ? [named] : [])
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
