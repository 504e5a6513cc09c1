/** Well-formed documents with all that canonicalisation changes, and without a document type. */
import fc from "fast-check";

interface ElementPlan {
  declarations: [prefix: string, uri: string][];
  name: [prefix: number, local: string];
  attributes: [prefix: number, local: string, value: string[], quote: string, space: string][];
  content: (string | ElementPlan)[];
  short: boolean;
}

/** The last two sort by code point unlike by UTF-16 unit. */
const PREFIXES = ["", "p", "q", "P", "\uf900", "\u{10400}"];
const LOCALS = ["a", "b", "B", "a-b", "a.b", "_", "é", "\uf900", "\u{10400}"];
/** None with `&`, which libxml2 does not escape again. */
const URIS = ["urn:a", "urn:b", "URN:b", "http://example.org/?a=1"];
const SPACES = [" ", "\n", "\t", "\r\n", "   "];

const TEXT = ["x", " ", "\n", "\r\n", "\r", "\t", ">", '"', "'", "é", "\u{1f600}", "]]", "\u2028", "\u0085"];
const REFERENCES = [
  "&amp;",
  "&lt;",
  "&gt;",
  "&quot;",
  "&apos;",
  "&#9;",
  "&#10;",
  "&#13;",
  "&#xD;",
  "&#x1F600;",
  "&#x3C;",
];

const pick = (from: readonly string[]) => fc.constantFrom(...from);
const some = <T>(what: fc.Arbitrary<T>, maxLength = 4) => fc.array(what, { maxLength });
const joined = (what: fc.Arbitrary<string>) => some(what).map((parts) => parts.join(""));

const text = joined(pick([...TEXT, ...REFERENCES])).map((t) =>
  t.replaceAll("]]>", "]]&gt;").replace(/]$/, "] "),
);
const cdata = joined(pick([...TEXT, "<b>", "&amp;"])).map(
  (t) => `<![CDATA[${t.replaceAll("]]>", "]] >")}]]>`,
);
const comment = joined(pick([...TEXT, "<b>", "&amp;", "</"])).map((t) => `<!--${t}-->`);
const instruction = fc
  .tuple(pick(["pi", "_p", "xml-x"]), joined(pick([...TEXT, "?", "<b>", "&amp;"])))
  .map(([target, body]) => `<?${target} ${body.replaceAll("?>", "? >")} ?>`);

const { element } = fc.letrec<{ element: ElementPlan; content: string | ElementPlan }>((tie) => ({
  content: fc.oneof(
    { depthSize: "small" },
    text,
    cdata,
    comment,
    instruction,
    tie("element"),
    tie("element"),
  ),
  element: fc.record({
    declarations: some(fc.tuple(pick(PREFIXES), pick(["", ...URIS]))),
    name: fc.tuple(fc.nat(), pick(LOCALS)),
    attributes: some(
      fc.tuple(fc.nat(), pick(LOCALS), some(pick([...TEXT, ...REFERENCES])), pick(['"', "'"]), pick(SPACES)),
      6,
    ),
    content: some(tie("content"), 5),
    short: fc.boolean(),
  }),
}));

const around = some(fc.oneof(comment, instruction, pick(SPACES)), 3).map((parts) => parts.join(""));

export const anyXml: fc.Arbitrary<string> = fc
  .tuple(fc.boolean(), around, element, around)
  .map(([declared, before, root, after]) => {
    const declaration = declared ? '<?xml version="1.0" encoding="UTF-8"?>' : "";
    return `${declaration}${before}${print(root, new Map([["xml", "xml"]]))}${after}`;
  });

function print(plan: ElementPlan, above: ReadonlyMap<string, string>): string {
  const scope = new Map(above);
  let tag = "";
  for (const [prefix, uri] of new Map(plan.declarations)) {
    if (uri === "" && prefix !== "") continue;
    scope.set(prefix, uri);
    tag += ` ${prefix === "" ? "xmlns" : `xmlns:${prefix}`}="${uri}"`;
  }
  const usable = [...scope.keys()].filter((prefix) => prefix !== "");
  const seen = new Set<string>();
  for (const [n, local, value, quote, space] of plan.attributes) {
    const prefix = ["", "", ...usable][n % (usable.length + 2)]!;
    const name = `${prefix === "" ? "" : scope.get(prefix)}|${local}`;
    if (seen.has(name)) continue;
    seen.add(name);
    const text = value.join("").replaceAll(quote, "");
    tag += `${space}${prefix === "" ? "" : `${prefix}:`}${local}${space}=${quote}${text}${quote}`;
  }
  const own = ["", ...usable.filter((prefix) => prefix !== "xml")];
  const prefix = own[plan.name[0] % own.length]!;
  const name = `${prefix === "" ? "" : `${prefix}:`}${plan.name[1]}`;
  if (plan.content.length === 0 && plan.short) return `<${name}${tag}/>`;
  const content = plan.content.map((part) => (typeof part === "string" ? part : print(part, scope)));
  return `<${name}${tag}\n>${content.join("")}</${name} >`;
}
