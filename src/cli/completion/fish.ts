import { type CompletedCommand, type CompletedOption, SETTINGS, type Value } from "./tree.js";

/** A script that completes command lines in fish, from 3.0 on. */
export function fishCompletion(tree: readonly CompletedCommand[]): string {
  const valued = tree.flatMap(({ at, options }) =>
    options.flatMap(({ words, value }) =>
      value === undefined ? [] : words.map((word) => quoted(`${at} ${word}`)),
    ),
  );
  const paths = tree.flatMap(({ at }) => (at === "" ? [] : [quoted(at.includes(" ") ? at : ` ${at}`)]));
  return `# fish completion of coldpath. Load it with: coldpath completion fish | source
# Whether the words so far call this command.
function __coldpath_at
    set -l at ""
    set -l skip 0
    for word in (commandline -opc)
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch "$at $word"
            case ${valued.join(" ")}
                set skip 1
            case ${paths.join(" ")}
                set at (string trim "$at $word")
        end
    end
    test "$at" = "$argv"
end
function __coldpath_settings
    printf "%s=\\n" ${SETTINGS.join(" ")}
end
complete -c coldpath -f
${tree.flatMap(linesOf).join("\n")}
`;
}

function linesOf({ at, commands, options, operand }: CompletedCommand): string[] {
  const line = `complete -c coldpath -n ${quoted(`__coldpath_at ${at === "" ? '""' : at}`)}`;
  return [
    ...commands.map(({ word, means }) => `${line} -a ${word} -d ${quoted(means)}`),
    ...options.map(
      (option) => `${line} ${flags(option)}${argument(option.value)} -d ${quoted(option.means)}`,
    ),
    ...(operand.length === 0 || operand === "text" ? [] : [`${line} ${offered(operand)}`]),
  ];
}

function flags({ words }: CompletedOption): string {
  return words
    .map((word) => (word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`))
    .join(" ");
}

function argument(value: Value | undefined): string {
  if (value === undefined) return "";
  return value === "text" ? " -x" : ` -r ${offered(value)}`;
}

function offered(value: Exclude<Value, "text">): string {
  if (value === "file") return "-F";
  if (value === "folder") return '-f -a "(__fish_complete_directories)"';
  if (value === "setting") return '-f -a "(__coldpath_settings)"';
  return `-f -a ${quoted(value.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
