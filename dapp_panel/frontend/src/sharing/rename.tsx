// A new name for a dataset or a model.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import { learn } from "../query";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Input } from "../parts/field";

export function Rename({ kind, thing, onClose }: { kind: "datasets" | "models"; thing: { id: string; name: string }; onClose: () => void }) {
  const [name, setName] = useState(thing.name);
  const [trouble, setTrouble] = useState("");
  const save = () =>
    call(kind === "datasets" ? "datasets.update" : "models.update", { ref: thing.id, name: name.trim() || thing.name }).then(
      (fresh) => {
        learn(kind === "datasets" ? "datasets.get" : "models.get", { ref: thing.id }, fresh);
        onClose();
      },
      (error: Failure) => setTrouble(error.message),
    );
  return (
    <Dialog
      title="Rename"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" onClick={save}>
            Save
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Input label="Name" value={name} onInput={setName} error={trouble} />
      </form>
    </Dialog>
  );
}
