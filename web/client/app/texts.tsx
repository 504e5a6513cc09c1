/** Short data of the group, with what was said before. */
import { computed } from "@preact/signals-core";
import { texts, user } from "./calls.ts";
import { shortName, timeText } from "./names.ts";
import { group, sendText } from "./store.ts";

/** The texts of the group, made when they change, as there may be hundreds. */
const shown = computed(() =>
  texts.value
    .filter((text) => text.group === group.value?.uri)
    .map(({ id, from, at, text, isWaiting }, n, { length }) => (
      <li
        key={`${from} ${id}`}
        class={from === user.value ? "own" : undefined}
        ref={n === length - 1 ? show : null}
      >
        <span class="quiet">
          {shortName(from)}, {isWaiting ? "not sent yet" : timeText(at)}
        </span>
        <p>{text}</p>
      </li>
    )),
);

/** The newest is to be seen whenever there is one more. */
function show(item: HTMLElement | null): void {
  item?.scrollIntoView({ block: "nearest" });
}

export function Texts() {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    sendText(String(new FormData(form).get("text")));
    form.reset();
  };
  return (
    <section class="texts" aria-label="Messages">
      <h2>Messages</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <ul tabIndex={0} aria-live="polite" aria-label="Messages of the group">
        {shown.value}
      </ul>
      <form onSubmit={submit}>
        <label class="hidden" for="text">
          Message
        </label>
        <input id="text" name="text" autocomplete="off" placeholder="Message to the group" maxLength={1000} />
        <button type="submit" class="main">
          Send
        </button>
      </form>
    </section>
  );
}
