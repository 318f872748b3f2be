// Things to fill in: each has a label, says what is wrong beside itself, and grows to a finger's size on a phone.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { Icon, KindIcon } from "./icon";

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string;
  children: (id: string, described: string | undefined) => ComponentChildren;
  quiet?: boolean;
  class?: string;
}

export function Field({ label, hint, error, children, quiet, class: extra }: FieldProps) {
  const id = useId();
  const described = hint || error ? `${id}-more` : undefined;
  return (
    <div class={`field ${extra ?? ""}`}>
      <label for={id} class={quiet ? "hush" : ""}>
        {label}
      </label>
      {children(id, described)}
      {error ? (
        <p class="field-error" id={described}>
          {error}
        </p>
      ) : (
        hint && (
          <p class="field-hint" id={described}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}

interface InputProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: ComponentChildren;
  error?: string;
  type?: "text" | "email" | "password" | "number" | "date" | "time" | "datetime-local";
  placeholder?: string;
  autocomplete?: string;
  quiet?: boolean;
  search?: boolean;
  step?: string;
  inputMode?: "decimal" | "numeric" | "text";
  required?: boolean;
  suggestions?: string[];
  class?: string;
}

export function Input(props: InputProps) {
  return (
    <Field label={props.label} hint={props.hint} error={props.error} quiet={props.quiet} class={props.class}>
      {(id, described) => (
        <div class={props.search ? "input-box search" : "input-box"}>
          {props.search && <Icon name="search" size={16} />}
          <input
            id={id}
            class="input"
            {...{ type: (props.type ?? (props.search ? "search" : "text")) as "text" }}
            value={props.value}
            placeholder={props.placeholder}
            autocomplete={props.autocomplete ?? "off"}
            aria-describedby={described}
            aria-invalid={props.error ? true : undefined}
            step={props.step}
            inputMode={props.inputMode}
            required={props.required}
            list={props.suggestions?.length ? `${id}-list` : undefined}
            onInput={(event) => props.onInput(event.currentTarget.value)}
          />
          {props.suggestions && props.suggestions.length > 0 && (
            <datalist id={`${id}-list`}>
              {props.suggestions.map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          )}
        </div>
      )}
    </Field>
  );
}

export function Select(props: {
  label: string;
  value: string;
  choices: [string, string][];
  onChange: (value: string) => void;
  hint?: ComponentChildren;
  quiet?: boolean;
  disabled?: boolean;
}) {
  return (
    <Field label={props.label} hint={props.hint} quiet={props.quiet}>
      {(id, described) => (
        <div class="input-box select">
          <select
            id={id}
            class="input"
            value={props.value}
            disabled={props.disabled}
            aria-describedby={described}
            onChange={(event) => props.onChange(event.currentTarget.value)}
          >
            {props.choices.map(([value, label]) => (
              <option key={value} value={value} selected={value === props.value}>
                {label}
              </option>
            ))}
          </select>
          <Icon name="open" size={16} />
        </div>
      )}
    </Field>
  );
}

export function Check(props: { label: ComponentChildren; checked: boolean; onChange: (checked: boolean) => void; hint?: string }) {
  return (
    <label class="check">
      <input type="checkbox" checked={props.checked} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      <span>
        {props.label}
        {props.hint && <span class="field-hint">{props.hint}</span>}
      </span>
    </label>
  );
}

export interface Option {
  value: string;
  label: string;
  kind?: string;
  note?: string;
}

interface ChooserProps {
  label: string;
  value: string;
  options: Option[];
  onChange: (value: string) => void;
  placeholder?: string;
  hint?: ComponentChildren;
  clearable?: boolean;
  quiet?: boolean;
  /** Told what is typed, where the options are only the first of many. */
  onSearch?: (text: string) => void;
}

const MOST_SHOWN = 100;

/** One of many, found by typing: a select for lists too long to scroll. */
export function Chooser(props: ChooserProps) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const listId = useId();
  const chosen = props.options.find((each) => each.value === props.value);
  const found = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const all = wanted ? props.options.filter((each) => each.label.toLowerCase().includes(wanted)) : props.options;
    return all.slice(0, MOST_SHOWN);
  }, [text, props.options]);

  useEffect(() => {
    if (!open) return undefined;
    const away = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) close();
    };
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [open]);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at, open]);

  const close = () => {
    setOpen(false);
    setText("");
    props.onSearch?.("");
  };
  const choose = (value: string) => {
    props.onChange(value);
    close();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open) setOpen(true);
      else setAt((now) => Math.min(found.length - 1, Math.max(0, now + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Enter" && open) {
      const option = found[at];
      if (option) choose(option.value);
    } else if (event.key === "Escape" && open) close();
    else return;
    event.preventDefault();
  };

  return (
    <Field label={props.label} hint={props.hint} quiet={props.quiet}>
      {(id, described) => (
        <div class="chooser" ref={box}>
          <div class="input-box select">
            {chosen?.kind && !open && <KindIcon kind={chosen.kind} />}
            <input
              id={id}
              class={`input${chosen?.kind && !open ? " with-kind" : ""}`}
              role="combobox"
              aria-expanded={open}
              aria-controls={listId}
              aria-autocomplete="list"
              aria-activedescendant={open && found[at] ? `${listId}-${at}` : undefined}
              aria-describedby={described}
              autocomplete="off"
              spellcheck={false}
              value={open ? text : (chosen?.label ?? "")}
              placeholder={open && chosen ? chosen.label : (props.placeholder ?? "Choose…")}
              onClick={() => setOpen(true)}
              onInput={(event) => {
                setText(event.currentTarget.value);
                props.onSearch?.(event.currentTarget.value);
                setAt(0);
                setOpen(true);
              }}
              onKeyDown={keys}
              onBlur={() => open && close()}
            />
            {props.clearable && props.value && !open ? (
              <button type="button" class="input-clear" aria-label={`Clear ${props.label}`} onClick={() => props.onChange("")}>
                <Icon name="close" size={16} />
              </button>
            ) : (
              <Icon name="open" size={16} />
            )}
          </div>
          {open && (
            <ul class="options" role="listbox" id={listId} ref={list} aria-label={props.label}>
              {found.map((each, index) => (
                <li
                  key={each.value}
                  id={`${listId}-${index}`}
                  role="option"
                  aria-selected={each.value === props.value}
                  class={index === at ? "at" : ""}
                  onPointerDown={(event) => {
                    event.preventDefault();
                    choose(each.value);
                  }}
                >
                  {each.kind && <KindIcon kind={each.kind} />}
                  <span class="clip grow">{each.label}</span>
                  {each.note && <span class="muted small">{each.note}</span>}
                </li>
              ))}
              {found.length === 0 && <li class="muted">Nothing of that name</li>}
              {found.length === MOST_SHOWN && <li class="muted small">Type to find the others</li>}
            </ul>
          )}
        </div>
      )}
    </Field>
  );
}
