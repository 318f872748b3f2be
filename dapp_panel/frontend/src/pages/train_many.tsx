// One recipe over many datasets.
import { useEffect, useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { useCall } from "../query";
import { go } from "../router";
import type { DatasetRead, JobRead, Page as Listed } from "../schema";
import { may } from "../session";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Check, Input, Select } from "../parts/field";
import { Notice } from "../parts/surface";
import { toast } from "../parts/toasts";

const OFFERED = 100;
const PAUSE_MS = 200;

export function TrainMany({ onClose }: { onClose: () => void }) {
  const [chosen, choose] = useState<DatasetRead[]>([]);
  const [text, setText] = useState("");
  const [search, setSearch] = useState("");
  const [target, setTarget] = useState("");
  const [seconds, setSeconds] = useState("60");
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSearch(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const listed = useCall<Listed<DatasetRead>>("datasets.list", { search: search || null, limit: OFFERED }, { keep: true });
  const found = (listed.data?.items ?? []).filter((each) => each.status === "ready" && may("model.train", each));
  const isChosen = (each: DatasetRead) => chosen.some((one) => one.id === each.id);
  // What is chosen stays in sight whatever is searched for.
  const offered = [...chosen, ...found.filter((each) => !isChosen(each))];
  const common =
    chosen.reduce<string[] | null>(
      (names, each) => (names === null ? each.schema.map((one) => one.name) : names.filter((name) => each.schema.some((one) => one.name === name))),
      null,
    ) ?? [];
  const start = () =>
    call<JobRead>("models.train_batch", { datasets: chosen.map((each) => each.id), target: target || null, time_budget: Number(seconds) }).then(
      () => {
        toast({ tone: "good", title: `${format.counted(chosen.length, "training")} asked for` });
        onClose();
        go("/models");
      },
      (error: Failure) => setTrouble(error.message),
    );
  return (
    <Dialog
      title="Train on many datasets"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" icon="train" disabled={chosen.length === 0} onClick={start}>
            Train {chosen.length > 0 && format.counted(chosen.length, "model")}
          </Button>
        </>
      }
    >
      <div class="stack">
        <Input label="Search datasets" quiet search value={text} onInput={setText} placeholder="Search datasets" />
        {listed.error && <Notice tone="bad">{listed.error.message}</Notice>}
        <div class="pick-list" role="group" aria-label="Datasets">
          {offered.map((each) => (
            <Check
              key={each.id}
              label={each.name}
              hint={`${format.counted(each.rows, "row")}${each.likely_target ? `, likely target ${each.likely_target}` : ""}`}
              checked={isChosen(each)}
              onChange={(on) => choose(on ? [...chosen, each] : chosen.filter((one) => one.id !== each.id))}
            />
          ))}
          {offered.length === 0 && listed.data && <p class="muted pad">No dataset of that name.</p>}
        </div>
        <p class="small muted" role="status">
          {format.counted(chosen.length, "dataset")} chosen{listed.data?.next ? "; search to find those that are not in the list" : ""}
        </p>
        <Select
          label="Predict"
          value={common.includes(target) ? target : ""}
          choices={[["", "The likely target of each"], ...common.map((each): [string, string] => [each, each])]}
          onChange={setTarget}
          hint="Columns that all of them have"
        />
        <Input label="Seconds for each" inputMode="numeric" value={seconds} onInput={setSeconds} />
        {trouble && <Notice tone="bad">{trouble}</Notice>}
      </div>
    </Dialog>
  );
}
