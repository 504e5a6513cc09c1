/** Master keys of the KMS with their key periods, its certificates, and those of the KMSs that its users may deal with. */
import { useEffect, useState } from "preact/hooks";
import { say } from "../../client/app/notice.ts";
import { api, askKms } from "./api.ts";
import { type KmsKeys as Keys, loadKeys, partnerDocuments, type ShownCertificate } from "./certificates.ts";
import { AskButton } from "./dialog.tsx";
import { wordsIn } from "./member-fields.tsx";
import { Table } from "./table.tsx";
import { errorText, timeText } from "./words.ts";

export function KmsKeys() {
  const [{ masters, certificates }, setKeys] = useState<Keys>({ masters: [], certificates: [] });
  const load = async () => setKeys(await loadKeys());
  useEffect(() => {
    load().catch((error: unknown) => {
      say(errorText(error));
    });
  }, []);
  return (
    <>
      <section aria-label="Master keys">
        <div class="head">
          <h2>Master keys</h2>
          <RotateButton load={load} />
        </div>
        <Table label="Master keys of the KMS" columns={["Key periods", "From", "To", "State", "Made"]}>
          {masters.map(({ id, fromPeriod, untilPeriod, startsAt, endsAt, revoked, createdAt }) => (
            <tr key={id}>
              <th scope="row">
                from {fromPeriod}
                {untilPeriod !== undefined && ` to before ${untilPeriod}`}
              </th>
              <td>{timeText(startsAt)}</td>
              <td>{endsAt !== undefined && timeText(endsAt)}</td>
              <td class={revoked ? "bad" : "good"}>{revoked ? "revoked" : "valid"}</td>
              <td>{timeText(createdAt)}</td>
            </tr>
          ))}
        </Table>
      </section>
      <section aria-label="Certificates">
        <div class="head">
          <h2>Certificates</h2>
          <div class="buttons">
            <PermitButton load={load} />
            <RefreshButton />
          </div>
        </div>
        <Table
          label="Certificates of KMSs"
          columns={["KMS", "Kind", "Valid until", "May vouch for", "CertUri"]}
          wide={["CertUri"]}
          hasActions
        >
          {certificates.map((one) => (
            <Certificate
              key={`${one.kind} ${one.certificate.certUri} ${one.certificate.validFrom}`}
              one={one}
              load={load}
            />
          ))}
        </Table>
      </section>
    </>
  );
}

interface Loads {
  /** Reads everything anew after a change. */
  readonly load: () => Promise<void>;
}

function RotateButton({ load }: Loads) {
  return (
    <AskButton
      text="New master keys"
      title="New master keys?"
      isGrave
      act={async (fields) => {
        const period = String(fields.get("fromPeriod"));
        await askKms("rotateMaster", {
          ...(period !== "" && { fromPeriod: Number(period) }),
          ...(fields.has("atOnce") && { atOnce: true }),
        });
        say("New master keys are made");
        await load();
      }}
    >
      <p>Clients get both certificates from now on, so that they have the new one in time.</p>
      <label>
        First key period; empty: the first that no keys were issued for
        <input name="fromPeriod" type="number" min={0} />
      </label>
      <label class="check">
        <input type="checkbox" name="atOnce" />
        From the present period on: the old keys are known to others, and all keys must be fetched again
      </label>
    </AskButton>
  );
}

function PermitButton({ load }: Loads) {
  return (
    <AskButton
      text="Permit another KMS"
      title="Permit another KMS"
      act={async (fields) => {
        const documents = partnerDocuments(
          await (fields.get("file") as File).text(),
          wordsIn(fields, "domains"),
        );
        for (const document of documents) {
          await askKms("putCertificate", { document, kind: String(fields.get("kind")) });
        }
        await load();
      }}
    >
      <p>It is trusted: have the file from its operator over a way that nobody can tamper with.</p>
      <label>
        File with its certificates
        <input name="file" type="file" accept=".xml,text/xml,application/xml" required />
      </label>
      <label>
        Domains that it may vouch for, one a line; empty: those that it lists
        <textarea name="domains" rows={2} spellcheck={false} placeholder="away.example" />
      </label>
      <label>
        Our users
        <select name="kind">
          <option value="external">communicate with its users</option>
          <option value="migration">get keys from it as well</option>
        </select>
      </label>
    </AskButton>
  );
}

function RefreshButton() {
  return (
    <AskButton
      text="Make known now"
      title="Make the certificates known now?"
      act={async () => {
        const answers = await Promise.all(
          ["gms", "mcx"].map((server) => api<{ kmsUris: string[] }>("POST", `/${server}/v1/kms/refresh`)),
        );
        const known = new Set(answers.flatMap(({ kmsUris }) => kmsUris));
        say(`GMS and MCX server know ${[...known].sort().join(", ")}`);
      }}
    >
      <p>GMS and MCX server ask the KMS about once a day. They ask it now.</p>
    </AskButton>
  );
}

function Certificate({ one, load }: Loads & { readonly one: ShownCertificate }) {
  const { certificate, kind, text } = one;
  const { kmsUri, certUri, validTo, revoked, kmsDomains = [] } = certificate;
  return (
    <tr>
      <th scope="row">{kmsUri}</th>
      <td class={revoked === true ? "bad" : undefined}>{revoked === true ? `${kind}, revoked` : kind}</td>
      <td>{validTo !== undefined && timeText(validTo)}</td>
      <td>{kmsDomains.join(", ")}</td>
      <td class="wide">
        <code>{certUri}</code>
      </td>
      <td class="actions">
        {kind === "own" && (
          <button
            type="button"
            aria-label={`Save certificate ${certUri}`}
            onClick={() => save(text, `${kmsUri}.xml`)}
          >
            Save
          </button>
        )}
        {certUri !== undefined && revoked !== true && (
          <AskButton
            text="Revoke"
            label={`Revoke certificate ${certUri}`}
            title={`Revoke the certificate ${certUri} of ${kmsUri}?`}
            isGrave
            act={async () => {
              await askKms("revokeCertificate", { certUri });
              await load();
            }}
          >
            <p>Nothing that was signed or encrypted under it is taken any more. This cannot be taken back.</p>
          </AskButton>
        )}
        {kind !== "own" && (
          <AskButton
            text="Remove"
            label={`Remove ${kmsUri}`}
            title={`Permit ${kmsUri} no more?`}
            act={async () => {
              await askKms("removeCertificate", { kmsUri });
              await load();
            }}
          >
            <p>Our users can communicate with its users no more.</p>
          </AskButton>
        )}
      </td>
    </tr>
  );
}

/** Offers a text as a file. */
function save(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/xml" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
