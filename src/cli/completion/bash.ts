import { type CompletedCommand, SETTINGS, type Value } from "./tree.js";

/** A script that completes command lines in bash, from 3.2 on. */
export function bashCompletion(tree: readonly CompletedCommand[]): string {
  const valued = tree.flatMap(({ at, options }) =>
    options.flatMap(({ words, value }) =>
      value === undefined ? [] : [{ patterns: words.map((word) => quoted(`${at} ${word}`)), value }],
    ),
  );
  const followed = tree.map(({ at, commands, options, operand }) => {
    const words = commands.map(({ word }) => word);
    const flags = options.flatMap((option) => option.words);
    return `    ${quoted(at)}) flags=${quoted(flags.join(" "))}; ${fill(words.length > 0 ? words : operand)} ;;`;
  });
  return `# bash completion of coldpath. Load it in ~/.bashrc with: source <(coldpath completion bash)
_coldpath_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
_coldpath_files() { compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$cur")); }
_coldpath_folders() { compopt -o dirnames 2>/dev/null || COMPREPLY=($(compgen -d -- "$cur")); }
_coldpath_settings() {
  compopt -o nospace 2>/dev/null
  COMPREPLY=($(compgen -S = -W ${quoted(SETTINGS.join(" "))} -- "$cur"))
}
# What the option $2 of the command $1 takes; false if it takes nothing.
_coldpath_value() {
  case "$1 $2" in
${valued.map(({ patterns, value }) => `    ${patterns.join("|")}) ${fill(value)} ;;`).join("\n")}
    *) return 1 ;;
  esac
}
_coldpath() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at="" flags="" word i
  COMPREPLY=()
  # bash takes --option=value for three words.
  if [[ $cur == "=" ]]; then cur="";
  elif [[ $prev == "=" ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$at $word" in
      ${valued.flatMap(({ patterns }) => patterns).join("|")}) [[ \${COMP_WORDS[i+1]} == "=" ]] && i=$((i + 1)); i=$((i + 1)) ;;
      ${tree.flatMap(({ at }) => (at === "" ? [] : [quoted(at.includes(" ") ? at : ` ${at}`)])).join("|")}) at=\${at:+$at }$word ;;
    esac
  done
  _coldpath_value "$at" "$prev" && return
  # The value of a setting is nobody's to guess.
  [[ $prev != -* && \${COMP_WORDS[COMP_CWORD-1]} == "=" ]] && return
  case "$at" in
${followed.join("\n")}
  esac
  [[ $cur == -* ]] && _coldpath_words "$flags"
}
complete -F _coldpath coldpath
`;
}

/** The command that offers such values. */
function fill(value: Value): string {
  if (value === "file") return "_coldpath_files";
  if (value === "folder") return "_coldpath_folders";
  if (value === "setting") return "_coldpath_settings";
  return value === "text" || value.length === 0 ? ":" : `_coldpath_words ${quoted(value.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text}'`;
}
