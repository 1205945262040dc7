/**
 * docs/emulator-conformance.md, from the lists that the tests compare.
 */
import { table } from "../support/markdown.ts"
import { tools } from "../support/tools.ts"
import { type Command, type Script, scripts } from "./commands.ts"
import { deviations } from "./deviations.ts"
import { differences } from "./differences.ts"

/** A `|` would end a cell. */
const cell = (text: string): string => text.replaceAll("|", "\\|")

const resultOf = ({ differs, refusedWith }: Command): string =>
  [refusedWith ?? "ok", ...(differs === undefined ? [] : [`(${differences[differs].title})`])].join(" ")

const versionOf = ({ tool }: Script): string => (tool === "skopeo" ? "of the system" : tools[tool].version)

const section = (script: Script): string => `### ${script.tool} (${versionOf(script)})

${table(
  ["Command", "Result"],
  script.commands.map((command) => [`\`${cell(command.line)}\``, cell(resultOf(command))])
)}`

export const page = (): string => `# Conformance of the emulator

The emulator answers as Azure Container Registry does. Tests prove it with programs of others: they run these against the
emulator in its default mode, http on \`127.0.0.1\` with downloads of blobs redirected to \`localhost\`. Lists hold each deviation
with its reason, and the tests fail on a listed deviation that no longer exists. A command writes this page from the lists
(\`npx -y pnpm@12 conformance\`).

## OCI's conformance suite

All workflows of version 1.1 (pull, push, content discovery, content management) pass, with cancelled uploads and
\`Docker-Content-Digest\` of manifests, except for the tests in the table. The suite is
\`${tools.conformance.package}@v${tools.conformance.version}\`; \`test/conformance.test.ts\` runs it with one setting that is not
its default: \`OCI_CACHE_AUTH=false\`. By default the suite mounts blobs with the token of one repository, which has no permission
for the other one. The emulator then opens an upload, and the suite skips the test of mounts too.

${table(
  ["Test", "Result", "Reason"],
  deviations.map(({ reason, status, test }) => [`\`${test}\``, status, cell(reason)])
)}

## Azure's clients

The published clients of Azure for JavaScript (\`@azure/container-registry\`), Python (\`azure-containerregistry\`) and Go
(\`azcontainerregistry\`) run all of their operations over TLS, with the certificate of the emulator and a token of its Entra ID:
lists in pages and in both orders, properties and locks, tags, manifests by tag and by digest, uploads and downloads in
chunks, mounts, cancelled uploads, deletions, and refused requests. The programs are in \`test/azureSdk.test.ts\`,
\`test/tools/azurePython\` and \`test/tools/azureGo\`.

We ran the test suites of two of them by hand in November 2026, against an emulator with \`anonymousPull\`. No run used Azure, so
we replaced parts of the suites:

- Go, 0.2.3: all tests pass. A script replaced \`az\`: it returned the token and pushed the images that \`az acr build\` makes. These
  are Docker images, and an OCI index for \`TestClient_UploadManifest\`. The tests require this choice; with the other kind, some
  of them fail.
- Python, 1.2.0: 98 of 100 tests pass. The package lacks the suite's helpers and data, so we wrote the credential, the helpers
  (\`devtools_testutils\`) and the files of the Docker image. The two tests of \`test_set_audience\` fail, because our credential
  returns the same token for every audience. We left out six tests, among them those with blobs of 4 GB.

## Everyday commands

Tests run each command of these tables against the emulator and against version ${tools.registry.version} of the registry of the distribution
project. They compare the exit code and the output or, if a command is refused, the error code of the registry. Digests are the
same, because both registries receive the same bytes. Results are the same, except where a name in parentheses follows the
result:

${table(
  ["Difference", "Reason"],
  Object.values(differences).map(({ reason, title }) => [title, cell(reason)])
)}

\`$registry\` stands for the registry; \`$image\`, \`$blob\`, \`$layer\` and \`$other\` for digests or references that an earlier
command printed.

${scripts.map(section).join("\n\n")}
`
