/** The lint of Markdown and assembly/ finds what it is for. */
import { describe, expect, it } from "vitest";
import { anchorsOf, faultsOf, MAX_LINE } from "../../tools/lint-text.ts";

const pages: Readonly<Record<string, string>> = { "docs/a.md": "# One\n", "docs/b.md": "## Two words\n" };
const faults = (text: string, path = "docs/a.md") =>
  faultsOf(path, text, (page: string) => (pages[page] === undefined ? undefined : anchorsOf(pages[page])));
const long = "word ".repeat(30).trim();

describe("the lint of Markdown", () => {
  it("accepts links to pages and sections that exist, also on other hosts", () => {
    expect(faults("[a](#one), [b](b.md#two-words), [c](../docs/b.md), [d](https://x.example/#y)\n")).toEqual(
      [],
    );
  });

  it.each([
    ["a link to a file that does not exist", "[a](c.md)\n", "no file for the link c.md"],
    ["a picture that does not exist", '<img src="images/x.png">\n', "no file for the link images/x.png"],
    ["a link to a section that does not exist", "[a](b.md#three)\n", "no section for b.md#three"],
    ["a link to a section of the same page that does not exist", "[a](#two)\n", "no section for #two"],
    ["a long line", `${long}\n`, `${long.length} characters, where ${MAX_LINE} are allowed`],
    ["a space at the end of a line", "a \n", "space at the end of the line"],
  ])("reports %s, with its line", (_, text, fault) => {
    expect(faults(`first\n${text}`)).toEqual([`2: ${fault}`]);
  });

  it("reports an end without a line end, and with two", () => {
    expect(faults("a")).toHaveLength(1);
    expect(faults("a\n\n")).toHaveLength(1);
  });

  it("allows long tables, code and addresses, and no links in code", () => {
    const code = `\`\`\`sh\n${long} [a](c.md)\n\`\`\``;
    expect(
      faults(`| ${long} |\n${code}\nsee \`[a](c.md)\`\n<https://x.example/${"a".repeat(200)}>\n`),
    ).toEqual([]);
  });

  it("derives anchors as GitHub does", () => {
    const page = "# `a` & [B](c.md): §1 – x_y\n```\n# no heading\n```\n## Same\n## Same\n";
    expect(anchorsOf(page)).toEqual(["a--b-1--x_y", "same", "same-1"]);
  });
});

it("the lint of assembly/ reports long lines, however they end", () => {
  expect(faults(`const a = ${"1 + ".repeat(40)}1;\n`, "assembly/a.ts")).toHaveLength(1);
});
