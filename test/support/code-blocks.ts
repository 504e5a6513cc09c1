/** Fenced blocks of a Markdown page. */

export interface CodeBlock {
  /** The comment on the line above the block, such as `run: NAME` or `not run: REASON`. */
  readonly mark: string | undefined;
  readonly language: string;
  readonly body: string;
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return Array.from(
    markdown.matchAll(/(?:<!-- (.+?) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm),
    ([, mark, language, body]) => ({ mark, language: language!, body: body! }),
  );
}
