/** Servers for calls from the console, as it is told of them: tokens name the user, and the KMS answers with what it was asked. */
import type { TalkBackend } from "../../../roles/console/backend.ts";

export const TALK: TalkBackend = {
  kms: { url: "https://kms.home.example", uri: "kms.home.example" },
  gms: { uri: "sip:gms@home.example", sip: "ws://127.0.0.1:9001/sip" },
  mcx: { uri: "sip:mcx@home.example", sip: "ws://127.0.0.1:9002/sip", media: "ws://127.0.0.1:9003" },
  tokens: async (user) => ({ kms: `kms ${user}`, gms: `gms ${user}`, mcx: `mcx ${user}`, lifetime: 60 }),
  askKms: async (path, body, authorization) =>
    new Response(`<asked path="${path}" by="${authorization}">${Buffer.from(body)}</asked>`, {
      status: 202,
      headers: { "content-type": "application/xml" },
    }),
};
