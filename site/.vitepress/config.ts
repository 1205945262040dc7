/**
 * The site: how its pages look, and what its search finds first. `build.ts` puts the pages where they are read here.
 */
import { slug } from "github-slugger"
import { defineConfig, type MarkdownRenderer } from "vitepress"
import { repository, site } from "../addresses.ts"
import { version } from "../changelog.ts"
import { linkOn, pictureOn } from "../links.ts"
import { sidebar } from "../sidebar.ts"
import { built, staged } from "../sources.ts"

/** Documents are Markdown: links as they have them become links of the site, and nothing in code is for Vue. */
const readDocuments = (md: MarkdownRenderer): void => {
  // `:-)` and its like are text.
  md.disable("emoji")
  md.core.ruler.push("documents", ({ env, tokens }) => {
    const source = String(env.frontmatter.source)
    // VitePress gives indented code no box.
    for (const block of tokens) if (block.type === "code_block") block.type = "fence"
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.attrGet("href")
      const src = token.attrGet("src")
      if (token.type === "link_open" && href !== null) token.attrSet("href", linkOn(source, href))
      if (token.type === "code_inline") token.attrSet("v-pre", "")
      if (token.type === "image" && src !== null) token.attrSet("src", pictureOn(source, env.relativePath, src))
    }
  })
}

export default defineConfig({
  title: "effect-acr",
  description: "Azure Container Registry and OCI registries for Effect",
  lang: "en",
  base: new URL(site).pathname,
  srcDir: staged,
  outDir: built,
  // The sidebars once, and not within each page.
  metaChunk: true,
  sitemap: { hostname: site },
  // None is loaded: a browser would look for one.
  // The index of the search is one file, which a browser gets once it searches.
  vite: { build: { chunkSizeWarningLimit: 3000 } },
  head: [["link", { rel: "icon", href: "data:," }]],
  markdown: {
    // The anchors that GitHub gives, so that links within the documents hold in both places.
    anchor: { slugify: slug },
    // `{…}` is text, as on GitHub.
    attrs: { disable: true },
    config: readDocuments
  },
  themeConfig: {
    nav: [
      { text: "Guides", link: "/guides.html", activeMatch: "^/(?!api/|cli/|examples/|changelog).+" },
      { text: "Examples", link: "/examples/", activeMatch: "^/examples/" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
      { text: "Command", link: "/cli/", activeMatch: "^/cli/" },
      { text: `v${version}`, link: "/changelog.html" },
      { text: "Source", link: repository }
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: {
      provider: "local",
      options: {
        // The words of a page. Colours of code take half of the build's time, and have no words.
        _render: (text, env, md) => {
          const { highlight } = md.options
          md.set({ highlight: null })
          try {
            return md.render(text, env)
          } finally {
            md.set({ highlight })
          }
        },
        miniSearch: {
          searchOptions: {
            // A typing error in a short word makes another word of it.
            fuzzy: (term: string) => (term.length > 5 ? 0.2 : false),
            boost: { title: 4, titles: 2, text: 1 },
            // The browser gets this function by its text, so that it uses nothing from outside. A guide is about a task; the
            // reference, changes and lists of pages have the same words in many places.
            boostDocument: (id: string) => {
              if (/\/(?:api\/|changelog\.html|contributing\.html|guides\.html)/.test(id)) return 0.3
              return /\/(?:cli|examples)\//.test(id) ? 0.6 : 1
            }
          }
        }
      }
    }
  }
})
