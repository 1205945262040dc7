/**
 * docs/emulator-conformance.md, of what the tests compare.
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

The emulator answers as Azure Container Registry does, and other people's programs prove it. Tests run them against the
emulator in its default mode: http on \`127.0.0.1\`, with downloads of blobs redirected to \`localhost\`. Each deviation is in a
list with its reason, and a deviation that is gone fails the tests too. This page is written from these lists
(\`npx -y pnpm@12 conformance\`).

## OCI's conformance suite

All workflows of version 1.1 (pull, push, content discovery, content management), with cancelled uploads and
\`Docker-Content-Digest\` of manifests, pass, but for the following. The suite is
\`${tools.conformance.package}@v${tools.conformance.version}\`; \`test/conformance.test.ts\` runs it.
One setting is not its default: \`OCI_CACHE_AUTH=false\`. By default the suite mounts blobs with the token of one repository, which
holds no right to the other one; the emulator opens an upload then, and the suite skips the test of mounts as well.

${table(
  ["Test", "Result", "Reason"],
  deviations.map(({ reason, status, test }) => [`\`${test}\``, status, cell(reason)])
)}

## Azure's clients

The published clients of Azure for JavaScript (\`@azure/container-registry\`), Python (\`azure-containerregistry\`) and Go
(\`azcontainerregistry\`) do all of their operations over TLS, with the certificate of the emulator and a token of its Entra ID:
lists in pages and in both orders, properties and locks, tags, manifests by tag and by digest, uploads and downloads in
chunks, mounts, cancelled uploads, deletions, and what is refused. The programs are in \`test/azureSdk.test.ts\`,
\`test/tools/azurePython\` and \`test/tools/azureGo\`.

The test suites of two of them were run by hand in November 2026, against an emulator with \`anonymousPull\`. No run had Azure
behind it, and parts of the suites had to be replaced:

- Go, 0.2.3: all tests pass. A script in the place of \`az\` gave the token and pushed the images that \`az acr build\` makes:
  images of Docker, but an index of OCI for \`TestClient_UploadManifest\`, which wants one. That choice follows what the tests ask
  for; with the other kind, some of them fail.
- Python, 1.2.0: 98 of 100 tests pass. The package has neither its helpers nor its data, so that the credential, the helpers
  (\`devtools_testutils\`) and the files of the Docker image were ours. The two tests of \`test_set_audience\` fail, because that
  credential gives every audience the same token. Six tests were left out, among them those with blobs of 4 GB.

## Everyday commands

Each command of these tables runs against the emulator and against version ${tools.registry.version} of the registry of the distribution
project. The exit code and the output are compared; of a refused command, the code of the registry. Digests are the same,
because both registries get the same bytes. Commands end the same way on both, except where a name in parentheses follows the
result:

${table(
  ["Difference", "Reason"],
  Object.values(differences).map(({ reason, title }) => [title, cell(reason)])
)}

\`$registry\` stands for the registry; \`$image\`, \`$blob\`, \`$layer\` and \`$other\` for digests or references that a command before
printed.

${scripts.map(section).join("\n\n")}
`
