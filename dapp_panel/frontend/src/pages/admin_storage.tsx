// What each account stores, and how much of it is allowed.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import type { Page as Listed, QuotaRead } from "../schema";
import { nameOf } from "../session";
import { Meter } from "../charts/small";
import { Button, Segmented } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Input } from "../parts/field";
import { Card, Trouble } from "../parts/surface";

const GB = 1e9;

export function Storage() {
  const found = useCall<Listed<QuotaRead>>("accounts.quotas");
  const [edited, edit] = useState<QuotaRead | null>(null);
  return (
    <Card title="Storage" note="Sealed bytes of each account, with all that was made from its files." flush>
      {found.error && <Trouble error={found.error} again={found.reload} />}
      <ul class="lines">
        {found.data?.items.map((each) => (
          <li key={each.account.id} class="version-line storage-line">
            <span class="grow">
              <span class="strong clip" style={{ display: "block" }}>
                {nameOf({ name: each.account.name, email: each.email })}
              </span>
              <span class="small muted num">
                {format.bytes(each.used)}
                {each.quota != null && ` of ${format.bytes(each.quota)}`}
              </span>
            </span>
            {each.quota != null && (
              <Meter share={each.quota ? each.used / each.quota : 1} label={`${format.bytes(each.used)} of ${format.bytes(each.quota)}`} />
            )}
            <Button small label={`Limit for ${each.account.name}`} onClick={() => edit(each)}>
              Limit
            </Button>
          </li>
        ))}
      </ul>
      {edited && <Limit of={edited} onClose={() => edit(null)} />}
    </Card>
  );
}

type Way = "usual" | "own" | "none";

function Limit({ of, onClose }: { of: QuotaRead; onClose: () => void }) {
  const [way, setWay] = useState<Way>(!of.is_own ? "usual" : of.quota == null ? "none" : "own");
  const [size, setSize] = useState(String(Math.round(((of.is_own && of.quota) || 20 * GB) / (GB / 10)) / 10));
  const [trouble, setTrouble] = useState("");
  const bytes = Math.round(Number(size.replace(",", ".")) * GB);
  const valid = way !== "own" || (Number.isFinite(bytes) && bytes > 0);
  const save = () =>
    call("accounts.update", { ref: of.account.id, quota: way === "usual" ? null : way === "none" ? 0 : bytes }).then(
      () => {
        invalidate((name) => name.startsWith("accounts."));
        onClose();
      },
      (error: Failure) => setTrouble(error.message),
    );
  return (
    <Dialog
      title={`How much ${of.account.name} may store`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" disabled={!valid} onClick={save}>
            Save
          </Button>
        </>
      }
    >
      <Segmented
        label="Limit"
        value={way}
        choices={[
          { value: "usual", label: "As for everybody" },
          { value: "own", label: "A limit" },
          { value: "none", label: "No limit" },
        ]}
        onChange={setWay}
      />
      {way === "own" && <Input label="Gigabytes" value={size} onInput={setSize} inputMode="decimal" error={valid ? undefined : "A number above 0"} />}
      <p class="small muted">{format.bytes(of.used)} are stored now. Nothing is deleted when the limit is lower; new files are refused.</p>
      {trouble && <p class="field-error">{trouble}</p>}
    </Dialog>
  );
}
