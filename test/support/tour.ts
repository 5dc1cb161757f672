/** Commands of a page's `console` blocks, each with the output that stands below it. */
export function tourOf(page: string): { readonly command: string; readonly output: string }[] {
  const blocks = [...page.matchAll(/```console\n(.*?)```/gs)].map((match) => match[1]!);
  const commands = blocks.flatMap((block) => block.split(/^\$ /m).slice(1));
  return commands.map((text) => {
    const [hereDocument] = /^.*<<'END'\n.*?^END(?=\n)/ms.exec(text) ?? [];
    const end = hereDocument?.length ?? text.search(/[^\\]\n/) + 1;
    return { command: text.slice(0, end).replaceAll("\\\n", " "), output: text.slice(end + 1).trimEnd() };
  });
}

/** The words of a command, as a shell would split it. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
}
