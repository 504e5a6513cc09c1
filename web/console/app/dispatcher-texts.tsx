/** Short data of a group in its tile, with who has each of the dispatcher's own messages and who has read it. */
import { sendTextTo, texts, user } from "../../client/app/calls.ts";
import type { TextView } from "../../client/messages.ts";
import { openTexts, receipts } from "./dispatcher.ts";
import { shortName, timeText } from "./words.ts";

/** Drawn of each group: the newest. */
const SHOWN = 50;

export function DispatcherTexts({ uri, name }: { readonly uri: string; readonly name: string }) {
  const ofGroup = texts.value.filter(({ group }) => group === uri);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    sendTextTo(uri, String(new FormData(form).get("text")));
    form.reset();
  };
  return (
    <details class="texts" onToggle={(event) => openTexts(uri, event.currentTarget.open)}>
      <summary>Messages ({ofGroup.length})</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <ul tabIndex={0} class="scroll" aria-live="polite" aria-label={`Messages of ${name}`}>
        {ofGroup.slice(-SHOWN).map((text) => (
          <Text key={`${text.from} ${text.id}`} text={text} />
        ))}
      </ul>
      <form onSubmit={submit}>
        <input name="text" autocomplete="off" aria-label={`Message to ${name}`} maxLength={1000} />
        <button type="submit">Send</button>
      </form>
    </details>
  );
}

function Text({ text: { from, at, text, isWaiting, messageId } }: { readonly text: TextView }) {
  return (
    <li>
      <span class="quiet">
        {shortName(from)}, {isWaiting ? "not sent yet" : timeText(at)}
      </span>
      <p>{text}</p>
      {from === user.value && !isWaiting && <Receipt messageId={messageId} />}
    </li>
  );
}

function Receipt({ messageId }: { readonly messageId: string | undefined }) {
  const receipt = messageId === undefined ? undefined : receipts.value.get(messageId);
  const { read = [], delivered = [] } = receipt ?? {};
  const parts = [
    ...(read.length > 0 ? [`read by ${read.map(shortName).join(", ")}`] : []),
    ...(delivered.length > 0 ? [`delivered to ${delivered.map(shortName).join(", ")}`] : []),
  ];
  return <span class="quiet">{parts.length === 0 ? "no acknowledgement yet" : parts.join("; ")}</span>;
}
