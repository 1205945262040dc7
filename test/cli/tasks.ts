/**
 * docs/cli/tasks.md: everyday tasks, each one line, beside the lines of other commands.
 */

type Other = "crane" | "oras" | "regctl" | "az acr"

interface Task {
  readonly title: string
  readonly line: string
  /** The lines of other commands. One that is left out has none. */
  readonly others: Readonly<Partial<Record<Other, string>>>
  readonly note?: string
}

const repository = "myregistry.azurecr.io/shop/api"
const image = `${repository}:v1.4.0`

export const tasks: ReadonlyArray<Task> = [
  {
    title: "List tags",
    line: `eacr ls ${repository}`,
    others: {
      crane: `crane ls ${repository}`,
      oras: `oras repo tags ${repository}`,
      regctl: `regctl tag ls ${repository}`,
      "az acr": "az acr repository show-tags --name myregistry --repository shop/api"
    }
  },
  {
    title: "List tags by date",
    line: `eacr ls ${repository} --long --sort newest --limit 10`,
    others: {
      "az acr":
        "az acr repository show-tags --name myregistry --repository shop/api --orderby time_desc --detail --top 10"
    },
    note: "It also shows digests, sizes, platforms and locks."
  },
  {
    title: "See labels and size",
    line: `eacr show ${image} --platform linux/amd64`,
    others: {
      crane: `crane config ${image} --platform linux/amd64`,
      oras: `oras manifest fetch-config ${image} --platform linux/amd64`,
      regctl: `regctl image inspect ${image} --platform linux/amd64`
    },
    note: "The lines of the others show labels, and not the size."
  },
  {
    title: "Copy an image with its signatures and SBOMs",
    line: `eacr cp --cosign-tags ${image} production.azurecr.io/shop/api:v1.4.0`,
    others: {
      oras: `oras cp --recursive ${image} production.azurecr.io/shop/api:v1.4.0`,
      regctl: `regctl image copy --referrers --digest-tags ${image} production.azurecr.io/shop/api:v1.4.0`
    },
    note: `\`crane copy\` and \`az acr import\` copy the image alone. Signatures of cosign 2 are tags, which \`--cosign-tags\` includes.

With \`--platform\`, the lines of the others copy the image of that platform, and \`eacr cp\` a new index of it. To copy the image
itself, name it by its digest, which \`eacr digest --platform linux/amd64 ${image}\` prints.`
  },
  {
    title: "Tag again",
    line: `eacr tag ${image} production`,
    others: {
      crane: `crane tag ${image} production`,
      oras: `oras tag ${image} production`,
      regctl: `regctl image copy ${image} ${repository}:production`,
      "az acr": `az acr import --name myregistry --source ${image} --image shop/api:production --force`
    }
  },
  {
    title: "Delete images without a tag, safely",
    line: `eacr purge ${repository} --untagged --older-than 30d --yes`,
    others: {
      "az acr": `az acr run --registry myregistry --cmd "acr purge --filter 'shop/api:^$' --untagged --ago 30d" /dev/null`
    },
    note:
      "What an image with a tag needs stays: platforms, signatures, SBOMs. `--dry-run` shows the plan first. " +
      "[Compared with acr purge](../retention-vs-acr-purge.md)"
  },
  {
    title: "Push a folder",
    line: "eacr push myregistry.azurecr.io/site:v1 dist",
    others: { oras: "oras push myregistry.azurecr.io/site:v1 dist" }
  },
  {
    title: "Pull a folder",
    line: "eacr pull myregistry.azurecr.io/site:v1 -o public",
    others: { oras: "oras pull myregistry.azurecr.io/site:v1 -o public" }
  },
  {
    title: "Save an image for docker load",
    line: `eacr export --format docker --platform linux/amd64 ${image} api.tar`,
    others: {
      crane: `crane pull --platform linux/amd64 ${image} api.tar`,
      regctl: `regctl image export --platform linux/amd64 ${image} api.tar`
    },
    note: "`-` in place of the file writes to a pipe: `eacr export … - | docker load`."
  },
  {
    title: "Load an archive into a registry",
    line: `eacr import api.tar ${repository}:restored`,
    others: {
      crane: `crane push api.tar ${repository}:restored`,
      regctl: `regctl image import ${repository}:restored api.tar`
    },
    note: "Layers without compression, as `docker save` and skopeo write them, are pushed as they are. The others compress them."
  },
  {
    title: "Show the SBOM of an image",
    line: `eacr pull ${image} --attached application/spdx+json -o -`,
    others: { regctl: `regctl artifact get --subject ${image} --filter-artifact-type application/spdx+json` },
    note: "With oras, it takes two commands: `oras discover` finds the digest for `oras pull`."
  },
  {
    title: "See storage by tag",
    line: `eacr du ${repository}`,
    others: {},
    note: "Blobs that several tags share are counted once. `az acr show-usage` has the sum of the whole registry."
  }
]

const names: ReadonlyArray<Other> = ["crane", "oras", "regctl", "az acr"]

const block = (lines: ReadonlyArray<string>): string => `\`\`\`sh\n${lines.join("\n")}\n\`\`\``

const taskText = ({ line, note, others, title }: Task): string => {
  const theirs = names.flatMap((name) => others[name] ?? [])
  const none = names.filter((name) => others[name] === undefined)
  const missing = none.length === 0 ? "" : `\n\nNone: ${none.map((name) => `\`${name}\``).join(", ")}.`
  const beside = theirs.length === 0 ? "" : `\n\n${block(theirs)}`
  return `## ${title}\n\n${block([line])}${beside}${missing}${note === undefined ? "" : `\n\n${note}`}\n`
}

export const tasksPage = (): string => `# Twelve tasks beside crane, oras, regctl and az acr

One line each. First the line of \`eacr\`, then those of other commands that do the same (\`crane\` 0.22, \`oras\` 1.3,
\`regctl\` 0.11). A login of any of them is also a login of \`eacr\`. The same as programs:
[twelve everyday tasks](../tasks.md)

A test runs each line of \`eacr\` on the emulator and on distribution 3, which has none of the APIs of Azure. There, \`ls\` takes
times from the configurations of images. \`purge\` keeps everything, because the registry does not say how old it is, and ends with 3. \`lock\`,
\`unlock\` and \`trash\` fail with exit code 6.

${tasks.map(taskText).join("\n")}`
