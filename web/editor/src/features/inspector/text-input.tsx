import { useState } from "react";
import { mayEdit } from "../../api/client";

interface Props {
  id: string;
  text: string;
  placeholder?: string;
  invalid?: boolean;
  describedBy?: string;
  lines?: boolean;
  label?: string;
  className?: string;
  list?: string | undefined;
  onFocus?: (() => void) | undefined;
  onText: (text: string) => void;
}

/** Text that is taken when one leaves the field or presses Enter; Escape takes it back. */
export function TextInput({ id, text, placeholder, invalid, describedBy, lines, label, className, list, onFocus, onText }: Props) {
  const [edited, setEdited] = useState<string>();
  const commit = () => {
    if (edited !== undefined && edited !== text) onText(edited);
    setEdited(undefined);
  };
  const shared = {
    id,
    className,
    placeholder,
    value: edited ?? text,
    "aria-invalid": invalid,
    "aria-describedby": describedBy,
    "aria-label": label,
    spellCheck: false,
    disabled: !mayEdit,
    onFocus,
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => setEdited(event.target.value),
    onBlur: commit,
    onKeyDown: (event: React.KeyboardEvent) => {
      if (event.key === "Enter" && !lines) commit();
      if (event.key === "Escape") setEdited(undefined);
      event.stopPropagation();
    },
  };
  return lines ? <textarea rows={3} {...shared} /> : <input type="text" list={list} {...shared} />;
}
