/**
 * The style of the status page.
 */

export const style = `
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --sheet: #fff; --text: #1b1f24; --quiet: #59636e; --line: #d5dae0; --accent: #1f5fbf; --bad: #b42318;
  font: 15px/1.5 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0f1216; --sheet: #181c22; --text: #e6e9ed; --quiet: #9aa4b0; --line: #323943; --accent: #7db0ff; --bad: #ff8f85;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1rem; padding: .7rem 1rem;
  border-bottom: 1px solid var(--line); background: var(--sheet); }
h1 { margin: 0 auto 0 0; font-size: 1.15rem; overflow-wrap: anywhere; }
h2 { margin: 0 0 .5rem; font-size: 1.05rem; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
main { display: grid; gap: 1rem; max-width: 1100px; margin: 0 auto; padding: 1rem; }
main > * { min-width: 0; }
section { padding: .8rem 1rem 1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--sheet); }
@media (min-width: 800px) {
  main { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  main > :not([aria-labelledby="totals"], [aria-labelledby="failures"]) { grid-column: 1 / -1; }
}
.steps { display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; margin: 0 0 .8rem; padding-left: 1.2rem; color: var(--quiet); }
.steps li { padding-right: .8rem; }
.steps [aria-current] { color: var(--accent); }
.bar { display: block; margin-bottom: .8rem; }
progress { display: block; width: 100%; height: .9rem; accent-color: var(--accent); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: .6rem 1rem; margin: 0; }
dl > div { min-width: 0; }
dt { color: var(--quiet); font-size: .9rem; }
dd { margin: 0; font-weight: 600; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { color: var(--quiet); font-weight: 400; font-size: .9rem; text-align: left; }
th, td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:not(.number) { min-width: 6.5rem; overflow-wrap: anywhere; }
@media (max-width: 500px) {
  th, td { padding-right: .5rem; font-size: .87rem; }
}
tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.quiet { margin: 0; color: var(--quiet); }
.retrying { margin: 0 0 .8rem; overflow-wrap: anywhere; }
.bad { color: var(--bad); font-weight: 600; }
#notice { max-width: 1068px; margin: 1rem auto 0; padding: .6rem 1rem; border: 1px solid var(--bad); border-radius: 8px;
  color: var(--bad); background: var(--sheet); }
#notice[hidden] { display: none; }
`
