/** The documentation as static pages: the Markdown of the repository, with navigation and a search that needs no server. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Pages that typedoc writes, which VitePress does not know. */
const API = { text: "API reference", link: "/api/index.html", target: "_self" };

/** Heads of docs/README.md with their links: the index of the repository is the navigation of the site. */
function sidebar() {
  const index = readFileSync(join(ROOT, "docs/README.md"), "utf8");
  return index
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [text, ...lines] = section.split("\n");
      const links = lines.join("\n").matchAll(/^- .*?\[([^\]]+)\]\(([^)]+\.md)(#[^)]*)?\)/gm);
      return {
        text,
        items: [
          ...(text === "Reference" ? [API] : []),
          ...Array.from(links, ([, name, page, anchor = ""]) => ({
            text: name,
            link: route(join("docs", page!)) + anchor,
          })),
        ],
      };
    });
}

/** Returns the path on the site of a page of the repository. */
function route(page: string): string {
  return `/${page.replace(/README\.md$/, "index.md").replace(/\.md$/, "")}`;
}

export default defineConfig({
  title: "mikey-sakke",
  description:
    "Group keys for mission-critical communication: KMS, GMS, MCX server and clients (3GPP TS 33.180)",
  srcDir: "pages",
  outDir: join(ROOT, "build/site"),
  cacheDir: join(ROOT, "build/site-cache"),
  rewrites: (page) => page.replace(/(^|\/)README\.md$/, "$1index.md"),
  cleanUrls: false,
  markdown: {
    config: (markdown) => {
      // Links to source files lead nowhere on the site, so their names stand there as text.
      markdown.core.ruler.push("source-links", ({ tokens, env }) => {
        for (const { children } of tokens) {
          let dropped = false;
          for (const token of children ?? []) {
            if (token.type === "link_open") {
              const href = token.attrGet("href") ?? "";
              const [path] = href.split("#");
              dropped =
                path !== "" && !/^(?:[a-z]+:|\/)/.test(href) && !isPage(join(dirname(env.path), path!));
            }
            if (dropped && /^link_(?:open|close)$/.test(token.type)) {
              const isEnd = token.type === "link_close";
              Object.assign(token, { type: "text", tag: "", content: "", nesting: 0 });
              if (isEnd) dropped = false;
            }
          }
        }
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    nav: [{ text: "Documentation", link: "/docs/index" }, API, { text: "Changes", link: "/CHANGELOG" }],
    sidebar: sidebar(),
    outline: "deep",
  },
});

function isPage(path: string): boolean {
  return path.endsWith(".md") && existsSync(path);
}
