/** A question before something is done: modal, with the focus in it, and Escape to leave it. */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { errorText } from "./words.ts";

export interface DialogProps {
  readonly title: string;
  /** The text of the button that does it. */
  readonly label: string;
  readonly isGrave?: boolean;
  readonly children?: ComponentChildren;
  /** Does it with what is in the fields; then the dialog closes, or says why it failed. */
  readonly act: (fields: FormData) => Promise<unknown>;
  readonly close: () => void;
}

export function Dialog({ title, label, isGrave = false, children, act, close }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  const id = useId();
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    act(new FormData(event.currentTarget as HTMLFormElement))
      .then(close)
      .catch((error: unknown) => {
        setBusy(false);
        setFault(errorText(error));
      });
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={close}>
      <form onSubmit={submit}>
        <h2 id={id}>{title}</h2>
        {children}
        <p role="alert" class="fault">
          {fault}
        </p>
        <div class="buttons">
          <button type="submit" class={isGrave ? "grave" : "main"} disabled={isBusy}>
            {label}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** A button that asks first. */
export function AskButton({
  text,
  label = text,
  isGrave = false,
  ...dialog
}: Omit<DialogProps, "close" | "label"> & {
  readonly text: string;
  /** The name for screen readers, where the text alone does not say what the button acts on. */
  readonly label?: string;
}) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={button}
        type="button"
        class={isGrave ? "grave" : undefined}
        aria-label={label}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        {text}
      </button>
      {isOpen && (
        <Dialog
          {...dialog}
          label={text}
          isGrave={isGrave}
          close={() => {
            setOpen(false);
            button.current?.focus();
          }}
        />
      )}
    </>
  );
}
