/** Short data of the group, with what was said before. */
import { useEffect, useRef } from "preact/hooks";
import { shortName, timeText } from "./names.ts";
import { group, sendText, texts, user } from "./store.ts";

export function Texts() {
  const list = useRef<HTMLUListElement>(null);
  const shown = texts.value.filter((text) => text.group === group.value?.uri);
  // The newest is to be seen whenever there is one more.
  useEffect(() => {
    list.current?.lastElementChild?.scrollIntoView({ block: "nearest" });
  }, [shown.length]);
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
      <ul ref={list} tabIndex={0} aria-live="polite" aria-label="Messages of the group">
        {shown.map(({ id, from, at, text, isWaiting }) => (
          <li key={`${from} ${id}`} class={from === user.value ? "own" : undefined}>
            <span class="quiet">
              {shortName(from)}, {isWaiting ? "not sent yet" : timeText(at)}
            </span>
            <p>{text}</p>
          </li>
        ))}
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
