// One dataset of any number: the newest are offered, the others are found by their name.
import { useEffect, useState } from "preact/hooks";
import * as format from "../format";
import { useCall } from "../query";
import type { DatasetRead, Page as Listed } from "../schema";
import { Chooser } from "./field";

const OFFERED = 100;
const PAUSE_MS = 200;

interface Props {
  label: string;
  /** The one that is chosen, once it is known. */
  present: DatasetRead | undefined;
  value: string;
  placeholder?: string;
  quiet?: boolean;
  /** Which of them can be chosen; those that are ready when left out. */
  fits?: (dataset: DatasetRead) => boolean;
  /** Nothing is asked for until then. */
  wait?: boolean;
  onChange: (id: string) => void;
}

export function ChooseDataset({ label, present, value, placeholder, quiet, fits, wait, onChange }: Props) {
  const [text, setText] = useState("");
  const [search, setSearch] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSearch(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const listed = useCall<Listed<DatasetRead>>(wait ? null : "datasets.list", { search: search || null, limit: OFFERED }, { keep: true });
  const found = (listed.data?.items ?? []).filter((each) => each.status === "ready" && (!fits || fits(each)));
  const all = present && !found.some((each) => each.id === present.id) ? [present, ...found] : found;
  return (
    <Chooser
      label={label}
      quiet={quiet}
      value={value}
      placeholder={placeholder ?? "Choose a dataset"}
      options={all.map((each) => ({
        value: each.id,
        label: each.name,
        note: each.status === "ready" ? format.counted(each.rows, "row") : each.status === "failed" ? "could not be read" : "being read",
      }))}
      onSearch={setText}
      onChange={onChange}
    />
  );
}
