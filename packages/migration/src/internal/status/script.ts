/**
 * The script of the status page: it requests the page again, and replaces the content in place.
 */

export const script = `
const main = document.querySelector("main")
const notice = document.getElementById("notice")
const isBusy = () => document.hidden || !getSelection().isCollapsed || main.contains(document.activeElement)
const update = async () => {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) })
    if (!answer.ok) throw new Error(answer.statusText)
    const next = new DOMParser().parseFromString(await answer.text(), "text/html")
    notice.hidden = true
    if (isBusy()) return
    document.title = next.title
    main.replaceChildren(...next.querySelector("main").childNodes)
  } catch {
    notice.hidden = false
  }
}
const again = () => setTimeout(() => update().then(again), 3000)
again()
`
