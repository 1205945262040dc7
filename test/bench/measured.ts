/**
 * What a whole process takes: time, time of the processor, and memory. Node cannot ask the system for that of another program, so
 * Python does.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { run } from "../support/command.ts"
import { Outcome } from "./job.ts"
import type { Run } from "./turns.ts"

/** Runs the command of its arguments, without its output, and prints an outcome. Linux counts memory in kibibytes. */
const script = `
import json, os, sys, time
begin = time.perf_counter()
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - begin
if status != 0: sys.exit(1)
processor = usage.ru_utime + usage.ru_stime
print(json.dumps({"seconds": seconds, "processorSeconds": processor, "peakRssBytes": usage.ru_maxrss * 1024}))`

/** Runs a program in a home of its own. */
export const measured = (home: string, command: ReadonlyArray<string>): Run =>
  run("python3", ["-c", script, ...command], {
    cwd: home,
    env: { PATH: process.env["PATH"], HOME: home, TMPDIR: home, DOCKER_CONFIG: home }
  }).pipe(
    // Nothing here takes so long, but programs that hang.
    Effect.timeout("3 minutes"),
    Effect.flatMap(Schema.decodeEffect(Schema.fromJsonString(Outcome)))
  )
