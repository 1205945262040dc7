// @ts-check
/**
 * The repositories with their tags, and artifacts as trees.
 *
 * A registry may have 20,000 tags, so that lists show their beginning, and a tree is made when it is opened.
 *
 * @import { RepositoryContents, RepositorySummary } from "../src/Contents.ts"
 * @import { Graph, Node as TreeNode } from "./artifacts.js"
 */
import { get, showingErrors } from "./api.js"
import { graphOf, kindOf, lockOf, typeOf, under } from "./artifacts.js"
import { andMore, button, byId, copied, element, replace } from "./elements.js"
import { bytes, count, shortDigest, time } from "./text.js"

/** How many rows a list shows, and how many more at a time. */
const step = 100

/** A repository with more manifests is loaded again only when a person says so. */
const largestReloaded = 2000

/**
 * @param {string} text
 * @param {string} kind
 */
const badge = (text, kind) => element("span", { class: `badge ${kind}` }, text)

/**
 * @param {Parameters<typeof lockOf>[0]} attributes
 */
const lock = (attributes) => {
  const text = lockOf(attributes)
  return text === undefined ? [] : [badge(text, "locked")]
}

/**
 * What a row says of a manifest.
 *
 * @param {TreeNode} node
 * @param {string} key
 */
const facts = ({ digest, manifest }, key) => {
  if (manifest === undefined) return [badge("missing", "missing"), copied(shortDigest(digest), digest, `copy ${key}`)]
  const { attributes, createdTime, imageSize, mediaType, platform, references, size } = manifest
  const kind = kindOf(manifest)
  const type = typeOf(manifest)
  return [
    badge(kind, kind),
    // An artifact that is no image has the platform "/".
    ...(platform === undefined || platform.os === ""
      ? []
      : [element("span", {}, `${platform.os}/${platform.architecture}`)]),
    ...(type === undefined ? [] : [element("span", { class: "type" }, type)]),
    ...(kind === "index" ? [element("span", {}, count(references.length, "manifest"))] : []),
    element("span", { title: `The manifest itself: ${bytes(size)}` }, bytes(imageSize)),
    ...lock(attributes),
    element("time", { class: "quiet", datetime: createdTime, title: `Pushed ${createdTime}` }, time(createdTime)),
    element(
      "div",
      { class: "quiet details" },
      copied(shortDigest(digest), digest, `copy ${key}`),
      element("span", { class: "type" }, mediaType)
    )
  ]
}

/**
 * The tags of a manifest under another one.
 *
 * @param {TreeNode} node
 */
const tagsOf = ({ manifest }) =>
  (manifest?.tags ?? []).slice(0, 3).map((tag) => element("strong", { class: "tag" }, tag))

/**
 * A repository: a row that opens to its tags.
 *
 * @param {string} name
 * @param {HTMLElement} errors
 */
