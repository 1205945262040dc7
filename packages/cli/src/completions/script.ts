/**
 * Completion scripts for shells. Verbs, flags and choices are part of the script. For names of registries, repositories
 * and tags, the script calls the command.
 */
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as Settings from "../settings.ts"

export const shells = ["bash", "zsh", "fish", "powershell"] as const

export type Shell = (typeof shells)[number]

/** The verb that scripts call. The help does not list it. */
export const lookupVerb = "__complete"

/** The flags that every verb has. `Completions.fromCommand` leaves global flags out. */
const globalFlags = Completions.fromCommand(
  Command.make("global", Object.fromEntries(Settings.all.map(({ flag }, index) => [String(index), flag])))
).flags

/** The flags and arguments whose value is a path, by name: to the command, paths are plain text. */
const pathTypes: ReadonlyArray<readonly [RegExp, "file" | "directory"]> = [
  [/(?:^|-)(?:layout|directory|folder|output)$/, "directory"],
  [/(?:^|-)(?:archive|file|rules|plan|apply)$/, "file"]
]

const withPath = (flag: Completions.FlagDescriptor): Completions.FlagDescriptor => {
  const [, pathType] = pathTypes.find(([pattern]) => pattern.test(flag.name)) ?? []
  return flag.type._tag === "String" && pathType !== undefined ? { ...flag, type: { _tag: "Path", pathType } } : flag
}

const isFile = /^(?:files?|folder|path|archive|document)$/

const withFile = (argument: Completions.ArgumentDescriptor): Completions.ArgumentDescriptor =>
  argument.type._tag === "String" && isFile.test(argument.name)
    ? { ...argument, type: { _tag: "Path", pathType: "either" } }
    : argument

const complete = (command: Completions.CommandDescriptor): Completions.CommandDescriptor => ({
  ...command,
  flags: [...command.flags, ...globalFlags.filter(({ name }) => command.flags.every((own) => own.name !== name))].map(
    withPath
  ),
  arguments: command.arguments.map(withFile),
  subcommands: command.subcommands.map(complete)
})

/** Describes the command for scripts. */
export const describe = (root: Command.Command.Any): Completions.CommandDescriptor =>
  complete(Completions.fromCommand(root))

/**
 * A colon ends a word for readline (`COMP_WORDBREAKS`), so that it replaces a part of a reference alone. The generated
 * helper takes the word as it is typed and the part that is replaced, and cuts the candidates accordingly.
 *
 * Shells hand over words as they are typed: the names of folders in them begin with a tilde, and zsh's are quoted.
 */
const bash = `
_eacr_names()
{
  local cur prev words cword i
  _eacr "$@"
  (( \${#COMPREPLY[@]} == 0 )) || return 0
  _init_completion -n "$COMP_WORDBREAKS" || return 0
  [[ "$cur" == -* ]] && return 0
  local _name _names=() _before=("\${words[@]:1:cword-1}")
  while IFS= read -r _name; do
    _names+=("$_name")
  done < <("\${words[0]}" ${lookupVerb} -- "\${_before[@]/#\\~\\//$HOME/}" "$cur" 2>/dev/null)
  (( \${#_names[@]} > 0 )) || return 0
  _eacr--choices "$cur" "$2" "\${_names[@]}"
  # What follows a registry or a repository is not a new word.
  [[ \${#COMPREPLY[@]} -eq 1 && "$cur" != */*:* ]] && compopt -o nospace 2>/dev/null
  return 0
}

# Names of files where there are no others.
complete -o default -F _eacr_names eacr
`

const zsh = `
_eacr_names() {
  local -a names before=("\${(@Q)words[1,CURRENT-1]}")
  local word="$PREFIX" insert="\${compstate[insert]}" list="\${compstate[list]}"
  # It takes words away, and lists a message where it has no candidates.
  _eacr "$@"
  (( compstate[nmatches] == 0 )) || return 0
  [[ "$word" == -* ]] && return 1
  names=("\${(@f)$("\${before[1]}" ${lookupVerb} -- "\${(@)before[2,-1]/#\\~\\//$HOME/}" "$word" 2>/dev/null)}")
  names=("\${(@)names:#}")
  (( \${#names} > 0 )) || return 1
  compstate[insert]="$insert" compstate[list]="$list"
  compadd -S '' -- "\${names[@]}"
}

if [[ "\${zsh_eval_context[-1]}" == "loadautofunc" ]]; then
  _eacr_names "$@"
else
  compdef _eacr_names eacr
fi
`

const fish = `
function __eacr_names
  set -l words (commandline -opc)
  set -l word (commandline -ct)
  command $words[1] ${lookupVerb} -- (string replace -r -- '^~/' "$HOME/" $words[2..-1]) "$word" 2>/dev/null
end

complete -c eacr -n 'not __fish_use_subcommand; and not string match -q -- "-*" (commandline -ct)' -f -a '(__eacr_names)'
`

const powershell = `
Register-ArgumentCompleter -Native -CommandName 'eacr' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $results = @(& $global:_eacr_Static $wordToComplete $commandAst $cursorPosition)
  if (([string]$wordToComplete).StartsWith('-')) { return $results }
  $words = @($commandAst.CommandElements |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    Select-Object -Skip 1 |
    ForEach-Object { $_.Extent.Text })
  $names = @(& $commandAst.CommandElements[0].Extent.Text ${lookupVerb} '--' @words ([string]$wordToComplete) 2>$null)
  foreach ($name in $names) {
    $results += [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $name)
  }
  return $results
}
`

/** The line of a generated script that registers its function, and what follows it. */
const registration: Readonly<Record<Shell, RegExp>> = {
  bash: /^complete -F _eacr eacr$[^]*/m,
  zsh: /^# Handle both direct invocation and autoload$[^]*/m,
  fish: /^###-end-eacr-completions-###$[^]*/m,
  powershell: /^###-end-eacr-completions-###$[^]*/m
}

const installation: Readonly<Record<Shell, string>> = {
  bash: "echo 'source <(eacr completions bash)' >> ~/.bashrc",
  zsh: `eacr completions zsh > "\${fpath[1]}/_eacr"`,
  fish: "eacr completions fish > ~/.config/fish/completions/eacr.fish",
  powershell: "eacr completions powershell >> $PROFILE. No test runs this script"
}

const lookups: Readonly<Record<Shell, string>> = { bash, zsh, fish, powershell }

/** Removes the head of a generated script, which names an option that this command does not have. */
const head = /^(?:# ?.*\n|\n|###-begin-.*\n)*/

export const script = (root: Command.Command.Any, shell: Shell): string => {
  const generated = Completions.generate("eacr", shell, describe(root))
  const parts = generated.replace(head, "").split(registration[shell])
  const body = shell === "powershell" ? asBlock(parts.join("")) : parts.join("")
  const compdef = shell === "zsh" ? "#compdef eacr\n" : ""
  return `${compdef}# Completions of eacr for ${shell}: ${installation[shell]}\n\n${body.trim()}\n${lookups[shell]}`
}

/** Keeps the script block instead of registering it. */
const asBlock = (code: string): string =>
  code.replace("Register-ArgumentCompleter -Native -CommandName 'eacr' -ScriptBlock {", "$global:_eacr_Static = {")
