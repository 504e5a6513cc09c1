/** Bodies that are made to harm a server: it refuses them soon, and serves the next client (RFC 7303 10, XML 1.0 4.4). */
import { escapeXml } from "../../../documents/xml/xml-writer.ts";
import { inconclusive, must, type TestCase } from "../case.ts";
import type { Reply } from "../http.ts";
import type { KmsPeer } from "./peer.ts";

/** 10 entities of 10 of the one before are 10 GB. */
const LAUGHS = 10;
const DEPTH = 20_000;
const LARGE = 8 << 20;
const FILE = "file:///etc/passwd";

interface Hostile {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly about: string;
  readonly body: (peer: KmsPeer) => string;
  readonly look?: (reply: Reply) => void;
}

const HOSTILE: readonly Hostile[] = [
  {
    id: "KMS-080",
    title: "refuses XML that is not well-formed",
    clause: "XML 1.0 1.2",
    about: "a KmsRequest that breaks off",
    body: (peer) => peer.body("keyprov").slice(0, -20),
  },
  {
    id: "KMS-081",
    title: "resolves no entity of a document type declaration",
    clause: "RFC 7303 10",
    about: "a KmsRequest whose UserUri is an internal entity",
    body: (peer) =>
      declared(peer, `<!ENTITY user "${escapeXml(peer.options.userUri)}">`, peer.options.userUri, "&user;"),
  },
  {
    id: "KMS-082",
    title: "reads no file for an external entity",
    clause: "RFC 7303 10",
    about: `a KmsRequest whose UserUri is an external entity, ${FILE}`,
    body: (peer) => declared(peer, `<!ENTITY file SYSTEM "${FILE}">`, peer.options.userUri, "&file;"),
    look: ({ body }) => must(!new TextDecoder().decode(body).includes("root:"), `the answer quotes ${FILE}`),
  },
  {
    id: "KMS-083",
    title: "expands no entities of entities",
    clause: "RFC 7303 10",
    about: "a KmsRequest whose UserUri expands to 10 GB",
    body: (peer) => declared(peer, laughs(), peer.options.userUri, `&l${LAUGHS - 1};`),
  },
  {
    id: "KMS-084",
    title: "refuses elements that are nested too deeply",
    clause: "D.2.2",
    about: `${DEPTH} elements one in the other`,
    body: () => `${"<a>".repeat(DEPTH)}${"</a>".repeat(DEPTH)}`,
  },
  {
    id: "KMS-085",
    title: "refuses a request that is too large",
    clause: "RFC 9110 15.5.14",
    about: `a KmsRequest of ${LARGE} octets`,
    body: (peer) => peer.body("keyprov", { clientId: "x".repeat(LARGE) }),
  },
  {
    id: "KMS-086",
    title: "refuses octets that are not UTF-8",
    clause: "XML 1.0 4.3.3",
    about: "a KmsRequest that says it is UTF-16 and is not",
    body: (peer) => peer.body("keyprov").replace('encoding="UTF-8"', 'encoding="UTF-16"'),
  },
];

export const HOSTILE_CASES: readonly TestCase<KmsPeer>[] = [
  ...HOSTILE.map(
    ({ id, title, clause, about, body, look }): TestCase<KmsPeer> => ({
      id,
      title,
      clause,
      async run(peer) {
        const reply = await peer.postHostile("keyprov", { request: body(peer), about });
        look?.(reply);
        peer.requireRefused(reply);
      },
    }),
  ),
  {
    id: "KMS-090",
    title: "answers still",
    clause: "D.2.3",
    run: async (peer) => void (await peer.open(await peer.post("init"))),
  },
  {
    id: "KMS-091",
    title: "redirected no request",
    clause: "D.2.1",
    run(peer) {
      const redirect = peer.http.statuses.find(({ status }) => status >= 300 && status < 400);
      if (redirect === undefined) return;
      const { path, status } = redirect;
      inconclusive(`${path} was answered with ${status}: clients must not follow it with their token`);
    },
  },
];

/** The request with a document type declaration, and a reference in place of a value. */
function declared(peer: KmsPeer, entities: string, value: string, reference: string): string {
  return peer
    .body("keyprov")
    .replace("?>", `?>\n<!DOCTYPE r [${entities}]>`)
    .replace(`<UserUri>${escapeXml(value)}</UserUri>`, `<UserUri>${reference}</UserUri>`);
}

function laughs(): string {
  const entities = ['<!ENTITY l0 "lol lol lol">'];
  for (let i = 1; i < LAUGHS; i++) entities.push(`<!ENTITY l${i} "${`&l${i - 1};`.repeat(10)}">`);
  return entities.join("");
}
