// Who may see a thing: everyone, only its owner, and named people with what they may do.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import { invalidate, useCall } from "../query";
import type { DatasetRead, GrantRead, ModelRead, Page, PersonRead } from "../schema";
import { nameOf } from "../session";
import { Button, Segmented } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Chooser, Select } from "../parts/field";
import { Bones, Face, Notice, Trouble } from "../parts/surface";

const LEVELS: [string, string][] = [
  ["read", "may look"],
  ["use", "may use"],
  ["edit", "may edit"],
];

/** The window of sharing; changes hold at once. */
export function SharePeople({
  kind,
  thing,
  onVisibility,
  onClose,
}: {
  kind: "dataset" | "model";
  thing: DatasetRead | ModelRead;
  onVisibility: (visibility: string) => Promise<unknown>;
  onClose: () => void;
}) {
  const granted = useCall<Page<GrantRead>>("grants.list", { kind, ref: thing.id });
  const people = useCall<Page<PersonRead>>("grants.people", { search: null, limit: 200 });
  const [trouble, setTrouble] = useState("");
  const again = () => invalidate((name, params) => (name === "grants.list" && params.ref === thing.id) || name === `${kind}s.get` || name === `${kind}s.list`);
  const act = (name: string, person: string, level = "use") => {
    setTrouble("");
    return call(name, { kind, ref: thing.id, person, level }).then(again, (error: Failure) => setTrouble(error.message));
  };
  const others = (people.data?.items ?? []).filter((each) => each.id !== thing.owner.id && !granted.data?.items.some((one) => one.person.id === each.id));
  return (
    <Dialog
      title={`Share ${thing.name}`}
      onClose={onClose}
      actions={
        <Button tone="main" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div class="stack">
        <Segmented
          roomy
          label="Who may see it"
          value={thing.visibility}
          choices={[
            { value: "team", label: "Team", icon: "team", hint: "Everyone in the workspace" },
            { value: "private", label: "Only some", icon: "lock", hint: `${nameOf(thing.owner)} and the people below` },
          ]}
          onChange={(value) => void onVisibility(value).catch((error: Failure) => setTrouble(error.message))}
        />
        <Chooser
          label="Give a person more"
          value=""
          placeholder="Name or email"
          options={others.map((each) => ({ value: each.id, label: nameOf(each), note: each.email }))}
          onChange={(value) => value && void act("grants.put", value)}
        />
        {granted.error && <Trouble error={granted.error} again={granted.reload} />}
        {!granted.data && !granted.error && <Bones lines={2} height={44} />}
        <ul class="share-list">
          {granted.data?.items.map((each) => (
            <li key={each.person.id} class="share-line">
              <Face person={each.person} />
              <span class="grow">
                <span class="strong clip" style={{ display: "block" }}>
                  {nameOf(each.person)}
                </span>
                <span class="small muted clip" style={{ display: "block" }}>
                  {each.person.email}
                </span>
              </span>
              <Select
                label={`What ${nameOf(each.person)} may do`}
                quiet
                value={each.level}
                choices={LEVELS}
                onChange={(value) => void act("grants.put", each.person.id, value)}
              />
              <Button small tone="ghost" icon="close" label={`Stop sharing with ${nameOf(each.person)}`} onClick={() => act("grants.remove", each.person.id)} />
            </li>
          ))}
        </ul>
        {trouble && <Notice tone="bad">{trouble}</Notice>}
        <p class="small muted">
          Look: see it. Use: also download it{kind === "dataset" ? ", train from it" : ""} and predict. Edit: also rename and mend it. What a role does not
          allow, sharing does not give.
        </p>
      </div>
    </Dialog>
  );
}
