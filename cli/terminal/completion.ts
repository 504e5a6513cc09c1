/** Scripts that complete commands and options in a shell, made of the commands as they are declared. */
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly word: string;
  readonly about: string;
}

/** A command by the words that lead to it: none is the program itself. */
interface Node {
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
}

export function completionScript(shell: Shell, program: Command): string {
  const nodes = nodesOf(program, "");
  return { bash, zsh, fish }[shell](program.name(), nodes);
}

function nodesOf(command: Command, path: string): Node[] {
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ word: long ?? short!, about: description }));
  const node = {
    path,
    commands: command.commands.map((one) => ({ word: one.name(), about: one.summary() })),
    options: [...options, { word: "--help", about: "show what it does" }],
  };
  return [node, ...command.commands.flatMap((one) => nodesOf(one, `${path} ${one.name()}`))];
}

/** Names of commands along the line so far; the shells' own variables stand for what was typed. */
function follow(nodes: readonly Node[], indent: string): string {
  const paths = nodes.flatMap(({ path }) => (path === "" ? [] : [quoted(path)]));
  return `${indent}case "$at $word" in\n${indent}  ${paths.join(" | ")}) at="$at $word" ;;\n${indent}esac`;
}

function bash(name: string, nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) =>
    [
      `    ${quoted(path)})`,
      `      commands=${quoted(wordsOf(commands))}`,
      `      options=${quoted(wordsOf(options))} ;;`,
    ].join("\n"),
  );
  const fn = `_${name.replaceAll("-", "_")}`;
  return `# bash completion of ${name}; \`source\` it, or put it into the folder of bash-completion.
${fn}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at="" word commands="" options=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${follow(nodes, "    ")}
  done
  case "$at" in
${cases.join("\n")}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  fi
}
complete -o default -F ${fn} ${name}
`;
}

function zsh(name: string, nodes: readonly Node[]): string {
  const list = (words: readonly Word[]) =>
    words.map(({ word, about }) => quoted(`${word.replaceAll(":", "\\:")}:${about}`)).join(" ");
  const cases = nodes.map(({ path, commands, options }) =>
    [
      `    ${quoted(path)})`,
      `      commands=(${list(commands)})`,
      `      options=(${list(options)}) ;;`,
    ].join("\n"),
  );
  const fn = `_${name.replaceAll("-", "_")}`;
  return `#compdef ${name}
# zsh completion of ${name}; put it into a folder of $fpath as ${fn}, or \`source\` it behind compinit.
${fn}() {
  local at="" word
  local -a commands options
  for word in "\${(@)words[2,CURRENT-1]}"; do
${follow(nodes, "    ")}
  done
  case "$at" in
${cases.join("\n")}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe -o option options
  elif (( $#commands )); then
    _describe command commands
  else
    _files
  fi
}
# Out of $fpath the file itself is the function at its first call.
if [[ $funcstack[1] == ${fn} ]]; then ${fn}; else compdef ${fn} ${name}; fi
`;
}

function fish(name: string, nodes: readonly Node[]): string {
  const fn = `__${name.replaceAll("-", "_")}_at`;
  const paths = nodes.flatMap(({ path }) => (path === "" ? [] : [quoted(path)]));
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const here = `complete -c ${name} -n ${quoted(`${fn} ${quotedIn(path)}`)}`;
    return [
      ...commands.map(({ word, about }) => `${here} -f -a ${word} -d ${quoted(about)}`),
      ...options.map(({ word, about }) => `${here} -l ${word.replace(/^-+/, "")} -d ${quoted(about)}`),
    ];
  });
  return `# fish completion of ${name}; put it into ~/.config/fish/completions/${name}.fish.
function ${fn}
  set -l at ""
  for word in (commandline -opc)[2..]
    switch "$at $word"
      case ${paths.join(" ")}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join("\n")}
`;
}

function wordsOf(words: readonly Word[]): string {
  return words.map(({ word }) => word).join(" ");
}

/** For all three shells: what is in single quotes stands for itself, and a quote ends them for a moment. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Within a text that is quoted already. */
function quotedIn(text: string): string {
  return `"${text}"`;
}
