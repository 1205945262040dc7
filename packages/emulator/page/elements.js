// @ts-check
/**
 * Elements of the page. Data enters them as text and attributes alone, never as markup.
 */

/**
 * Makes an element. An attribute that is `true` or `false` is there or not.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {{ readonly [attribute: string]: string | boolean }} attributes
 * @param {ReadonlyArray<Node | string>} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) {
    if (typeof value === "boolean") made.toggleAttribute(attribute, value)
    else made.setAttribute(attribute, value)
  }
  made.append(...children)
  return made
}

/**
 * Makes a button.
 *
 * @param {string} label
 * @param {() => void} click
 * @param {{ readonly [attribute: string]: string | boolean }} attributes
 */
export const button = (label, click, attributes = {}) => {
  const made = element("button", { type: "button", ...attributes }, label)
  made.addEventListener("click", click)
  return made
}

/**
 * The element of index.html that has an id.
 *
 * @template {HTMLElement} Type
 * @param {string} id
 * @param {new () => Type} type
 * @returns {Type}
 */
export const byId = (id, type) => {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new Error(`index.html has no such element: ${id}`)
  return found
}

/**
 * Puts other children into an element. The focus stays where it was: on the same element, or on the one with the same
 * `data-key`, or a person with a keyboard would start over at each change.
 *
 * @param {Element} parent
 * @param {ReadonlyArray<Node | string>} children
 */
export const replace = (parent, children) => {
  const focused = document.activeElement
  const held = focused instanceof HTMLElement && parent.contains(focused) ? focused : undefined
  parent.replaceChildren(...children)
  if (held === undefined) return
  const again = held.isConnected
    ? held
    : Array.from(parent.querySelectorAll("[data-key]")).find(
        (candidate) => candidate instanceof HTMLElement && candidate.dataset["key"] === held.dataset["key"]
      )
  if (again instanceof HTMLElement) again.focus({ preventScroll: true })
}

/**
 * A digest or an address in short. A click copies the whole; where the browser does not let the page do so, it is shown
 * instead.
 *
 * @param {string} short
 * @param {string} whole
 * @param {string} key
 */
export const copied = (short, whole, key) => {
  const made = button(
    short,
    () => {
      // Browsers have a clipboard for https and for this machine alone.
      const written = navigator.clipboard === undefined ? Promise.reject() : navigator.clipboard.writeText(whole)
      written.then(
        () => {
          made.classList.add("copied")
          made.setAttribute("aria-label", `Copied ${whole}`)
        },
        () => {
          made.textContent = whole
        }
      )
    },
    { class: "copy", title: `${whole}\nClick to copy`, "aria-label": `Copy ${whole}`, "data-key": key }
  )
  made.addEventListener("blur", () => {
    made.classList.remove("copied")
    made.setAttribute("aria-label", `Copy ${whole}`)
  })
  return made
}

/**
 * What stands under a list of which not all is shown: how much more there is, and a button for it.
 *
 * @param {number} hidden
 * @param {number} step
 * @param {string} key
 * @param {() => void} showMore
 */
export const andMore = (hidden, step, key, showMore) =>
  hidden <= 0
    ? []
    : [
        element("span", { class: "quiet" }, `and ${hidden.toLocaleString("en")} more `),
        button(`Show ${Math.min(step, hidden).toLocaleString("en")} more`, showMore, { "data-key": key })
      ]
