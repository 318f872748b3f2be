// One recipe over many datasets.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { go } from "../router";
import type { DatasetRead, JobRead } from "../schema";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Check, Input, Select } from "../parts/field";
import { Notice } from "../parts/surface";
import { toast } from "../parts/toasts";

export function TrainMany({ datasets, onClose }: { datasets: DatasetRead[]; onClose: () => void }) {
  const [chosen, choose] = useState<string[]>([]);
  const [target, setTarget] = useState("");
  const [seconds, setSeconds] = useState("60");
  const [trouble, setTrouble] = useState("");
  const common =
    datasets
      .filter((each) => chosen.includes(each.id))
      .reduce<string[] | null>(
        (names, each) => (names === null ? each.schema.map((one) => one.name) : names.filter((name) => each.schema.some((one) => one.name === name))),
        null,
      ) ?? [];
  const start = () =>
    call<JobRead>("models.train_batch", { datasets: chosen, target: target || null, time_budget: Number(seconds) }).then(
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
        <div class="pick-list">
          {datasets.map((each) => (
            <Check
              key={each.id}
              label={each.name}
              hint={`${format.counted(each.rows, "row")}${each.likely_target ? `, likely target ${each.likely_target}` : ""}`}
              checked={chosen.includes(each.id)}
              onChange={(on) => choose(on ? [...chosen, each.id] : chosen.filter((one) => one !== each.id))}
            />
          ))}
        </div>
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