const repositoryView = (name, errors) => {
  /** @type {RepositorySummary | undefined} */
  let summary
  /** @type {Graph | undefined} */
  let graph
  let isOpen = false
  let isStale = false
  let shown = step
  /** The trees that are open, by their places. @type {Set<string>} */
  const expanded = new Set()

  const tags = element("ul", { class: "tree" })
  const more = element("div", { class: "more" })
  const note = element("p", { class: "quiet" })
  const filter = element("input", {
    type: "search",
    placeholder: "Filter",
    title: "By tag, digest or type",
    "aria-label": `Filter tags of ${name}`
  })
  const order = element(
    "select",
    { "aria-label": "Order of tags" },
    element("option", { value: "time" }, "newest first"),
    element("option", { value: "name" }, "by name")
  )
  const controls = element("div", { class: "bar" }, filter, order)
  const body = element("div", { class: "body", hidden: true }, controls, note, tags, more)
  const toggle = button(name, () => void open(), { class: "toggle name", "aria-expanded": "false" })
  const about = element("span", { class: "quiet" })
  const root = element("li", {}, element("div", { class: "row" }, toggle, about), body)

  /**
   * A row, and under it what stands under the manifest once it is opened.
   *
   * @param {TreeNode} node
   * @param {string} key The place in the tree: an image may be in two of them.
   * @param {ReadonlyArray<Node>} label
   * @returns {HTMLLIElement}
   */
  const row = (node, key, label) => {
    const children = graph === undefined ? [] : under(graph, node)
    const nested = element("ul", { class: "tree" })
    const fill = (limit = step) => {
      const rows = children
        .slice(0, limit)
        .map((child) => row(child, `${key} ${child.relation} ${child.digest}`, tagsOf(child)))
      const rest = andMore(children.length - limit, step, `more ${key}`, () => fill(limit + step))
      replace(nested, [...rows, ...(rest.length === 0 ? [] : [element("li", { class: "more" }, ...rest)])])
    }
    const show = () => {
      const isExpanded = expanded.has(key)
      nested.hidden = !isExpanded
      opener.setAttribute("aria-expanded", String(isExpanded))
      if (isExpanded && nested.childElementCount === 0) fill()
    }
    const flip = () => {
      if (!expanded.delete(key)) expanded.add(key)
      show()
    }
    const what = label.map(({ textContent }) => textContent).join(" ") || shortDigest(node.digest)
    const opener = button("", flip, { class: "toggle", "aria-label": `Open ${what}`, "data-key": key })
    const about = element("div", { class: "facts" }, ...label, ...facts(node, key))
    if (children.length === 0) {
      return element("li", {}, element("div", { class: "row leaf" }, about))
    }
    show()
    return element("li", {}, element("div", { class: "row" }, opener, about), nested)
  }

  /**
   * @param {Graph} held
   * @returns {ReadonlyArray<() => HTMLLIElement>} The rows that the filter leaves. They are made when they are shown.
   */
  const rowsOf = ({ contents, manifests, untagged }) => {
    const wanted = filter.value.trim().toLowerCase()
    /**
     * @param {ReadonlyArray<string | undefined>} texts
     */
    const fits = (...texts) => wanted === "" || texts.some((text) => text?.toLowerCase().includes(wanted))
    const listed = contents.tags.filter(({ digest, name: tag }) =>
      fits(tag, digest, manifests.get(digest)?.artifactType)
    )
    if (order.value === "time") listed.sort((a, b) => (a.lastUpdateTime < b.lastUpdateTime ? 1 : -1))
    return [
      ...listed.map(({ attributes, digest, name: tag }) => () => {
        const node = { digest, manifest: manifests.get(digest), relation: /** @type {const} */ ("root") }
        return row(node, `tag ${tag}`, [element("strong", { class: "tag" }, tag), ...lock(attributes)])
      }),
      ...untagged
        .filter(({ artifactType, digest, mediaType }) => fits(digest, artifactType, mediaType))
        .map((manifest) => () => {
          const { digest, subject } = manifest
          const label =
            subject === undefined
              ? [element("em", { class: "quiet" }, "untagged")]
              : [element("em", { class: "quiet", title: subject }, "its subject is missing")]
          return row({ digest, manifest, relation: "root" }, `untagged ${digest}`, label)
        })
    ]
  }

  const render = () => {
    if (graph === undefined) return
    const rows = rowsOf(graph)
    const isEmpty = graph.contents.manifests.length === 0
    controls.hidden = isEmpty
    note.hidden = rows.length > 0 && !isStale
    note.textContent = isStale ? "" : isEmpty ? "It holds nothing." : "Nothing fits the filter."
    if (isStale)
      note.append(
        "It has changed. ",
        button("Load again", () => void load(), { "data-key": "load" })
      )
    replace(
      tags,
      rows.slice(0, shown).map((make) => make())
    )
    replace(
      more,
      andMore(rows.length - shown, step, "more", () => {
        shown += step
        render()
      })
    )
  }

  const load = () =>
    showingErrors(errors, async () => {
      /** @type {RepositoryContents} */
      const contents = await get(`contents?repository=${encodeURIComponent(name)}`)
      graph = graphOf(contents)
      isStale = false
      render()
      replace(about, [describe(), ...lock(contents.attributes)])
    })

  const describe = () =>
    summary === undefined
      ? ""
      : `${count(summary.tagCount, "tag")}, ${count(summary.manifestCount, "manifest")}, changed ${time(summary.lastUpdateTime)} `

  const open = async () => {
    isOpen = !isOpen
    toggle.setAttribute("aria-expanded", String(isOpen))
    body.hidden = !isOpen
    if (isOpen) await load()
  }

  const restart = () => {
    shown = step
    render()
  }
  filter.addEventListener("input", restart)
  order.addEventListener("change", restart)

  return {
    root,
    /** Loads it again if it is open. */
    reload: async () => {
      if (isOpen) await load()
    },
    /**
     * @param {RepositorySummary} next
     */
    update: async (next) => {
      const hasChanged = JSON.stringify(summary) !== JSON.stringify(next)
      summary = next
      if (!hasChanged) return
      replace(about, [describe(), ...(graph === undefined ? [] : lock(graph.contents.attributes))])
      if (!isOpen || graph === undefined) return
      if (next.manifestCount <= largestReloaded) await load()
      else {
        isStale = true
        render()
      }
    }
  }
}

/**
 * Starts the section.
 *
 * @returns {{ readonly refresh: () => Promise<void> }} `refresh` loads the repositories again, and those open that changed.
 */
export const start = () => {
  const list = byId("repositories", HTMLUListElement)
  const filter = byId("repository-filter", HTMLInputElement)
  const empty = byId("contents-empty", HTMLParagraphElement)
  const more = byId("repositories-more", HTMLDivElement)
  const errors = byId("contents-error", HTMLParagraphElement)
  /** @type {Map<string, ReturnType<typeof repositoryView>>} */
  const views = new Map()
  /** @type {ReadonlyArray<RepositorySummary>} */
  let summaries = []
  let limit = step
  let drawn = ""

  /**
   * @param {string} name
   */
  const viewOf = (name) => {
    const known = views.get(name)
    if (known !== undefined) return known
    const made = repositoryView(name, errors)
    views.set(name, made)
    return made
  }

  const render = () => {
    const wanted = filter.value.trim().toLowerCase()
    const fitting = summaries.filter(({ name }) => name.toLowerCase().includes(wanted))
    const visible = fitting.slice(0, limit)
    empty.hidden = fitting.length > 0
    empty.textContent = summaries.length === 0 ? "There are no repositories." : "Nothing fits the filter."
    for (const summary of visible) void viewOf(summary.name).update(summary)
    const names = visible.map(({ name }) => name).join(" ")
    // Rows that are as they were stay, with what is typed in them.
    if (names !== drawn)
      replace(
        list,
        visible.map(({ name }) => viewOf(name).root)
      )
    drawn = names
    replace(
      more,
      andMore(fitting.length - limit, step, "more", () => {
        limit += step
        render()
      })
    )
  }

  const refresh = async () => {
    await showingErrors(errors, async () => {
      summaries = await get("repositories")
      const names = new Set(summaries.map(({ name }) => name))
      for (const name of views.keys()) if (!names.has(name)) views.delete(name)
      render()
    })
  }

  filter.addEventListener("input", () => {
    limit = step
    render()
  })
  byId("refresh", HTMLButtonElement).addEventListener("click", async () => {
    await refresh()
    // Also those whose summary is the same: a lock does not count as a change.
    for (const view of views.values()) await view.reload()
  })
  return { refresh }
}
