import { type CompletedCommand, SETTINGS, type Value, type Word } from "./tree.js";

/** A script that completes command lines in zsh, to be sourced or put into a folder of `fpath`. */
export function zshCompletion(tree: readonly CompletedCommand[]): string {
  const valued = tree.flatMap(({ at, options }) =>
    options.flatMap(({ words, value }) =>
      value === undefined ? [] : [{ patterns: words.map((word) => quoted(`${at} ${word}`)), value }],
    ),
  );
  const followed = tree.map(({ at, commands, options, operand }) => {
    const flags = options.flatMap(({ words, means }) => words.map((word) => ({ word, means })));
    const rest = commands.length > 0 ? `_coldpath_describe ${described(commands)}` : fill(operand);
    return `    ${quoted(at)})
      if [[ $words[CURRENT] == -* ]]; then _coldpath_describe ${described(flags)}
      else ${rest}; fi ;;`;
  });
  return `#compdef coldpath
# zsh completion of coldpath. Load it in ~/.zshrc, behind compinit, with: source <(coldpath completion zsh)
_coldpath_describe() {
  local -a offered=("$@")
  _describe -V coldpath offered
}
_coldpath_settings() {
  compadd -S = -- ${SETTINGS.join(" ")}
}
# What the option $2 of the command $1 takes; false if it takes nothing.
_coldpath_value() {
  case "$1 $2" in
${valued.map(({ patterns, value }) => `    ${patterns.join("|")}) ${fill(value)} ;;`).join("\n")}
    *) return 1 ;;
  esac
  return 0
}
_coldpath() {
  local at="" prev="$words[CURRENT-1]" word
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case "$at $word" in
      ${valued.flatMap(({ patterns }) => patterns).join("|")}) i+=1 ;;
      ${tree.flatMap(({ at }) => (at === "" ? [] : [quoted(at.includes(" ") ? at : ` ${at}`)])).join("|")}) at="\${at:+$at }$word" ;;
    esac
  done
  if [[ $words[CURRENT] == --*=* ]]; then
    prev="\${words[CURRENT]%%=*}"
    compset -P 1 '*='
  fi
  _coldpath_value "$at" "$prev" && return
  case "$at" in
${followed.join("\n")}
  esac
}
if [[ "$funcstack[1]" == _coldpath ]]; then _coldpath "$@"; else compdef _coldpath coldpath; fi
`;
}

/** The command that offers such values. */
function fill(value: Value): string {
  if (value === "file") return "_files";
  if (value === "folder") return "_files -/";
  if (value === "setting") return "_coldpath_settings";
  return value === "text" || value.length === 0 ? ":" : `compadd -- ${value.join(" ")}`;
}

function described(words: readonly Word[]): string {
  return words.map(({ word, means }) => quoted(`${word}:${means}`)).join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
