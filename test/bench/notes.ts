/**
 * Explanations of figures in docs/performance.md, by case: for those that miss a goal, and for surprising results.
 */

/** What most of the goals that are missed have in common. */
export const whyMissed = `Three limits explain most of them, and all but the last hold for a loop without any library as well. In a short transfer, Node runs
most of the code for the first time, which programs in Go have compiled before: with 60 × 1 MiB and without start, the bare loop
reaches 0.59 to 0.75 of crane's speed. One thread of Node decrypts, hashes and writes, where a program in Go has all cores: with
4 × 200 MiB, this library is as fast as the bare loop or faster, and both are behind crane. And Effect by itself is larger than the
goals for an import and a bundle.`

export const notes: { readonly [name: string]: string } = {
  download: `The third row compares the loop with the Azure SDK, as the second compares this library. The loop counts with the faster
of its two variants in each round. What is left to gain is less than the noise: nine successive versions of this library, in turns, took
0.73 to 0.76 s, and buffers of 32 KiB to 1.5 MiB for a response instead of 192 KiB changed nothing.`,
  "upload-file": `This library reads the file into five buffers of half a mebibyte in turn, because the HTTP client says how much it
still holds (\`ScopedHttpClient.HeldBytes\`). The bare loop reads into new memory each time, which adds to garbage collection.`,
  upload: `The client sends chunks of two mebibytes, and hashes each once the system has the one before it.`,
  latency: `Proxy, server and client share two cores here, and the proxy delays all data by 30 ms. That costs a
transfer only its few round trips: with 90 ms, a download of 512 MiB took 1.2 times as long as without delay, with this library
and with the loop. One connection delivers as much as the processor can handle, so several concurrent ranges would gain nothing.`,
  memory: `Peak memory is that of the whole process, as Linux counts it. Both transfers are of files.`,
  compiled: `Each process has transferred half a gigabyte or more before the measurement starts. From 128 MiB on, throughput is then
constant to an eighth. A transfer of 16 MiB takes as many requests as one of 2 GiB, and varies more from round to round.`,
  growth: `Each transfer runs in a fresh process: compiling the code and opening the connection take a large part of the time for
16 MiB and almost none for 2 GiB. So throughput rises with size, for the bare loop and for this library. The library has more code to
compile, so it is behind the loop at 16 MiB. From 128 MiB on, it is as fast as the loop to a tenth.`,
  image: `The limit is the registry, which does most of the work and shares two cores with its client: even a loop without a
library is less than twice as fast as the Azure SDK. Once the code is compiled, this library is about as fast as that loop, or faster.
In a fresh process, all of that code runs forty times within half a second, and compiling it puts this library behind. This
library sends a layer in two requests, and the loop and the Azure SDK in three: with three, its push was 0.92 times as fast as the
SDK's.`,
  copy: `Each blob is hashed once, on its way from one registry to the other. For 40 small layers a process of Node runs most of its
code for the first time, which the programs in Go have compiled before. Referrers are omitted, because the others do not look for them.`,
  "save-archive": `The files of these two cases are in memory (\`TMPDIR=/dev/shm\`), so that the case compares the programs and not the
disk. The bare loop hashes what it reads, and writes and syncs the same files.`,
  "tools-pull": `In this case and the next two a contestant is a whole process, as a user waits for it: start, transfer and end. Skopeo,
crane, oras and regctl are the tools themselves; this library and the bare loop are each a program of one file. "Without
start" subtracts the time that the same contestant took in the same round to start and transfer nothing, such as \`crane version\`.
Processor time is that of the process and of the system on its behalf, and memory is the peak of the process, both as the system
counts them. The registries have no TLS. The files are in memory (\`TMPDIR=/dev/shm\`), so that the programs are compared and not
the disk. The bare loop uses \`node:http\` and \`node:crypto\`, transfers six blobs at a time, hashes each once, and syncs each file.
"Bare loop ÷ crane" and "bare loop ÷ skopeo" show how far one thread of JavaScript gets. "eacr" is the command \`eacr cp --no-referrers\` as npm installs it,
with its compile cache filled, and "executable" is the same command as one file that contains Bun; their start is never subtracted.
The program with this library has [the line for short programs](startup.md#a-line-for-short-programs); "ours with less memory" is the same
program with [the setting for less memory](startup.md#less-memory).

With few large layers the thread of JavaScript is the limit, a third of whose time is SHA-256. A thread for hashing, tried in a
bare loop, gained nothing: client and registry share two cores, and need more than two seconds of processor time together
for 4 × 200 MiB. Writing a chunk while the next arrives gained 3 % at most, and was not kept. With many small layers most of
the code runs for the first time, which the programs in Go have compiled before. V8's compilers take memory meanwhile: with
\`--optimize-for-size\`, for which they do less, a pull of 60 × 1 MiB held 106 MiB instead of 114 MiB, and took a seventh more processor
time. A larger young generation (\`--max-semi-space-size\` of 32 or 64 MiB) changed nothing.

The first blob of a pull takes 60 ms on top of the start, and one of many 4 ms: the time goes into code that runs for the first
time, not into code that runs often. One more blob took 9,700 calls of functions in JavaScript, and then 6,900 when the layers of a
transfer were merged, but 60 blobs took only 4 % less processor time. A body of 1 MiB was given to the connection in sixteen parts, and
is now in four: whole pushes took 7, 8 and 2 % less processor time in three series, and whole copies 5 and 2 % in two. The tables are
from before that. To create and catch an error for each blob that the registry does not have yet took 6 % of a push
and 8 % of a copy, until the look-up returned that as a result. Memory gained more: each blob of 1 MiB left one to two MiB of garbage, which V8 collects only
after some 60 MiB. Since that memory is used again or freed at once, a push takes an eighth less processor time, and these programs hold
34 to 46 MiB less.

V8 parses each arrow function of a module in full when the module loads, and any other function only as far as it must. With
functions in place of 4,941 arrow functions, the minified bundle held 75 MiB instead of 81 at its start and 2 MiB less in transfers, which took
4 % less processor time. It was left out, as it needs a plugin for the bundler.

Two ways to keep compiled code were tried and left out. V8's code cache, made after a transfer (\`createCachedData\` of \`vm.Script\`), has
all functions that ran: the start took 0.07 s instead of 0.11 s, and a pull of 60 × 1 MiB 0.38 s instead of 0.43 s. But it needs a loader and a
cache of our own. Node's compile cache, which [starting faster](startup.md#compile-cache) describes, has only the functions that V8 compiles
as a file loads: 0.08 s and 0.41 s. A snapshot of the started program (\`--build-snapshot\`) cannot have \`node:http\` or \`node:tls\` in it:
Node 24.21 ends with a fatal error. The executable contains its bytecode, and compiles it to machine code fifty times as late as Bun does by
itself: a pull of 60 × 1 MiB took 0.36 s of processor time with that, and 0.54 s without.

The HTTP client is undici. In a bare loop, its first request took 0.03 s longer than that of \`node:http\`, whose code is compiled in Node
already, and 22 MiB more. 60 × 1 MiB took as long with either, 0.27 and 0.26 s. 4 × 200 MiB took 1.05 s instead of 1.17 s, an eighth less
processor time, and 124 MiB instead of 160 MiB. Giving each file its size before it is written gained the loop nothing. To write pieces as
they arrive (\`writev\`) instead of copying them into a buffer gained it a fifteenth with 60 × 1 MiB, and nothing with
4 × 200 MiB; Effect's files have no \`writev\`. Buffers of 256 and 512 KiB instead of 1 MiB, or buffers that are used again, gained this
library nothing.`,
  "tools-push": `Each contestant checks whether the registry has a blob before it uploads it. This library and the bare loop hash the
content of the layout. The repository is new, and the registry is empty before each turn, so that no blob can be mounted. A
blob of 1 MiB takes three requests, HEAD, POST and PUT: we tried to send it with the POST, but distribution ignores the digest there and
opens a session (versions 2.8 and 3.1).

A way without the HEAD was tried: the upload begins as a mount of the blob from the repository itself, and the registry says that it has
the blob, or opens a session. A push of 60 × 1 MiB took 3 % less time, and a copy 5 %. It was left out, because each blob that
the registry has would then take a POST instead of a HEAD, and registries limit writes more than reads.`,
  "tools-copy": `Both registries and the client share the cores of the machine. The target is empty before each turn.`,
  "copy-large": `Two registries, which hash and write every byte, and the client share two cores. The programs in Go use both, and Node one.`,
  lists: `This library requests 999 items at a time, the others the registry's default of 100: a tenth of the requests, each of which
would also cost a round trip to a distant registry. The first four rows show that. In the next four, all others request pages of
the same size: there the limit is Effect's HTTP client and its schemas, without this library. The client decodes and checks each item,
with two times and four attributes, while the bare loop counts the results of JSON.parse: of 0.15 s for 10,000 tags, checking them
takes 0.03 s. This library and Effect together take two fifths of the time. A record that never changed has one time, and reading
that once made tags 7 % to 9 % faster, and manifests 3 %. If you need only a few items of a list, set \`pageSize\`. Requesting a page in advance was
tried twice, and gained nothing. The goals were met until the emulator became faster, which helps most the contestant that sends most
requests. The same client and the same loop, in turn with the old and the new emulator (medians of seven, in seconds): tags, this
library 0.205 and 0.210, the loop 0.192 and 0.137; manifests, this library 1.19 and 0.31, the loop 1.65 and 0.20. At a distance of
5 ms the result is reversed, as those rows show with the smallest possible registry.`,
  cli: `Each call is a whole process, with the compile cache filled. The registry is the emulator without TLS. "npm" is the package as it is
published; "Bun" is one executable made of the same files. An executable by Node (\`--experimental-sea-config\` of Node 24, with its code
cache) was tried and rejected: \`ls\` took as much processor time as with npm, 2.4 times that of Bun, and 1.6 times its memory.
With Bun 1.4.5, a program with only \`effect/cli\` takes 44 MiB, and one that lists the same repositories with the library alone took 70 MiB
when \`ls\` took 77 MiB: \`ls\` cannot stay below 60 MiB. With npm, \`ls\` took 98 to 109 MiB until a change kept V8 from compiling the HTTP parser twice.`,
  "list-growth": `Time for each item falls as V8 compiles the code. A list of 1000 ends before it reaches the memory of longer
ones; ten times 10,000 take almost no more. For the rows on memory, Node has 48 MiB for old objects and 1 MiB for new ones; with its defaults
it collects garbage later.`,
  manifests: `Effect alone sends a request, hashes the answer and decodes a manifest of simple fields. This library also checks media types
and digests, keeps unknown fields, limits the time of the request and the size of its body, and has two spans and a duration for each
read. That takes 3,000 calls of functions in JavaScript, and Effect alone 1,400. A stream for each body made it a quarter slower: the objects
of a stream stayed until V8's next full collection of garbage, with all that they refer to. Effect's compiler of schemas was tried
and gained nothing. What it allocates counts: until descriptors without labels were read without a generator of Effect for each, and
the origin of the registry was worked out once, a read allocated an eighth more and took a tenth longer.`,
  retention: `Half of the manifests belong to releases: indexes, images for two platforms, referrers and signatures. The first inventory
reads each of these 50,000. The other half are Docker images, which reference no other manifest and are not read. The cache is a folder with a
file for each manifest that was read. For the rows on memory, Node has 175 MiB for old objects and 1 MiB for new ones, and
glibc two arenas (\`MALLOC_ARENA_MAX=2\`): without that, the threads that write the files of the cache take 30 MiB more. With
the defaults of Node, garbage lies longer, and a process takes up to 700 MiB. Most of the memory is the inventory, about 700 bytes for a manifest with
its tag. A plan takes as much again while it is made.`,
  "retention-apply": `A deletion requests the newest page of the manifests and of the tags, the manifest, and the DELETE. In the second
row, a check that finds a new manifest reads it and is repeated. All pushes of this run fall within the minute by which a
registry's clocks may differ, so that each check lists all of them, 50 a page. A longer run lists those of the last minute.`,
  migration: `Each migration is a process that calls \`Migration.run\` on registries in memory. These collect requests for two milliseconds and
answer them together. They generate images on read, and the target stores one bit for each. "Besides the copies" subtracts what the same
lists and \`Copy\` alone need for the same million images: the rest is the comparison, the plan, the database, the workflows and
the events. Both of these processes have the heap that Node gives itself. What is recorded meets its goal
(\`migration-records\`); with all the rest, the same goal is missed. In a profile of 100,000 images, a quarter of the rest was
garbage collection and a sixth SQLite's statements; what remained was spread over Effect's functions, and no function of the
migration took more than 1.1 % of the whole. Copies without retries, more room for new objects and fewer threads for garbage
collection made no difference beyond that between equal runs. The rest took from 60 to 330 microseconds for each of 50,000 or
100,000 images in runs by hand at different times; on the day of this table, 120 with this latency and 84 without, of which what
it records is 31 (\`migration-records\`). The time of a migration is that of its copies: 100,000 images took 31 seconds, and 33
seconds by \`Copy\` alone, one repository after the other. Over HTTP (\`migration-http\`), a process
takes 4,800 microseconds for each artifact. The other rows are of processes with 160 MiB for old objects and 8 MiB for new ones, in which
Node collects garbage all the time. Time is that of the processor, as the simulation waits for its timers.`,
  "migration-records": `A process writes to SQLite all that a migration records of these images, by the same workflows and the same
tables: repositories, plans, batches, outcomes in groups of 50 with the places of two blobs of each image, and what is verified. It
lists, compares and copies nothing. Both processes have the heap that Node gives itself. On a slower machine it took 95 s. SQLite's
statements are 40 % of the records. A larger cache of pages, fewer checkpoints and a mapped file gained nothing.`,
  "migration-shapes": `Processes as in \`migration\`. Of a repository, the lists of both sides are in memory while they are compared, for which Node has
320 MiB for old objects where one repository has all tags.`,
  "migration-http": `Both emulators, without TLS, share the cores with the migration. A repository has 1,000 images. The
process has 160 MiB for old objects, and copies 64 artifacts at a time.`,
  "migration-tools": `Both registries are emulators without TLS. Each contestant copies into an empty one. Skopeo gets a list of the
repositories; regctl and oras run once for each image, and are given its repository and tag, which the others find by themselves. Of
images for several platforms, all are copied. A referrer is a signature, an SBOM or a note on an SBOM. The missing tags are those of signatures
by cosign 2. Processor time is that of the contestant and of all its processes, and memory the most that one of these
held. The migration lists both registries a second time, to verify what it has copied.`,
  "emulator-start": `The packed command, which is one bundle, with its control API and page, on any free port. The time ends with the line of
\`--json\`.`,
  "emulator-directory": `An emulator that keeps its folder, and one that does not, in the same run. A request appends one line to a file of changes.
A page is the first thousand of the manifests; the repository is sorted once until it changes.`,
  soak: `Each client pushes, pulls, lists and deletes images, asks for tokens, and leaves uploads behind. The emulator keeps a folder, and
its clock runs an hour each second, so that whatever expires after a day expires within the run.`,
  import: `The limit is Effect itself: one of its modules alone, the fourth row, takes more than the goal. A program that uses Effect
has imported it already; what this library adds is the second row. The third counts Effect's modules without any of ours:
no client on Effect can be smaller.`,
  start: `Each program is a process that loads the packages as they are published, from node_modules as pnpm makes it. Its time ends when
the server receives its first request. "Effect alone" imports the same modules of Effect, of its package for Node and of undici, but
none of this library, and makes the same request with Effect's \`NodeHttpClient.layerUndici\`. That loads the whole of undici, with its \`fetch\`, caches and mocks. This library loads the
quarter that makes connections, which starts a program about 0.02 s earlier: before, the ratios were 1.13 to 1.23. How to start
faster: [start faster](startup.md).`,
  bundle: `The same limit: the required part of Effect, the third row, is larger than half of the Azure SDK's client. The second row is
the size that this library adds to a program with Effect. The bundle for Node contains undici.`
}
