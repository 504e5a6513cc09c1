/** Somebody who has recorded what a server got, tokens and all, and sends it again from a socket of their own. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";

export interface Change {
  /** Lines of the head that are replaced, by their names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly request?: string;
  readonly body?: (text: string) => string;
}

let number = 100;
/** Each branch has the length of the others, so that a message is as long as its copy. */
let branches = 0;

/** Changes a request, and its branch and number too, so that it does not count as the same transaction. */
export function altered(message: Uint8Array, { headers = {}, request, body = (text) => text }: Change = {}) {
  const text = Buffer.from(message).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const content = body(text.slice(end + 4));
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const branch = `branch=z9hG4bKeve${String(++branches).padStart(8, "0")}`;
  const replaced = lines.map((line) => {
    const name = line.slice(0, line.indexOf(":"));
    if (name === "Via") return line.replace(/branch=[^;]+/, branch);
    if (name === "CSeq") return line.replace(/\d+/, String(++number));
    if (name === "Content-Length") return `Content-Length: ${content.length}`;
    return name in headers ? `${name}: ${headers[name]}` : line;
  });
  return Buffer.from([request ?? first, ...replaced, "", content].join("\r\n"), "latin1");
}

/** The first line of the answer. */
export async function overTcp(port: number, message: Uint8Array): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write(message);
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      if (/^SIP\/2.0 [2-6]/m.test(text)) break;
    }
    return /^SIP\/2.0 [2-6].*$/m.exec(text)?.[0] ?? "closed";
  } finally {
    socket.destroy();
  }
}

/** Sends a message over UDP from another loopback address. */
export async function overUdp(port: number, message: Uint8Array): Promise<string> {
  const socket = createSocket("udp4");
  try {
    socket.bind(0, "127.0.0.2");
    await once(socket, "listening");
    socket.send(message, port, "127.0.0.1");
    const [answer] = await once(socket, "message");
    return String(answer).split("\r\n")[0]!;
  } finally {
    socket.close();
  }
}
