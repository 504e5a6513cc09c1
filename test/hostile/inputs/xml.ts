/** Changes to XML documents: document types, entities, depth, width, namespaces, encodings. */
import type { Draw } from "./draw.ts";
import { anyChange } from "./octets.ts";

const utf8 = (text: string) => new Uint8Array(Buffer.from(text, "utf8"));

/** Entities in entities: 2^30 letters if anybody expanded them. */
const LAUGHS = Array.from({ length: 30 }, (_, i) => `<!ENTITY l${i + 1} "&l${i};&l${i};">`).join("");

function afterDeclaration(text: string, insert: string): string {
  const end = text.startsWith("<?xml") ? text.indexOf("?>") + 2 : 0;
  return text.slice(0, end) + insert + text.slice(end);
}

/** Inserts a text in front of the last end tag. */
function inRoot(text: string, insert: string): string {
  const end = text.lastIndexOf("</");
  return end < 0 ? text + insert : text.slice(0, end) + insert + text.slice(end);
}

/** `elsewhere`: host and port that must never be asked for anything. */
export function changedXml(
  draw: Draw,
  document: Uint8Array,
  other: Uint8Array,
  elsewhere: string,
): Uint8Array {
  const text = Buffer.from(document).toString("utf8");
  const name = () =>
    draw.pick(["a", "g:a", "Signature", "__proto__", "constructor", "UserUri", "x".repeat(500)]);
  const many = () => draw.pick([20, 31, 32, 33, 400, 3000]);
  const changes = [
    () => afterDeclaration(text, `<!DOCTYPE a [<!ENTITY l0 "ha">${LAUGHS}]>`).replace(/>([^<]+)</, ">&l30;<"),
    () =>
      afterDeclaration(text, '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>').replace(
        />([^<]+)</,
        ">&f;<",
      ),
    () => afterDeclaration(text, `<!DOCTYPE a SYSTEM "http://${elsewhere}/a.dtd">`),
    () => text.replace(/>([^<]+)</, ">&undefined;&#0;&#xD800;&#x110000;<"),
    () => inRoot(text, "<a>".repeat(many()) + "</a>".repeat(many())),
    () => inRoot(text, `<${name()}/>`.repeat(many())),
    () => inRoot(text, `<a ${Array.from({ length: many() }, (_, i) => `b${i}="c"`).join(" ")}/>`),
    () => inRoot(text, `<a xmlns:${draw.pick(["xml", "xmlns", "g", "ds"])}="urn:${draw.hex(4)}"><g:b/></a>`),
    () => text.replace(/xmlns(:\w+)?="[^"]*"/, (_, prefix = "") => `xmlns${prefix}="urn:${draw.hex(4)}"`),
    () => inRoot(text, `<![CDATA[${"]".repeat(many())}`),
    () => inRoot(text, `<!--${"-".repeat(many())}`),
    () => inRoot(text, `<?${name()} ${" ".repeat(many())}`),
    () => text.replace(/>([^<]+)</, (_, inner: string) => `>${inner.repeat(1 + draw.below(50))}<`),
    () => text.replace(/<(\/?)([\w:]+)/, (_, slash: string) => `<${slash}${name()}`),
    () => text.replace('encoding="UTF-8"', `encoding="${draw.pick(["UTF-16", "UTF-7", "x", ""])}"`),
  ];
  if (draw.chance(1, 4)) return anyChange(draw, document, other);
  if (draw.chance(1, 20)) return new Uint8Array(Buffer.from(text, "utf16le"));
  return utf8(draw.pick(changes)());
}
